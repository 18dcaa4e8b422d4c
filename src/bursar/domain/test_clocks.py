"""Test clocks: the time of a sandbox organization, stopped, and moved forward by hand.

A clock that advances goes from one due item to the next, never past one that is not done; where it
is on its way is data, so whoever dies on the way is followed by somebody who goes on. Time runs
forward only; whoever is released is back in real time.
"""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.calendars import days_after, months_after
from bursar.domain.change import Change
from bursar.domain.events import ClockArrived, ClockDeparted, ClockFrozen, ClockReleased
from bursar.domain.frozen import replace
from bursar.domain.ids import ClockId
from bursar.domain.refusals import ClockAdvancing, ClockRunsForward, InvalidInput
from bursar.domain.times import Instant, wire_instant

STRIDE_PATTERN: Final = "([1-9][0-9]{0,3}) (minute|hour|day|week|month|year)s?"
MONTHS_AT_ONCE_MAX: Final = 24

_STRIDE: Final = re.compile(STRIDE_PATTERN)
_SHORT: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12}


class ClockStatus(StrEnum):
    """Whether a clock stands, or is on its way."""

    READY = "ready"
    ADVANCING = "advancing"


class Stride(Struct, frozen=True):
    """How far to go, in units of the calendar: `3 days`, `1 month`."""

    count: int
    unit: str

    def after(self, at: Instant, timezone: str) -> Instant:
        """Where one is then: the same wall time in the organization's zone, except for hours.

        Raises:
            InvalidInput: beyond what a clock does at once.
        """
        if self.unit in _SHORT:
            return at + self.count * _SHORT[self.unit]
        if self.unit in _DAYS:
            return days_after(at, self.count * _DAYS[self.unit], timezone)
        months = self.count * _MONTHS[self.unit]
        if months > MONTHS_AT_ONCE_MAX:
            raise InvalidInput.at("by", _TOO_FAR, "too_far")
        return months_after(at, months, timezone)


_TOO_FAR: Final = f"a clock goes {MONTHS_AT_ONCE_MAX} months at once, and no further"


def stride(text: str) -> Stride:
    """What this text says.

    Raises:
        InvalidInput: no such stride.
    """
    found = _STRIDE.fullmatch(text)
    if found is None:
        raise InvalidInput.at("by", "expected a span such as `1 month` or `3 days`")
    return Stride(int(found[1]), found[2])


class OrgClock(Struct, frozen=True):
    """The clock of an organization; without `now_at` it runs with real time.

    On its way it has a `target_at`, and `departed_at` is where it set out.
    """

    id: ClockId
    now_at: Instant | None
    departed_at: Instant | None
    target_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def status(self) -> ClockStatus:
        return ClockStatus.READY if self.target_at is None else ClockStatus.ADVANCING

    @property
    def percent(self) -> int:
        """How much of the way is behind it; all of it, where it stands."""
        if self.target_at is None or self.departed_at is None or self.now_at is None:
            return 100
        return 100 * (self.now_at - self.departed_at) // (self.target_at - self.departed_at)

    def freeze(self, at: Instant) -> Change:
        """Stop at a moment.

        Raises:
            ClockRunsForward: it stands elsewhere already.
        """
        if self.now_at is not None:
            raise ClockRunsForward("The clock stands already; advance it, or release it first.")
        after = replace(self, now_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(ClockFrozen(after, self),))

    def advance(self, to: Instant, *, timezone: str) -> Change | None:
        """Set out for a later moment; nothing, when it is on its way there.

        Raises:
            ClockAdvancing: it is on its way to another.
            ClockRunsForward: that is not later.
            InvalidInput: that is too far.
        """
        assert self.now_at is not None, "only a clock that stands can set out"
        if self.target_at == to:
            return None
        if self.target_at is not None:
            raise ClockAdvancing(f"The clock is on its way to {wire_instant(self.target_at)}.")
        if to <= self.now_at:
            raise ClockRunsForward(f"It is {wire_instant(self.now_at)}; time runs forward.")
        if to > months_after(self.now_at, MONTHS_AT_ONCE_MAX, timezone):
            raise InvalidInput.at("to", _TOO_FAR, "too_far")
        after = replace(self, departed_at=self.now_at, target_at=to, version=self.version + 1)
        return Change(rows=(after,), events=(ClockDeparted(after, self),))

    def stop_at(self, due_at: Instant) -> "OrgClock":
        """The clock at what is due next on its way: a step, and neither fact nor version."""
        assert self.now_at is not None
        assert self.target_at is not None
        assert self.now_at < due_at <= self.target_at, "time runs forward, and not too far"
        return replace(self, now_at=due_at)

    def arrive(self) -> Change:
        """Nothing is due on the rest of the way."""
        after = replace(
            self,
            now_at=self.target_at,
            target_at=None,
            departed_at=None,
            version=self.version + 1,
        )
        return Change(rows=(after,), events=(ClockArrived(after, self),))

    def release(self) -> Change | None:
        """Back to real time, from wherever it is; nothing, when that is where it is."""
        if self.now_at is None:
            return None
        after = replace(
            self, now_at=None, target_at=None, departed_at=None, version=self.version + 1
        )
        return Change(rows=(after,), events=(ClockReleased(after, self),))


def first_freeze(clock: OrgClock) -> Change:
    """An organization gets its clock."""
    assert clock.now_at is not None
    return Change(rows=(clock,), events=(ClockFrozen(clock),))


class ClockReading(Struct, frozen=True):
    """What time it is for an organization, and what its clock still waits for.

    `pending` counts what is due by now and not done; without a clock there is nothing to wait for.
    """

    now: Instant
    clock: OrgClock | None
    pending: int = 0
