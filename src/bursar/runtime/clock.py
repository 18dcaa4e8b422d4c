"""The wall clock and the stopwatch: the only place in the house that asks what time it is.

Everything else takes an `Instant` from its transaction. `monotonic` measures durations and
deadlines and says nothing about the date.
"""

import time
from datetime import UTC, datetime

from bursar.domain.times import Instant


def now() -> Instant:
    """This moment by the wall clock, aware and in UTC."""
    return datetime.now(UTC)


def milliseconds() -> int:
    """The same in whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never steps back; only differences mean something."""
    return time.monotonic()
