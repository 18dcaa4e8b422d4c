"""What a process tells of itself once a second: how late its loop is, what it uses, who is here.

Owns no metric: telemetry has the names. Memory and files are read where Linux keeps them; elsewhere
the most memory it ever had stands for what it has.
"""

import asyncio
import resource
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bursar.runtime.clock import monotonic
from bursar.runtime.telemetry import Telemetry

_EVERY_SECONDS: Final = 1.0
_SEEN_SECONDS: Final = 900.0
_SEEN_MAX: Final = 100_000
_PAGE_BYTES: Final = resource.getpagesize()
_STATM: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")


class SeenSessions:
    """Sessions that were used lately, as far as this process saw; at most 100,000 of them."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._seen: OrderedDict[str, float] = OrderedDict()

    def see(self, session_id: str) -> None:
        """A request came with this session."""
        self._seen[session_id] = self._now()
        self._seen.move_to_end(session_id)
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)

    def count(self) -> int:
        """How many were used in the last 15 minutes."""
        oldest = self._now() - _SEEN_SECONDS
        while self._seen and next(iter(self._seen.values())) < oldest:
            self._seen.popitem(last=False)
        return len(self._seen)


async def keep_pulse(
    telemetry: Telemetry, sessions: SeenSessions, every_seconds: float = _EVERY_SECONDS
) -> None:
    """Tell it until canceled."""
    used = 0.0
    while True:
        used = _tell_usage(telemetry, used)
        telemetry.sessions(sessions.count())
        due = monotonic() + every_seconds
        await asyncio.sleep(every_seconds)
        telemetry.loop(lag_seconds=max(monotonic() - due, 0.0), tasks=len(asyncio.all_tasks()))


def _tell_usage(telemetry: Telemetry, used_before: float) -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    telemetry.usage(
        cpu_seconds=max(used - used_before, 0.0),
        memory_bytes=_memory_bytes(usage.ru_maxrss),
        open_files=_open_files(),
    )
    return used


def _memory_bytes(most_kib: int) -> int:
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return most_kib * 1024


def _open_files() -> int:
    try:
        return sum(1 for _ in _FILES.iterdir())
    except OSError:
        return 0
