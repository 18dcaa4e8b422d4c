"""What time it is for an organization, as the world sees it; and what its log keeps of that."""

from typing import Annotated, Literal

from bursar.domain.shapes.fields import Shape, WireInstant, instant, shown_as
from bursar.domain.test_clocks import ClockReading, ClockStatus, OrgClock
from bursar.domain.times import wire_instant


class ClockWayOut(Shape, frozen=True, kw_only=True):
    """The way a clock is on: how much is behind it, and what it waits for before it goes on."""

    departed_at: WireInstant
    target_at: WireInstant
    percent: Annotated[int, shown_as(40)]
    pending: Annotated[int, shown_as(3)]


class ClockOut(Shape, frozen=True, kw_only=True):
    """The time of an organization; `progress` while it is advancing."""

    object: Literal["test_clock"] = "test_clock"
    now: WireInstant
    status: ClockStatus
    frozen: bool
    progress: ClockWayOut | None

    @classmethod
    def of(cls, reading: ClockReading) -> "ClockOut":
        """The clock's shape."""
        clock = reading.clock
        return cls(
            now=wire_instant(reading.now),
            status=ClockStatus.READY if clock is None else clock.status,
            frozen=clock is not None and clock.now_at is not None,
            progress=_way(reading),
        )


class ClockFactOut(Shape, frozen=True, kw_only=True):
    """A clock as the log keeps it; without `now` its organization lives in real time."""

    id: str
    object: Literal["test_clock"] = "test_clock"
    now: WireInstant | None
    target_at: WireInstant | None
    status: ClockStatus
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, clock: OrgClock) -> "ClockFactOut":
        """The clock's shape in the log."""
        return cls(
            id=clock.id,
            now=instant(clock.now_at),
            target_at=instant(clock.target_at),
            status=clock.status,
            version=clock.version,
            created_at=wire_instant(clock.created_at),
            updated_at=wire_instant(clock.updated_at),
        )


def _way(reading: ClockReading) -> ClockWayOut | None:
    clock = reading.clock
    if clock is None or clock.departed_at is None or clock.target_at is None:
        return None
    return ClockWayOut(
        departed_at=wire_instant(clock.departed_at),
        target_at=wire_instant(clock.target_at),
        percent=clock.percent,
        pending=reading.pending,
    )
