"""One window on a long list: by page number with a bounded count, or on from the last row seen.

Lists are newest first unless asked otherwise. Ids sort by time, so the id of the last row is the
cursor, in either order.
"""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

SIZE_MAX: Final = 100
SIZE_DEFAULT: Final = 20
COUNTED_MAX: Final = 10_001
"""Where counting stops; this many means "more than 10,000"."""

Item = TypeVar("Item")


class Page(Struct, frozen=True):
    """What to show. With `is_cursor` the number means nothing and nobody counts."""

    number: int = 1
    size: int = SIZE_DEFAULT
    is_cursor: bool = False
    after: UUID | None = None
    is_oldest_first: bool = False

    def __post_init__(self) -> None:
        assert self.number >= 1, "pages are counted from one"
        assert 1 <= self.size <= SIZE_MAX, "the caller bounds the size of a page"
        assert self.is_cursor or self.after is None, "a page by number begins at its number"

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return 0 if self.is_cursor else (self.number - 1) * self.size

    @property
    def fetched(self) -> int:
        """Rows to fetch: one more than shown tells whether anything follows."""
        return self.size + 1

    def count_with(self, rows: int) -> int | None:
        """How many there are in all, if this many that were fetched tell it; else None.

        They do where the last row is among them. A page behind the last one has no row to go by.
        """
        is_last = rows <= self.size and (rows > 0 or self.offset == 0)
        return min(self.offset + rows, COUNTED_MAX) if is_last else None


class Paged(Struct, Generic[Item], frozen=True):
    """What a window shows. `total_count` is 0 in cursor mode, where nobody counts.

    `next_cursor` is where the next window begins, and None after the last row.
    """

    items: tuple[Item, ...]
    total_count: int = 0
    next_cursor: str | None = None


class Identified(Protocol):
    """Anything whose id sorts by time."""

    @property
    def id(self) -> str:
        """The thing's own id."""
        ...


Found = TypeVar("Found", bound=Identified)


def paged(fetched: Sequence[Found], page: Page, *, total_count: int) -> Paged[Found]:
    """The window, from what was fetched for it: at most one row too many."""
    assert len(fetched) <= page.fetched
    shown = tuple(fetched[: page.size])
    has_more = len(fetched) > page.size
    return Paged(shown, total_count, shown[-1].id if has_more else None)
