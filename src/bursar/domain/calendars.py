"""Civil time: what a day, a year and "in 14 days" mean to an organization.

Instants are UTC; only here does a time zone turn them into days and back. Periods of a subscription
begin with a civil day: the anchor day of a month. Every one of them is computed from the anchor,
never from the period before, so no short month and no change of clocks can make them drift.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from bursar.domain.times import Day, Instant, Period

TIMEZONES: Final = frozenset(available_timezones())
ANCHOR_DAY_MAX: Final = 28
"""The last day that every month has."""

_MONTHS_PER_YEAR: Final = 12
_DAYS_KEPT: Final = 10_000  # a run asks for the same few days of each of its subscriptions
_SECOND: Final = timedelta(seconds=1)


def year_in(at: Instant, timezone: str) -> int:
    """The civil year of an instant in a time zone: what an invoice number carries."""
    return at.astimezone(ZoneInfo(timezone)).year


def day_begins(at: Instant, timezone: str) -> Instant:
    """The first instant of the civil day that an instant lies in."""
    return day_start(day_in(at, timezone), timezone)


def day_in(at: Instant, timezone: str) -> Day:
    """The civil day of an instant in a time zone."""
    if timezone == "UTC" and at.tzinfo is UTC:
        return at.date()
    return at.astimezone(ZoneInfo(timezone)).date()


def days_after(at: Instant, days: int, timezone: str) -> Instant:
    """The same wall time some civil days later, so that a change of clocks moves no due date."""
    local = at.astimezone(ZoneInfo(timezone))
    return (local + timedelta(days=days)).astimezone(at.tzinfo)


def months_after(at: Instant, months: int, timezone: str) -> Instant:
    """The same wall time some civil months later, on the last day of a month that is too short."""
    local = at.astimezone(ZoneInfo(timezone))
    year, month = divmod(_number(local.date()) + months, _MONTHS_PER_YEAR)
    first = local.replace(year=year, month=month + 1, day=1)
    after = date(year + (month + 1) // _MONTHS_PER_YEAR, (month + 1) % _MONTHS_PER_YEAR + 1, 1)
    last_day = (after - timedelta(days=1)).day
    return first.replace(day=min(local.day, last_day)).astimezone(at.tzinfo)


@lru_cache(maxsize=_DAYS_KEPT)
def day_start(day: Day, timezone: str) -> Instant:
    """The first instant of a civil day: midnight, or when the clocks skip it, the moment after.

    A day whose midnight comes twice begins with the first. A day that a zone left out altogether
    begins where the next one does.
    """
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(day, time(), zone)
    early = midnight.astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return early
    # Midnight does not exist: it lies in a gap, and so does the jump that the day begins with.
    before, after = midnight.replace(fold=1).astimezone(UTC) - _SECOND, early
    while after - before > _SECOND:
        middle = before + ((after - before) // _SECOND // 2) * _SECOND
        if middle.astimezone(zone).date() < day:
            before = middle
        else:
            after = middle
    return after


class Cycle(Struct, frozen=True):
    """Periods of some months that begin on the anchor day, one after the other for ever.

    `month` is one of the months in which a period begins, and matters to longer ones only.
    """

    timezone: str
    day: int
    months: int = 1
    month: int = 1

    def __post_init__(self) -> None:
        assert 1 <= self.day <= ANCHOR_DAY_MAX, "every month has the anchor day"
        assert self.months in {1, _MONTHS_PER_YEAR}, "a period is a month or a year"
        assert 1 <= self.month <= _MONTHS_PER_YEAR

    def period_at(self, at: Instant) -> Period:
        """The whole period that holds an instant."""
        local = day_in(at, self.timezone)
        number = _number(local)
        number -= (number - self.month + 1) % self.months
        start = self._boundary(number)
        if at < start:
            return Period(self._boundary(number - self.months), start)
        return Period(start, self._boundary(number + self.months))

    def _boundary(self, number: int) -> Instant:
        year, month = divmod(number, _MONTHS_PER_YEAR)
        return day_start(date(year, month + 1, self.day), self.timezone)


def cycle_from(start: Instant, timezone: str, *, anchor_day: int, months: int) -> Cycle:
    """The cycle of something that began at `start`: its periods begin on the anchor day.

    The months of a yearly cycle are counted from the last anchor day at or before the start.
    """
    monthly = Cycle(timezone, anchor_day)
    first = day_in(monthly.period_at(start).start, timezone)
    return Cycle(timezone, anchor_day, months, first.month)


def default_anchor_day(start: Instant, timezone: str) -> int:
    """The day of the month something begins on, or the last one that every month has."""
    return min(day_in(start, timezone).day, ANCHOR_DAY_MAX)


def _number(day: Day) -> int:
    """Months since the year 0."""
    return day.year * _MONTHS_PER_YEAR + day.month - 1
