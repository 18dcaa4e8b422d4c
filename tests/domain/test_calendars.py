"""Civil time: years and due dates are those of the organization's own wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.calendars import TIMEZONES, days_after, year_in
from bursar.domain.times import Period, wire_instant

moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - Hypothesis wants the bounds bare
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - Hypothesis wants the bounds bare
    timezones=st.just(UTC),
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo"])


def test_the_year_is_that_of_the_place() -> None:
    # The last hour of the year in London is the next year in Tokyo.
    at = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert (year_in(at, "UTC"), year_in(at, "Asia/Tokyo")) == (2026, 2027)
    assert year_in(datetime(2027, 1, 1, 2, tzinfo=UTC), "America/New_York") == 2026


@given(moments, st.integers(0, 365), zones)
def test_a_due_date_keeps_the_wall_time(at: datetime, days: int, zone: str) -> None:
    # Some days later, the same clock reads the same time, whatever changed in between.
    due = days_after(at, days, zone)
    here, there = at.astimezone(ZoneInfo(zone)), due.astimezone(ZoneInfo(zone))
    moved = here.replace(tzinfo=None) + timedelta(days=days)
    # An hour that a change of clocks leaves out is told as the hour after it.
    assert there.replace(tzinfo=None) - moved in (timedelta(0), timedelta(hours=1))
    assert due.utcoffset() == timedelta(0)


def test_a_change_of_clocks_moves_no_due_date() -> None:
    # Noon in Berlin stays noon in Berlin over the last Sunday of March.
    noon = datetime(2026, 3, 20, 11, tzinfo=UTC)
    assert days_after(noon, 14, "Europe/Berlin") == datetime(2026, 4, 3, 10, tzinfo=UTC)


def test_the_time_zones_are_known() -> None:
    # By their names of the database; abbreviations that mean several places are of no use.
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= TIMEZONES
    assert "Mars/Olympus" not in TIMEZONES


def test_a_period_is_half_open_and_has_a_length() -> None:
    # Its end belongs to the next one.
    start = datetime(2026, 3, 1, tzinfo=UTC)
    period = Period(start, start + timedelta(days=1))
    assert start in period
    assert period.end not in period
    with pytest.raises(AssertionError):
        Period(start, start)


@given(moments)
def test_an_instant_is_spelled_in_utc_with_milliseconds(at: datetime) -> None:
    # Cut, never rounded up into a moment that has not come.
    text = wire_instant(at)
    assert (len(text), text[-1], text[-5]) == (24, "Z", ".")
    back = datetime.fromisoformat(text)
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


def test_an_instant_knows_its_zone() -> None:
    # A bare time is no instant; another zone is told in UTC.
    with pytest.raises(AssertionError):
        wire_instant(datetime(2026, 3, 1))  # noqa: DTZ001 - exactly what must be refused
    berlin = datetime(2026, 3, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert wire_instant(berlin) == "2026-03-01T11:00:00.000Z"
