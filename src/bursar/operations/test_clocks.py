"""Test clocks: stop the time of a sandbox organization, send it ahead, let it go.

Sending a clock ahead only says where to; a worker moves it, a due item at a time, by `move_clock`.
"""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.ids import ClockId
from bursar.domain.orgs import Mode
from bursar.domain.refusals import ClockRunsForward, SandboxOnly
from bursar.domain.test_clocks import ClockReading, OrgClock, Stride, first_freeze
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import orgs, test_clocks
from bursar.store.apply import apply


class FreezeClock(Struct, frozen=True):
    """Stop the time: at a past moment, if nothing has happened yet; else now."""

    at: Instant | None = None


@operation(requires=Permission.TEST_CLOCK_WRITE)
async def freeze_clock(tx: Tx, command: FreezeClock) -> ClockReading:
    """Give the organization a clock that stands.

    Raises:
        SandboxOnly: its money is real.
        ClockRunsForward: it stands already, or that is not now and things have happened.
    """
    clock = await _locked(tx)
    at = command.at or tx.now
    if at > tx.now:
        raise ClockRunsForward("Stop the time now, and advance: what is due until then is done.")
    if at < tx.now and not await test_clocks.is_untouched(tx):
        raise ClockRunsForward("Something has happened since; time runs forward.")
    change = clock.freeze(at) if clock is not None else first_freeze(_new(tx, at))
    return await _read(tx, change)


class AdvanceClock(Struct, frozen=True):
    """Where to: a moment, or a stride from where the clock stands."""

    to: Instant | Stride


@operation(requires=Permission.TEST_CLOCK_WRITE)
async def advance_clock(tx: Tx, command: AdvanceClock) -> ClockReading:
    """Send the clock ahead; time in real time is stopped first.

    Raises:
        SandboxOnly: the organization's money is real.
        ClockAdvancing: it is on its way elsewhere.
        ClockRunsForward: that is not later than now.
        InvalidInput: too far.
    """
    clock = await _locked(tx)
    if clock is None or clock.now_at is None:
        stopped = first_freeze(_new(tx, tx.now)) if clock is None else clock.freeze(tx.now)
        clock = (await _read(tx, stopped)).clock
        assert clock is not None
    timezone = (await orgs.get(tx)).timezone
    to = command.to
    if isinstance(to, Stride):
        # Asked again on its way, the same stride means the same way.
        to = to.after(clock.departed_at or tx.now, timezone)
    change = clock.advance(to, timezone=timezone)
    return ClockReading(tx.now, clock) if change is None else await _read(tx, change)


class ReleaseClock(Struct, frozen=True):
    """Let the time go."""


@operation(requires=Permission.TEST_CLOCK_WRITE)
async def release_clock(tx: Tx, _command: ReleaseClock) -> ClockReading:
    """Back to real time, also from the middle of the way.

    Raises:
        SandboxOnly: a live organization has no clock.
    """
    clock = await _locked(tx)
    change = None if clock is None else clock.release()
    return ClockReading(tx.wall, clock) if change is None else await _read(tx, change)


class MoveClock(Struct, frozen=True):
    """One step of the bound organization's clock, if it is on its way."""


@operation(requires=Permission.TEST_CLOCK_MOVE)
async def move_clock(tx: Tx, _command: MoveClock) -> bool:
    """Go on to what is due next, or arrive; not before all that is due by now is done.

    Whoever has begun to write something commits first, and whoever comes later is told the new
    time: so nothing becomes due behind the clock's back.
    """
    clock = await test_clocks.take(tx)
    if clock is None or clock.now_at is None or clock.target_at is None:
        return False
    if await test_clocks.is_busy(tx, clock.now_at):
        return False
    await orgs.lock_out(tx)
    if await test_clocks.is_busy(tx, clock.now_at):
        return False
    due_at = await test_clocks.next_due(tx, clock.now_at)
    if due_at is not None and due_at <= clock.target_at:
        await test_clocks.step(tx, clock.stop_at(due_at))
    else:
        await apply(tx, clock.arrive())
    return True


async def _locked(tx: Tx) -> OrgClock | None:
    """The clock, and nobody else who changes it or makes the first.

    Raises:
        SandboxOnly: the organization's money is real.
    """
    if tx.mode != Mode.SANDBOX.value:
        raise SandboxOnly("A live organization lives in real time.")
    clock = await test_clocks.lock(tx)
    if clock is None:
        await orgs.lock(tx)
        clock = await test_clocks.lock(tx)
    return clock


def _new(tx: Tx, at: Instant) -> OrgClock:
    return OrgClock(
        id=ClockId(tx.new_id("clk")),
        now_at=at,
        departed_at=None,
        target_at=None,
        version=1,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.wall,
    )


async def _read(tx: Tx, change: Change) -> ClockReading:
    (written,) = (await apply(tx, change)).values()
    assert isinstance(written, OrgClock)
    return ClockReading(written.now_at or tx.wall, written)
