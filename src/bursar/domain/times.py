"""Instants, days and half-open periods.

An `Instant` is always aware and UTC. Nothing here knows what time it is: the transaction does.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

Instant: TypeAlias = datetime
Day: TypeAlias = date

_OFFSET_LENGTH: Final = len("+00:00")
_REMEMBERED: Final = 256  # one request prints the same few instants again and again


class Period(Struct, frozen=True):
    """Half-open `[start, end)`."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        assert self.start < self.end, "a period has a length"

    def __contains__(self, at: Instant) -> bool:
        return self.start <= at < self.end


@lru_cache(_REMEMBERED)
def wire_instant(at: Instant) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`, as every answer and event prints it."""
    return fresh_instant(at)


def fresh_instant(at: Instant) -> str:
    """The same of a moment that nobody prints again, such as now."""
    assert at.tzinfo is not None, "an instant is aware"
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-_OFFSET_LENGTH] + "Z"
