"""Test clocks over a real agenda: in order, each thing once, whoever else moves and dies."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.database import Installation, beside
from tests.support.world import Org, World, open_world

from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import HoldId, uuid_of
from bursar.domain.orgs import Mode
from bursar.domain.paging import Page
from bursar.domain.refusals import ClockAdvancing, ClockRunsForward, SandboxOnly
from bursar.domain.test_clocks import ClockStatus, stride
from bursar.jobs import dispatch
from bursar.operations.holds import CreateHold, create_hold
from bursar.operations.orgs import CreateOrganization, create_organization
from bursar.operations.test_clocks import (
    AdvanceClock,
    FreezeClock,
    MoveClock,
    ReleaseClock,
    advance_clock,
    freeze_clock,
    move_clock,
    release_clock,
)
from bursar.reads.events import AuditFilters, audit
from bursar.reads.test_clocks import clock_reading
from bursar.runtime.app import App

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def apart(house: Installation) -> AsyncIterator[World]:
    """A world of its own: its whole queue is put off and its clocks are counted."""
    async with beside(house) as database, open_world(database) as made:
        yield made


async def due(org: Org, *days: int) -> list[HoldId]:
    """So many days from now something is due: holds, which here wait for business time."""
    wallet = await org.wallet(1_000)
    connection = await org.world.house.as_owner()
    made: list[HoldId] = []
    try:
        for each in days:
            command = CreateHold(wallet_id=wallet.id, amount_minor=10)
            hold = await org.caller.run(create_hold, command)
            at = (await org.caller.look(clock_reading)).now + each * DAY
            await connection.execute(
                "UPDATE agenda SET clock = 'business', due_at = $2 WHERE subject_id = $1",
                uuid_of(hold.id),
                at,
            )
            past = "UPDATE holds SET expires_at = now() - interval '1 day' WHERE id = $1"
            await connection.execute(past, uuid_of(hold.id))
            made.append(hold.id)
    finally:
        await connection.close()
    return made


async def ended(org: Org) -> list[tuple[str, datetime]]:
    """Which holds ran out, and when, in business time; oldest first."""
    page = Page(size=100, is_cursor=True)
    found = await org.caller.look(audit, page, AuditFilters(action="hold.expired"))
    return [(each.resource_id, each.occurred_at) for each in reversed(found.items)]


async def test_everything_due_is_done_in_order(world: World) -> None:
    # Each at its own moment, and not in the order it was put there.
    org = await world.org()
    await org.freeze(START)
    late, early, never, both, twin = await due(org, 20, 3, 32, 7, 7)
    await org.advance("1 month")  # the 31st of January and a month: the 28th of February
    expected = [(early, START + 3 * DAY), (late, START + 20 * DAY)]
    found = await ended(org)
    assert [found[0], found[3]] == expected
    assert {each for each, _ in found[1:3]} == {both, twin}
    assert {at for _, at in found[1:3]} == {START + 7 * DAY}
    assert never not in dict(found)
    reading = await org.caller.look(clock_reading)
    assert reading.now == datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
    assert reading.clock is not None
    assert reading.clock.status is ClockStatus.READY
    await org.advance("1 week")
    assert dict(await ended(org))[never] == START + 32 * DAY


async def test_time_waits_for_what_is_not_done(apart: World) -> None:
    # A task that waits for its next attempt holds the clock; so does one that is being run.
    org = await apart.org()
    await org.freeze(START)
    await due(org, 5)
    await apart.drain()
    await org.caller.run(advance_clock, AdvanceClock(START + 10 * DAY))
    system, connection = apart.system(org.id), await apart.house.as_owner()
    assert await system.run(move_clock, MoveClock())
    assert not await system.run(move_clock, MoveClock()), "what is due is not on its way yet"
    await dispatch.drain_agenda(apart.app)
    later = "UPDATE queue.pgqueuer SET execute_after = now() + interval '1 hour'"
    await connection.execute(later)
    assert not await system.run(move_clock, MoveClock())
    assert (await org.caller.look(clock_reading)).pending == 2
    await connection.execute("UPDATE queue.pgqueuer SET execute_after = now(), status = 'picked'")
    assert not await system.run(move_clock, MoveClock())
    await connection.execute("UPDATE queue.pgqueuer SET status = 'queued'")
    await connection.close()
    await apart.pass_time()
    assert [at for _, at in await ended(org)] == [START + 5 * DAY]


async def test_two_ask_for_two_ways(world: World) -> None:
    # One of them is refused, whichever it is; the clock goes where the other said.
    org = await world.org()
    await org.freeze(START)
    targets = [START + 2 * DAY, START + 3 * DAY]
    found = await asyncio.gather(
        *(org.caller.run(advance_clock, AdvanceClock(to)) for to in targets),
        return_exceptions=True,
    )
    refused = [each for each in found if isinstance(each, ClockAdvancing)]
    assert len(refused) == 1
    await world.pass_time()
    wanted = targets[found.index(refused[0]) - 1]
    assert (await org.caller.look(clock_reading)).now == wanted


async def test_two_ask_for_one_way(world: World) -> None:
    # Whoever asks twice for the same is told the same, and it is gone once.
    org = await world.org()
    command = AdvanceClock(stride("3 days"))
    await org.freeze(START)
    first, second = await asyncio.gather(*(org.caller.run(advance_clock, command) for _ in "ab"))
    assert first.clock is not None
    assert second.clock is not None
    assert first.clock.target_at == second.clock.target_at == START + 3 * DAY
    await world.pass_time()
    assert (await org.caller.look(clock_reading)).now == START + 3 * DAY


async def test_many_movers_move_once(world: World) -> None:
    # Several workers at one clock: every step is taken by one of them, every item done once.
    org = await world.org()
    await org.freeze(START)
    holds = await due(org, 1, 2, 3, 4)
    await org.caller.run(advance_clock, AdvanceClock(START + 5 * DAY))
    for _ in range(40):
        movers = (world.system(org.id).run(move_clock, MoveClock()) for _ in range(4))
        assert sum(await asyncio.gather(*movers)) <= 1
        await world.drain()
    assert await ended(org) == [
        (hold, START + day * DAY) for day, hold in enumerate(holds, start=1)
    ]
    reading = await org.caller.look(clock_reading)
    assert (reading.now, reading.clock and reading.clock.status) == (START + 5 * DAY, "ready")


class Killed(BaseException):
    """The process is gone."""


async def test_whoever_dies_on_the_way_is_followed(world: World) -> None:
    # It dies before and after every commit of the way; the way ends the same.
    org = await world.org()
    await org.freeze(START)
    holds = await due(org, 1, 2, 3)
    await org.caller.run(advance_clock, AdvanceClock(START + 4 * DAY))
    deaths = ["move_clock.after_commit", "move_clock.before_commit"] * 4

    async def mortal(point: str) -> None:
        if deaths and point == deaths[-1]:
            deaths.pop()
            raise Killed

    dying: App = replace(world.app, checkpoint=mortal)

    async def live() -> None:
        while await dispatch.move_clocks(dying):
            await world.drain()

    while deaths:
        with pytest.raises(Killed):
            await live()
        await world.drain()
    await world.pass_time()
    assert await ended(org) == [
        (hold, START + day * DAY) for day, hold in enumerate(holds, start=1)
    ]


async def test_real_time_until_first_advanced(world: World) -> None:
    # An organization without a clock is stopped where it is, and set out from there.
    org = await world.org()
    before = datetime.now(UTC)
    assert (await org.caller.look(clock_reading)).clock is None
    await org.advance("2 days")
    reading = await org.caller.look(clock_reading)
    assert before + 2 * DAY <= reading.now <= datetime.now(UTC) + 2 * DAY
    await org.caller.run(release_clock, ReleaseClock())
    assert (await org.caller.look(clock_reading)).now <= datetime.now(UTC)
    await org.caller.run(release_clock, ReleaseClock())
    await org.freeze()
    names = [
        each.name
        for each in (
            await org.caller.look(
                audit, Page(size=9, is_cursor=True), AuditFilters(resource_type="test_clock")
            )
        ).items
    ]
    assert names[::-1] == [
        *("test_clock.frozen", "test_clock.advancing", "test_clock.advanced"),
        *("test_clock.released", "test_clock.frozen"),
    ]


async def test_the_past_belongs_to_the_empty(world: World) -> None:
    # Where things have happened, time is not turned back; and nobody jumps ahead.
    org = await world.org()
    with pytest.raises(ClockRunsForward):
        await org.freeze(datetime.now(UTC) + DAY)
    await org.customer(token=None)
    with pytest.raises(ClockRunsForward):
        await org.freeze(START)
    await org.freeze()
    with pytest.raises(ClockRunsForward):
        await org.freeze()
    with pytest.raises(ClockRunsForward):
        await org.advance(START)


async def test_a_live_organization_lives_in_real_time(world: World) -> None:
    # Whatever is asked of its clock.
    org = await world.org()
    await world.verify(org.user_id)
    nowhere = replace(org.caller, org_id=None)
    live = await nowhere.run(
        create_organization,
        CreateOrganization(
            owner=org.user_id, name="Real", currency=Currency("usd"), mode=Mode.LIVE
        ),
    )
    caller = org.caller.as_org(live.id)
    with pytest.raises(SandboxOnly):
        await caller.run(freeze_clock, FreezeClock())
    with pytest.raises(SandboxOnly):
        await caller.run(advance_clock, AdvanceClock(stride("1 day")))
    with pytest.raises(SandboxOnly):
        await caller.run(release_clock, ReleaseClock())
    assert (await caller.look(clock_reading)).clock is None


async def test_a_writer_that_has_begun_is_waited_for(world: World) -> None:
    # What somebody is writing when the clock wants to go on is due behind nobody's back.
    org = await world.org()
    await org.freeze(START)
    wallet = await org.wallet(1_000)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(point: str) -> None:
        if point == "create_hold.before_commit":
            begun.set()
            await may_end.wait()

    caller = replace(org.caller, app=replace(world.app, checkpoint=slow))
    command = CreateHold(wallet_id=wallet.id, amount_minor=10)
    writing = asyncio.create_task(caller.run(create_hold, command))
    await begun.wait()
    await org.caller.run(advance_clock, AdvanceClock(START + DAY))
    moving = asyncio.create_task(world.system(org.id).run(move_clock, MoveClock()))
    await asyncio.sleep(0.1)
    assert not moving.done()
    may_end.set()
    assert (await writing).created_at == START
    assert await moving
    assert (await org.caller.look(clock_reading)).now == START + DAY
