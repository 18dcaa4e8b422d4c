"""The law of test clocks: forward only, to one place at a time, and strides of the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, moments, the, told

from bursar.domain.calendars import months_after
from bursar.domain.ids import ClockId
from bursar.domain.refusals import ClockAdvancing, ClockRunsForward, InvalidInput
from bursar.domain.test_clocks import (
    MONTHS_AT_ONCE_MAX,
    ClockStatus,
    OrgClock,
    first_freeze,
    stride,
)

DAY = timedelta(days=1)
CLOCK = OrgClock(
    id=ClockId("clk_1"),
    now_at=AT,
    departed_at=None,
    target_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)


def departed(days: int = 10) -> OrgClock:
    return the(OrgClock, CLOCK.advance(AT + days * DAY, timezone="UTC"))


def test_a_clock_sets_out_and_arrives() -> None:
    # Each fact is told once, and the way is over when it has arrived.
    assert told(first_freeze(CLOCK)) == ["test_clock.frozen"]
    away = departed()
    assert (away.status, away.now_at, away.departed_at) == (ClockStatus.ADVANCING, AT, AT)
    arrived = the(OrgClock, away.arrive())
    assert (arrived.status, arrived.now_at) == (ClockStatus.READY, AT + 10 * DAY)
    assert told(away.arrive()) == ["test_clock.advanced"]


@given(st.integers(1, 10), st.integers(1, 10))
def test_the_way_is_counted(days: int, done: int) -> None:
    # Percent of the time between where it set out and where it goes, rounded down.
    stopped = departed(10).stop_at(AT + min(days, done) * DAY)
    assert stopped.percent == 10 * min(days, done)
    assert CLOCK.percent == 100


@given(moments(2020, 2030))
def test_time_never_runs_back(to: datetime) -> None:
    # Whatever is asked for, the clock is later, or it is refused.
    try:
        away = the(OrgClock, CLOCK.advance(to, timezone="UTC"))
    except ClockRunsForward:
        assert to <= AT
    except InvalidInput:
        assert to > months_after(AT, MONTHS_AT_ONCE_MAX, "UTC")
    else:
        assert away.target_at == to > AT


def test_one_way_at_a_time() -> None:
    # The same way twice is once; another is refused, and says where it goes.
    away = departed(3)
    assert away.advance(AT + 3 * DAY, timezone="UTC") is None
    with pytest.raises(ClockAdvancing, match="2026-03-04T12:00"):
        away.advance(AT + 4 * DAY, timezone="UTC")
    with pytest.raises(AssertionError):
        away.stop_at(AT)


def test_a_clock_that_stands_is_not_frozen_again() -> None:
    # Only from real time; and letting go twice is once.
    with pytest.raises(ClockRunsForward):
        CLOCK.freeze(AT + DAY)
    free = the(OrgClock, departed().release())
    assert (free.now_at, free.target_at, free.release()) == (None, None, None)
    assert the(OrgClock, free.freeze(AT)).now_at == AT


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1 month", "2026-01-31T12:00", "2026-02-28T12:00"),
        ("2 months", "2026-01-31T12:00", "2026-03-31T11:00"),  # summer time begins in between
        ("1 year", "2028-02-29T12:00", "2029-02-28T12:00"),
        ("1 day", "2026-03-28T12:00", "2026-03-29T11:00"),
        ("2 weeks", "2026-10-18T12:00", "2026-11-01T13:00"),  # and ends
        ("24 hours", "2026-03-28T12:00", "2026-03-29T12:00"),
        ("90 minutes", "2026-03-29T00:30", "2026-03-29T02:00"),
    ],
)
def test_strides_are_the_calendars(text: str, start: str, end: str) -> None:
    # Days and months keep the wall time in Berlin, hours do not; worked out by hand, in UTC.
    after = stride(text).after(datetime.fromisoformat(start).replace(tzinfo=UTC), "Europe/Berlin")
    assert after == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "month", "0 days", "1 fortnight", "-1 day", "1 day\n", "1  day"]
)
def test_other_spans_are_none(text: str) -> None:
    # Matched whole.
    with pytest.raises(InvalidInput):
        stride(text)


def test_a_stride_is_bounded() -> None:
    # Nobody sends a clock beyond what a calendar can hold.
    with pytest.raises(InvalidInput):
        stride("25 months").after(AT, "UTC")
    with pytest.raises(InvalidInput):
        CLOCK.advance(stride("9999 days").after(AT, "UTC"), timezone="UTC")
