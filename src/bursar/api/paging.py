"""Lists in pieces: `page` and `pageSize` with a total, or `limit` and `after` without one.

Deep pages cost the database more with each step, so page mode ends at 10,000 rows and points to the
cursor; a cursor costs the same everywhere. A cursor is opaque, is bound to its organization, and
says nothing but where to go on.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from bursar.api.envelope import encoded
from bursar.api.fields import Query
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.paging import Page, Paged
from bursar.domain.refusals import InvalidInput
from bursar.runtime.app import Caller
from bursar.runtime.crypto import KeyRing, same
from bursar.runtime.idempotency import Answer

ROWS_MAX: Final = 10_000
PAGE_SIZE_MAX: Final = 100
PAGE_SIZE: Final = 20
_LABEL: Final = "cursor"
_UUID_LENGTH: Final = 16
_MAC_LENGTH: Final = 16
_CURSOR_LENGTH: Final = 43
_FOREIGN: Final = "is not a cursor of this list"

Item = TypeVar("Item")

Size = Annotated[int, Meta(ge=1, le=PAGE_SIZE_MAX)]
Cursor = Annotated[str, Meta(min_length=1, max_length=200)]


class PageMeta(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Where this piece stands: a page among all of them, or what to give as `after` next."""

    page: int | msgspec.UnsetType = msgspec.UNSET
    page_size: int | msgspec.UnsetType = msgspec.UNSET
    total_count: int | msgspec.UnsetType = msgspec.UNSET
    total_pages: int | msgspec.UnsetType = msgspec.UNSET
    next_cursor: str | msgspec.UnsetType | None = msgspec.UNSET

    @classmethod
    def of(cls, page: Page, total_count: int) -> "PageMeta":
        """Where a page stands among all of them."""
        return cls(
            page=page.number,
            page_size=page.size,
            total_count=total_count,
            total_pages=-(-total_count // page.size),
        )


class ListQuery(Query, frozen=True):
    """Which piece of a list: by `page` and `pageSize`, or by `limit` and `after`.

    `sort` is `-createdAt`, newest first, or `createdAt`, oldest first.
    """

    page: Annotated[int, Meta(ge=1, le=ROWS_MAX)] | None = None
    page_size: Size | None = None
    limit: Size | None = None
    after: Cursor | None = None
    sort: Literal["-createdAt", "createdAt"] = "-createdAt"


class NewestQuery(ListQuery, frozen=True):
    """Which piece of a list that is told from its newest end only."""

    sort: Literal["-createdAt"] = "-createdAt"


class PageQuery(Query, frozen=True):
    """Which page of a list that has no cursor."""

    page: Annotated[int, Meta(ge=1, le=ROWS_MAX)] = 1
    page_size: Size = PAGE_SIZE


class Cursors(Struct, frozen=True):
    """Writes and reads the cursors of one organization (or of one person without one)."""

    keys: KeyRing
    scope: bytes

    def write(self, row: UUID) -> str:
        """Where to go on after this row."""
        mac = self.keys.mac(_LABEL, self.scope + row.bytes)
        raw = row.bytes + mac[:_MAC_LENGTH]
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def read(self, text: str) -> UUID:
        """The row it stands at.

        Raises:
            InvalidInput: it was not made here, for this organization.
        """
        try:
            raw = base64.b64decode(text + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidInput.at("after", _FOREIGN, "unknown_cursor") from None
        row, mac = raw[:_UUID_LENGTH], raw[_UUID_LENGTH:]
        ours = self.keys.macs(_LABEL, self.scope + row)
        if len(text) != _CURSOR_LENGTH or not any(
            same(each[:_MAC_LENGTH], claimed=mac) for each in ours
        ):
            raise InvalidInput.at("after", _FOREIGN, "unknown_cursor")
        return UUID(bytes=row)


def cursors_of(caller: Caller) -> Cursors:
    """The cursors this caller's lists go by."""
    return Cursors(caller.app.keys, (caller.org_id or "").encode())


def page_of(query: ListQuery, cursors: Cursors) -> Page:
    """The window that the query asks for, in its order.

    Raises:
        InvalidInput: pages and cursors mixed, a page too deep, or a cursor from elsewhere.
    """
    return replace(_window(query, cursors), is_oldest_first=query.sort == "createdAt")


def _window(query: ListQuery, cursors: Cursors) -> Page:
    is_cursor = query.limit is not None or query.after is not None
    if is_cursor and (query.page is not None or query.page_size is not None):
        raise InvalidInput.at("page", "goes with pageSize; limit goes with after", "ambiguous")
    if is_cursor:
        after = None if query.after is None else cursors.read(query.after)
        return Page(size=query.limit or PAGE_SIZE, is_cursor=True, after=after)
    page, size = query.page or 1, query.page_size or PAGE_SIZE
    return _numbered(page, size)


def numbered(query: PageQuery) -> Page:
    """The page that the query asks for.

    Raises:
        InvalidInput: it lies too deep.
    """
    return _numbered(query.page, query.page_size)


def _numbered(page: int, size: int) -> Page:
    if page * size > ROWS_MAX:
        message = f"goes {ROWS_MAX:,} rows deep at most; beyond, follow limit and after"
        raise InvalidInput.at("page", message, "page_too_deep")
    return Page(number=page, size=size)


def pages(caller: Caller, query: ListQuery) -> Page:
    """The window a caller asks for."""
    return page_of(query, cursors_of(caller))


def piece(
    caller: Caller, page: Page, shown: Paged[Item], shape: Callable[[Item], msgspec.Struct]
) -> Answer:
    """The answer with this piece of a list."""
    if page.is_cursor:
        row = shown.next_cursor
        cursor = None if row is None else cursors_of(caller).write(uuid_of(row))
        meta = PageMeta(next_cursor=cursor)
    else:
        meta = PageMeta.of(page, shown.total_count)
    return Answer(200, encoded({"data": [shape(item) for item in shown.items], "meta": meta}))
