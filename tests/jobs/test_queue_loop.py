"""The loop over the queues: bounded, fenced, retried, handed back; nothing ends it but a stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import structlog
from structlog.testing import LogCapture
from tests.support.waiting import eventually
from tests.support.world import World

from bursar.domain.ids import CustomerId
from bursar.domain.refusals import ProviderFailed, TaskSuperseded
from bursar.domain.tasks import QUEUE_RULES, Queue, SyncCustomer
from bursar.jobs import queue_loop
from bursar.jobs.queue_loop import QueueLoop
from bursar.runtime.app import App
from bursar.runtime.connections import Connection, DatabaseAway
from bursar.runtime.logging import carry
from bursar.runtime.queue import Claimed, Verdict

CUSTOMER = CustomerId("cust_0190a000-0000-7000-8000-000000000000")
Act = Callable[[Claimed], Awaitable[None]]


@pytest.fixture
async def bare(world: World) -> AsyncIterator[App]:
    """The application with empty queues before and after."""
    await _empty(world)
    yield world.app
    await _empty(world)


async def _empty(world: World) -> None:
    owner = await world.house.as_owner()
    try:
        await owner.execute("DELETE FROM queue.claims")
        await owner.execute("DELETE FROM queue.pgqueuer")
    finally:
        await owner.close()


async def leave(app: App, count: int) -> None:
    async with app.database.machine() as connection, connection.transaction():
        tasks = [SyncCustomer(CUSTOMER)] * count
        await app.queue.enqueue(connection, None, tasks, timedelta(0))


async def load(app: App) -> tuple[int, int]:
    """Jobs of the payments queue: waiting, running."""
    async with app.database.machine() as connection:
        (found,) = [
            depth for depth in await app.queue.depth(connection) if depth.queue is Queue.PAYMENTS
        ]
    return found.waiting, found.running


@asynccontextmanager
async def looping(app: App, act: Act) -> AsyncIterator[QueueLoop]:
    loop = QueueLoop(app.queue, app.database, app.telemetry, act)
    running = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        loop.stop()
        await asyncio.wait_for(running, 15)


async def test_no_more_at_once_than_the_rule_allows(bare: App) -> None:
    # All jobs run, never more of one queue together than its rule says.
    now, most, done = 0, 0, 0

    async def act(_job: Claimed) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        done += 1

    await leave(bare, 9)
    async with looping(bare, act):
        await eventually(lambda: done == 9)
    assert most == QUEUE_RULES[Queue.PAYMENTS].concurrency
    assert await load(bare) == (0, 0)


async def test_a_job_has_one_line_that_says_how_it_went(
    bare: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Done or failed: queue, task, outcome, how long, which attempt; never what went wrong.
    async def act(job: Claimed) -> None:
        if job.attempts == 0 and job.claim.job_id % 2:
            raise ProviderFailed("no answer")

    kept = LogCapture()  # a logger of its own: others may have set the level for all of them
    level = structlog.make_filtering_bound_logger(0)
    log = structlog.wrap_logger(None, [carry, kept], wrapper_class=level)
    monkeypatch.setattr(queue_loop, "log", log)
    await leave(bare, 2)
    async with looping(bare, act):
        await eventually(
            lambda: len([one for one in kept.entries if one["event"] == "job.ended"]) == 2
        )
    told = [one for one in kept.entries if one["event"] == "job.ended"]
    assert {one["outcome"] for one in told} == {"done", "retried"}
    for one in told:
        assert (one["queue"], one["task"], one["attempts"]) == ("payments", "SyncCustomer", 1)
        assert one["duration_ms"] >= 0
        assert one["job_id"]
        assert "reason" not in one


@pytest.mark.parametrize("fault", [ProviderFailed("no answer"), ZeroDivisionError("a bug")])
async def test_a_failed_job_waits_for_its_next_attempt(bare: App, fault: Exception) -> None:
    # Whatever went wrong, the job is put off by its queue's rule and the loop goes on.
    tried = 0

    async def act(_job: Claimed) -> None:
        nonlocal tried
        tried += 1
        raise fault

    await leave(bare, 2)
    async with looping(bare, act):
        await eventually(lambda: tried == 2)
    assert await load(bare) == (2, 0)


async def test_a_superseded_job_is_left_to_its_new_owner(bare: App) -> None:
    # Its token is stale: it is neither finished nor failed here.
    tried = 0

    async def act(_job: Claimed) -> None:
        nonlocal tried
        tried += 1
        raise TaskSuperseded("taken over")

    await leave(bare, 1)
    async with looping(bare, act):
        await eventually(lambda: tried == 1)
    assert await load(bare) == (0, 1)


async def test_what_does_not_finish_is_handed_back(
    bare: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stop waits a moment, then gives the job to another worker at once, without an attempt.
    monkeypatch.setattr(queue_loop, "_FINISH_SECONDS", 0.1)
    began = asyncio.Event()
    attempts: list[int] = []

    async def hang(job: Claimed) -> None:
        attempts.append(job.attempts)
        began.set()
        await asyncio.sleep(60)

    await leave(bare, 1)
    for _ in range(2):
        began.clear()
        async with looping(bare, hang):
            await asyncio.wait_for(began.wait(), 10)
        assert await load(bare) == (1, 0)
    assert attempts == [0, 0]


async def test_a_job_that_was_taken_over_is_dropped(
    bare: App, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The heartbeat learns that the claim is gone, and the job's work here ends at once.
    monkeypatch.setattr(queue_loop, "_HEARTBEAT_SECONDS", 0.05)
    began, ended = asyncio.Event(), asyncio.Event()

    async def hang(_job: Claimed) -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    await leave(bare, 1)
    async with looping(bare, hang):
        await asyncio.wait_for(began.wait(), 10)
        await asyncio.sleep(0.2)
        assert not ended.is_set()
        owner = await world.house.as_owner()
        try:
            await owner.execute("UPDATE queue.claims SET token = gen_random_uuid()")
        finally:
            await owner.close()
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_bell_brings_work_sooner_than_the_poll(
    bare: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever leaves work rings; nobody waits for the poll.
    monkeypatch.setattr(queue_loop, "_POLL_SECONDS", 60)
    done = asyncio.Event()

    async def act(_job: Claimed) -> None:
        done.set()

    async with looping(bare, act) as loop:
        await asyncio.sleep(0.3)
        await leave(bare, 1)
        loop.bell.set()
        await asyncio.wait_for(done.wait(), 5)


async def test_a_job_that_hangs_is_cut_off(bare: App, monkeypatch: pytest.MonkeyPatch) -> None:
    # Past its deadline a job has failed: it waits for its next attempt, and others get its hands.
    monkeypatch.setattr(queue_loop, "_DEADLINE_SECONDS", 0.1)
    tried = 0

    async def hang(_job: Claimed) -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(60)

    await leave(bare, 4)
    async with looping(bare, hang):
        await eventually(lambda: tried == 4)
        await asyncio.sleep(0.3)
        assert await load(bare) == (4, 0)


async def test_a_failure_told_late_is_no_death(bare: App, monkeypatch: pytest.MonkeyPatch) -> None:
    # PostgreSQL goes away just as a job fails: the failure is written down when it is back.
    failing, is_away = bare.queue.fail, True

    async def fail(connection: Connection, job: Claimed, error: Exception) -> Verdict:
        nonlocal is_away
        if is_away:
            is_away = False
            raise DatabaseAway("gone for a moment")
        return await failing(connection, job, error)

    async def act(_job: Claimed) -> None:
        raise ProviderFailed("no answer")

    monkeypatch.setattr(bare.queue, "fail", fail)
    await leave(bare, 1)
    async with looping(bare, act):
        await eventually(lambda: not is_away)
        await asyncio.sleep(1)
    assert await load(bare) == (1, 0)
