"""Periods from an anchor: they tile time in every zone, through every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import moments

from bursar.domain.calendars import (
    ANCHOR_DAY_MAX,
    TIMEZONES,
    Cycle,
    cycle_from,
    day_in,
    day_start,
    default_anchor_day,
)
from bursar.domain.times import Period

# Half hours, changes at midnight, a skipped day, no changes at all, and both hemispheres.
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns"),
    *("America/Sao_Paulo", "America/Havana", "America/Asuncion", "Africa/Cairo", "Asia/Beirut"),
    *("Asia/Gaza", "Asia/Tehran", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Lord_Howe"),
    *("Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Atlantic/Azores", "Asia/Amman"),
)
MOMENTS = moments(1971, 2099)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_every_anchor_tiles_every_month(zone: str) -> None:
    # 1970 to 2100, each anchor: the end of a period is the start of the next, on its civil day.
    place = ZoneInfo(zone)
    for day in range(1, ANCHOR_DAY_MAX + 1):
        before = None
        for number in range(1970 * 12, 2101 * 12):
            wanted = date(number // 12, number % 12 + 1, day)
            start = day_start(wanted, zone)
            assert before is None or before < start
            before = start
            local = start.astimezone(place)
            is_skipped = local.date() > wanted  # the zone left this day out
            assert local.date() == wanted or is_skipped
            assert is_skipped or (start - TICK).astimezone(place).date() < wanted


@given(MOMENTS, st.integers(1, ANCHOR_DAY_MAX), st.sampled_from((1, 12)), st.sampled_from(ZONES))
def test_a_period_holds_its_instants(at: datetime, day: int, months: int, zone: str) -> None:
    # Whichever instant of a period is asked about, the period is the same, and its neighbors touch.
    cycle = cycle_from(at, zone, anchor_day=day, months=months)
    period = cycle.period_at(at)
    assert period.start <= at < period.end
    assert cycle.period_at(period.start) == period == cycle.period_at(period.end - TICK)
    assert cycle.period_at(period.end).start == period.end
    assert cycle.period_at(period.start - TICK).end == period.start


@given(MOMENTS, st.integers(1, ANCHOR_DAY_MAX), st.sampled_from(ZONES))
def test_a_year_is_twelve_months(at: datetime, day: int, zone: str) -> None:
    # A yearly cycle begins and ends with a month of the monthly one.
    months = cycle_from(at, zone, anchor_day=day, months=1)
    years = cycle_from(at, zone, anchor_day=day, months=12)
    year, period, count = years.period_at(at), months.period_at(at), 0
    assert period.start == year.start, "a year begins with the month something begins in"
    while period.end <= year.end:
        period, count = months.period_at(period.end), count + 1
    assert count == 12


@given(MOMENTS, st.sampled_from(sorted(TIMEZONES)))
def test_a_day_begins_with_its_first_instant(at: datetime, zone: str) -> None:
    # In every zone: it is that day from then on, and was not a moment before.
    day = day_in(at, zone)
    start = day_start(day, zone)
    assert start <= at
    assert day_in(start, zone) == day
    assert day_in(start - TICK, zone) < day


@pytest.mark.parametrize(
    ("start", "day", "months", "zone", "period"),
    [
        # 31 January with the last day that every month has.
        ("2026-01-31T12:00", 28, 1, "UTC", ("2026-01-28T00:00", "2026-02-28T00:00")),
        ("2026-02-28T00:00", 28, 1, "UTC", ("2026-02-28T00:00", "2026-03-28T00:00")),
        # A leap day, by the month and by the year.
        ("2028-02-29T12:00", 28, 1, "UTC", ("2028-02-28T00:00", "2028-03-28T00:00")),
        ("2028-02-29T12:00", 28, 12, "UTC", ("2028-02-28T00:00", "2029-02-28T00:00")),
        # Clocks change in March and October: 23 hours less, 25 hours more, never a day.
        ("2026-03-15T12:00", 15, 1, "Europe/Berlin", ("2026-03-14T23:00", "2026-04-14T22:00")),
        ("2026-10-15T12:00", 15, 1, "Europe/Berlin", ("2026-10-14T22:00", "2026-11-14T23:00")),
        ("2026-03-05T12:00", 5, 1, "America/New_York", ("2026-03-05T05:00", "2026-04-05T04:00")),
        # No midnight: the clocks of Cairo go from 00:00 to 01:00 on 24 April 2026.
        ("2026-04-24T12:00", 24, 1, "Africa/Cairo", ("2026-04-23T22:00", "2026-05-23T21:00")),
        # Yearly, begun before this year's anchor day.
        ("2026-03-05T12:00", 10, 12, "UTC", ("2026-02-10T00:00", "2027-02-10T00:00")),
    ],
)
def test_periods_as_a_calendar_says(
    start: str, day: int, months: int, zone: str, period: tuple[str, str]
) -> None:
    # Worked out by hand.
    at = datetime.fromisoformat(f"{start}+00:00")
    found = cycle_from(at, zone, anchor_day=day, months=months).period_at(at)
    assert found == Period(*(datetime.fromisoformat(f"{each}+00:00") for each in period))


def test_the_default_anchor() -> None:
    # The day it begins on, as far as every month has it.
    assert default_anchor_day(datetime(2026, 3, 15, 23, 30, tzinfo=UTC), "Europe/Berlin") == 16
    assert default_anchor_day(datetime(2026, 1, 31, tzinfo=UTC), "UTC") == 28


def test_the_anchor_is_a_day_that_every_month_has() -> None:
    # Anything else is a bug of whoever asks.
    for day in (0, 29):
        with pytest.raises(AssertionError):
            Cycle("UTC", day)
