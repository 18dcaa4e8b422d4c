"""What comes round by itself: at its time, at once while there is more, again after a failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bursar.domain.ids import CustomerId, print_id
from bursar.domain.tasks import SyncCustomer
from bursar.jobs import schedule
from bursar.jobs.dispatch import set_jobs_right
from bursar.jobs.schedule import Pass, keep_schedule, measure, schedule_of, spread_wake
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.ids import new_uuid


@asynccontextmanager
async def keeping(app: App, *passes: Pass) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(keep_schedule(app, passes, stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(task, 10)


def counted(answers: list[bool | Exception]) -> tuple[list[float], Callable[[], Awaitable[bool]]]:
    """A pass that plays the answers, then finds nothing; and the moments at which it ran."""
    moments: list[float] = []

    async def act() -> bool:
        moments.append(asyncio.get_running_loop().time())
        answer = answers.pop(0) if answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    return moments, act


async def test_more_work_is_fetched_at_once_and_none_is_waited_for(app: App) -> None:
    # While there is more it comes back at once; then only at its time.
    moments, act = counted([True, True, True])
    async with keeping(app, Pass("x", 30, act)):
        await asyncio.sleep(0.3)
    assert len(moments) == 4


async def test_a_failing_pass_comes_round_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    # A bug and an absent database cost one round each, and no other pass.
    monkeypatch.setattr(schedule, "_AFTER_FAILURE_SECONDS", 0.05)
    moments, act = counted([ZeroDivisionError("a bug"), DatabaseAway("gone")])
    others, other = counted([])
    async with keeping(app, Pass("x", 0.05, act), Pass("y", 0.05, other)):
        for _ in range(400):  # telling of a fault takes its time
            if len(moments) > 2 and len(others) > 2:
                break
            await asyncio.sleep(0.05)
    assert len(moments) > 2
    assert len(others) > 2


async def test_one_wake_up_reaches_everybody(app: App) -> None:
    # Each waiter clears a bell of its own, so none misses what another has heard.
    woken, bells = asyncio.Event(), [asyncio.Event(), asyncio.Event()]
    spreading = asyncio.create_task(spread_wake(woken, bells))
    try:
        for _ in range(2):
            woken.set()
            async with asyncio.timeout(1):
                await asyncio.gather(*(bell.wait() for bell in bells))
            for bell in bells:
                bell.clear()
        assert not woken.is_set()
    finally:
        spreading.cancel()


async def test_a_bell_brings_a_pass_forward(app: App) -> None:
    # A pass that waits for its time runs when it is rung for.
    moments, act = counted([])
    rung = Pass("x", 60, act, is_woken=True)
    async with keeping(app, rung):
        await asyncio.sleep(0.1)
        rung.bell.set()
        await asyncio.sleep(0.1)
    assert len(moments) == 2


async def test_a_stop_lets_a_running_pass_finish(app: App) -> None:
    # What has begun is ended: a delivery underway is not sent again by the next worker.
    finished: list[bool] = []

    async def act() -> bool:
        await asyncio.sleep(0.3)
        finished.append(True)
        return False

    async with keeping(app, Pass("x", 60, act)):
        await asyncio.sleep(0.05)
    assert finished == [True]


async def test_the_table_is_whole(app: App, tmp_path: Path) -> None:
    # Everything that waits in a table of its own comes round, at the times that were promised.
    passes = schedule_of(app, Anchors(tmp_path / "anchors", app.keys))
    assert {each.name: each.every_seconds for each in passes} == {
        "agenda": 0.5,
        "clocks": 0.5,
        "print": 2,
        "relay": 0.5,
        "deliver": 0.5,
        "seal": 5,
        "checkpoint": 5,
        "reconcile": 3600,
        "measure": 5,
        "weigh": 60,
        "fold": 60,
        "figures": 5,
        "forget keys": 60,
        "forget visits": 60,
        "set right": 30,
        "forget jobs": 60,
        "forget deliveries": 3600,
    }
    assert {each.name for each in passes if each.is_woken} == {"relay"}


async def test_depths_and_lags_are_told(app: App) -> None:
    # The figures stand in the metrics after one round.
    await measure(app)
    told = app.telemetry.exposition().decode()
    for name in ("queue_depth", "queue_lag_seconds", "agenda_lag_seconds", "outbox_lag_seconds"):
        assert f"\n{name}" in told


async def test_jobs_of_a_clock_that_was_put_back_run_now(app: App) -> None:
    # The pass finds them, says how many, and wakes the worker; a second round finds none.
    async with app.database.machine() as connection:
        task = SyncCustomer(CustomerId(print_id("cust", new_uuid())))
        await app.queue.enqueue(connection, None, [task])
        job_id = await connection.fetchval(
            "UPDATE queue.pgqueuer SET updated = updated + $1, execute_after = execute_after + $1"
            " WHERE id = (SELECT max(id) FROM queue.pgqueuer) RETURNING id",
            timedelta(days=1),
        )
    with capture_logs() as lines:
        assert not await set_jobs_right(app)
        assert not await set_jobs_right(app)
    assert [(line["event"], line["jobs"]) for line in lines] == [("queue.clock_put_back", 1)]
    async with app.database.machine() as connection:
        is_due = "DELETE FROM queue.pgqueuer WHERE id = $1 RETURNING execute_after <= now()"
        assert await connection.fetchval(is_due, job_id)
