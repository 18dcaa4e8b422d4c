"""Spans, pieces and shares: every day is in one piece, and nothing is rounded twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import USD

from bursar.domain.analytics import Measure
from bursar.domain.refusals import InvalidInput
from bursar.domain.reports import Asked, Interval, Sums, percent, report_of, running

TODAY = date(2026, 3, 31)
DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))


@given(DAYS, st.integers(1, 390), st.sampled_from(Interval), st.data())
def test_every_day_is_in_one_piece(
    start: date, length: int, interval: Interval, data: st.DataObject
) -> None:
    # What happens on any day of the span is in the sum of the pieces, and what came before is not.
    span = Asked(start, start + timedelta(days=length), interval).span(TODAY)
    pieces = span.pieces()
    assert pieces[0] == start
    assert list(pieces) == sorted(set(pieces))
    days = data.draw(st.lists(st.integers(0, length - 1), max_size=8))
    happened = [start + timedelta(days=day) for day in days]
    month = interval is Interval.MONTH
    rows = [
        (day.replace(day=1) if month else day, Measure.INVOICED, Sums(7, 1)) for day in happened
    ]
    report = report_of(span, USD, "UTC", [*rows, (None, Measure.INVOICED, Sums(5, 1))])
    assert report.total(Measure.INVOICED) == Sums(7 * len(days), len(days))
    assert report.before[Measure.INVOICED] == Sums(5, 1)


@given(DAYS, st.integers(1, 390), st.sampled_from(Interval), st.integers(0, 420))
def test_whole_months_and_days_are_every_day_once(
    start: date, length: int, interval: Interval, into: int
) -> None:
    # Up to the end of the span, any day is in a month that is read whole, or is read itself.
    span = Asked(start, start + timedelta(days=length), interval).span(TODAY)
    whole, day = span.whole_months(), start + timedelta(days=into - 30)
    month = day.replace(day=1)
    is_in_month = month < span.opening or whole.start <= month < whole.end
    is_itself = span.opening <= day < whole.start or whole.end <= day < span.end
    assert (is_in_month + is_itself) == (day < span.end)
    if is_in_month and day >= start:
        assert month in span.pieces()


@pytest.mark.parametrize(
    ("asked", "first", "last", "count"),
    [
        (Asked(), date(2026, 3, 2), date(2026, 3, 31), 30),
        (Asked(interval=Interval.MONTH), date(2025, 4, 1), date(2026, 3, 1), 12),
        (
            Asked(end=date(2026, 3, 1), interval=Interval.MONTH),
            date(2025, 3, 1),
            date(2026, 2, 1),
            12,
        ),
        (Asked(date(2026, 1, 15), interval=Interval.MONTH), date(2026, 1, 15), date(2026, 3, 1), 3),
    ],
)
def test_what_is_not_said(asked: Asked, first: date, last: date, count: int) -> None:
    # Up to and with today, in the organization's days.
    pieces = asked.span(TODAY).pieces()
    assert (pieces[0], pieces[-1], len(pieces)) == (first, last, count)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(TODAY, TODAY),
        Asked(date(2025, 1, 1), date(2026, 3, 1)),
        Asked(date(2010, 1, 1), date(2026, 3, 1), Interval.MONTH),
        Asked(end=date.max),
        Asked(end=date.min),
        Asked(date.min),
    ],
)
def test_too_much_or_nothing(asked: Asked) -> None:
    # Nobody asks for more than a page of figures, or for none.
    with pytest.raises(InvalidInput):
        asked.span(TODAY)


def test_shares_and_balances() -> None:
    # Half to even at the second place; none of nothing.
    assert percent(1, of=3) == "33.33"
    assert percent(2, of=3) == "66.67"
    assert percent(1, of=32) == "3.12"  # 3.125
    assert percent(3, of=32) == "9.38"  # 9.375
    assert percent(-1, of=3) == "-33.33"
    assert percent(1, of=0) is None
    assert running(5, [1, -2, 0]) == [6, 4, 4]
