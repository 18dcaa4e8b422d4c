"""A window on a list: how much to fetch for it, what it shows, and where the next one begins."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.paging import COUNTED_MAX, SIZE_MAX, Page, paged


@dataclass(frozen=True, slots=True)
class Thing:
    id: str


THINGS = [Thing(f"inv_{number:03d}") for number in range(250, 0, -1)]
sizes = st.integers(1, SIZE_MAX)


@given(sizes)
def test_following_the_cursor_shows_everything_once(size: int) -> None:
    # In order, and the last window says that it is the last.
    shown: list[Thing] = []
    cursor: str | None = "inv_999"
    while cursor is not None:
        page = Page(size=size, is_cursor=True)
        fetched = [thing for thing in THINGS if thing.id < cursor][: page.fetched]
        window = paged(fetched, page, total_count=0)
        shown += window.items
        cursor = window.next_cursor
    assert shown == THINGS


@given(sizes)
def test_page_by_page_shows_everything_once(size: int) -> None:
    # Each page begins where the one before ended.
    shown: list[Thing] = []
    for number in range(1, len(THINGS) + 1):
        page = Page(number, size)
        fetched = THINGS[page.offset : page.offset + page.fetched]
        window = paged(fetched, page, total_count=len(THINGS))
        shown += window.items
        assert (window.next_cursor is None) == (len(shown) == len(THINGS))
        if window.next_cursor is None:
            break
    assert shown == THINGS


@given(st.integers(0, COUNTED_MAX + 300), st.integers(1, 200), sizes)
def test_a_page_that_shows_the_end_has_counted(there: int, number: int, size: int) -> None:
    # What it knows is what counting would have said; it knows on the last page, and on no other.
    page = Page(number, size)
    rows = max(0, min(there - page.offset, page.fetched))
    known = page.count_with(rows)
    assert known in {None, min(there, COUNTED_MAX)}
    is_last = page.offset < there <= page.offset + size or (number == 1 and there == 0)
    assert (known is not None) == is_last


def test_an_empty_list_is_a_window_too() -> None:
    # Nothing, and nothing after it.
    nothing: list[Thing] = []
    window = paged(nothing, Page(), total_count=0)
    assert (window.items, window.total_count, window.next_cursor) == ((), 0, None)


@pytest.mark.parametrize(("number", "size"), [(0, 20), (-1, 20), (1, 0), (1, SIZE_MAX + 1)])
def test_a_page_is_bounded(number: int, size: int) -> None:
    # Whoever asks for more forgot to check first.
    with pytest.raises(AssertionError):
        Page(number, size)
