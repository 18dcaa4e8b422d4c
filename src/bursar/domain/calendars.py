"""Civil time: what a day, a year and "in 14 days" mean to an organization.

Instants are UTC; only here does a time zone turn them into days and back.
"""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bursar.domain.times import Instant

TIMEZONES: Final = frozenset(available_timezones())


def year_in(at: Instant, timezone: str) -> int:
    """The civil year of an instant in a time zone: what an invoice number carries."""
    return at.astimezone(ZoneInfo(timezone)).year


def day_begins(at: Instant, timezone: str) -> Instant:
    """The first instant of the civil day that an instant lies in."""
    local = at.astimezone(ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(at.tzinfo)


def days_after(at: Instant, days: int, timezone: str) -> Instant:
    """The same wall time some civil days later, so that a change of clocks moves no due date."""
    local = at.astimezone(ZoneInfo(timezone))
    return (local + timedelta(days=days)).astimezone(at.tzinfo)
