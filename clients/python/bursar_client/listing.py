"""Lists: one piece at a time, or all of it by going through.

`for each in listing` asks for piece after piece, as far as it is read; `piece()` asks for one, with
what the API says of the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import msgspec

from bursar_client.models import PageMeta
from bursar_client.wire import Asked, Wire

T = TypeVar("T")

PIECE: Final = 100
"""How many are asked for at a time while going through, where the caller does not say."""


class _Listed(msgspec.Struct):
    data: list[msgspec.Raw]
    meta: PageMeta


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """Some of a list, and where they stand in it."""

    items: list[T]
    meta: PageMeta


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list that nobody has asked for yet."""

    wire: Wire
    asked: Asked
    kind: type[T]
    has_cursor: bool

    def piece(self) -> Piece[T]:
        """One piece, as the call said: a page, or what comes after a cursor."""
        return self._piece(self.asked)

    def __iter__(self) -> Iterator[T]:
        """All there are, from where the call said."""
        return self._by_cursor() if self.has_cursor else self._by_page()

    def _by_cursor(self) -> Iterator[T]:
        given = self.asked.query
        if given.get("page") is not None:
            raise ValueError("going through a list begins at `after`; `page` goes with piece()")
        limit = given.get("limit") or given.get("pageSize") or PIECE
        after = given.get("after")
        while True:
            paging = {"limit": limit, "after": after, "pageSize": None}
            piece = self._piece(replace(self.asked, query={**given, **paging}))
            yield from piece.items
            after = piece.meta.next_cursor
            if after is None:
                return

    def _by_page(self) -> Iterator[T]:
        page = int(str(self.asked.query.get("page") or 1))
        size = self.asked.query.get("pageSize") or PIECE
        while True:
            paging = {"page": page, "pageSize": size}
            piece = self._piece(replace(self.asked, query={**self.asked.query, **paging}))
            yield from piece.items
            page += 1
            if page > (piece.meta.total_pages or 0):
                return

    def _piece(self, asked: Asked) -> Piece[T]:
        told = msgspec.json.decode(self.wire.send(asked).body, type=_Listed)
        items = [msgspec.json.decode(each, type=self.kind) for each in told.data]
        return Piece(items, told.meta)
