"""Servers that really go away under the application: what everybody is told, and how it goes on."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence, Sized
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from tests.api.client import Client, Response
from tests.runtime.test_limits_redis import redis_server
from tests.support.database import Installation, installation
from tests.support.tree import children, command_line, free_ports
from tests.support.waiting import eventually
from tests.support.world import World, open_world

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId
from bursar.domain.tasks import SyncCustomer, Task
from bursar.jobs.queue_loop import QueueLoop
from bursar.jobs.schedule import measure
from bursar.runtime import limits
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.embedded import EmbeddedPostgres
from bursar.runtime.limits import RateLimiter
from bursar.runtime.queue import Claimed
from bursar.runtime.secret import Secret

pytestmark = pytest.mark.system

BUYER = {"email": "buyer@example.com", "name": "Buyer"}
TASKS = 5


@dataclass
class Stage:
    """An application, its owner at the API, and the server that can be taken from it."""

    house: Installation
    world: World
    owner: Client
    server: EmbeddedPostgres

    async def take_away(self, number: signal.Signals) -> None:
        """End the server as an operator (fast) or an accident (at once) would."""
        pid = self.server.pid()
        assert pid is not None
        sessions = children(pid)
        os.kill(pid, number)
        for _ in range(1_000):
            # The sessions of a server that was killed go a moment after it; until then they answer.
            if self.server.pid() is None and not any(map(command_line, sessions)):
                return
            await asyncio.sleep(0.02)
        pytest.fail("PostgreSQL does not end")

    async def health(self) -> tuple[int, str]:
        answer = await self.owner.get("/health")
        return answer.status, answer.json["database"]

    async def until_healthy(self) -> None:
        for _ in range(500):
            if await self.health() == (200, "connected"):
                return
            await asyncio.sleep(0.02)
        pytest.fail("it does not find its database again")

    async def until_alive(self) -> None:
        """Until this process counts as one that lives: its lock is held again."""
        free = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))"
        for _ in range(500):
            async with self.world.app.database.machine() as connection:
                if not await connection.fetchval(free, self.world.app.boot_id):
                    return
            await asyncio.sleep(0.02)
        pytest.fail("it counts as dead")

    async def leave_tasks(self) -> list[Task]:
        """Work for the worker, of no organization."""
        tasks = [SyncCustomer(CustomerId(f"cust_{uuid4()}")) for _ in range(TASKS)]
        async with self.world.app.database.machine() as connection, connection.transaction():
            await self.world.app.queue.enqueue(connection, None, tasks, timedelta(0))
        return [*tasks]


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with installation(is_durable=True) as house, open_world(house) as world:
        org = await world.org()
        settings = replace(world.app.settings, rate_limit_requests_max=1_000_000)
        api = build_api(replace(world.app, settings=settings))
        owner = Client(api).bearing(org.access_token, org.id)
        home = house.settings.data_dir.parent / "postgres"
        yield Stage(house, world, owner, EmbeddedPostgres(home))


@asynccontextmanager
async def working(world: World) -> AsyncIterator[list[Claimed]]:
    """A worker's loop, and what it has done so far."""
    done: list[Claimed] = []

    async def act(job: Claimed) -> None:
        done.append(job)

    loop = QueueLoop(world.app.queue, world.app.database, world.app.telemetry, act)
    running = asyncio.create_task(loop.run())
    try:
        yield done
        assert not running.done(), "the worker ended with the outage"
    finally:
        loop.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(running, timeout=10)


def _counts(heard: Sized, least: int) -> bool:
    return len(heard) >= least


def ran(jobs: Sequence[Claimed]) -> list[Task]:
    """What was asked for."""
    return [job.task for job in jobs]


def is_put_off(answer: Response) -> bool:
    """Whether somebody is asked to come back, and nothing else is said."""
    said = answer.status, answer.error["code"], answer.headers.get("retry-after")
    return said == (503, "SERVICE_UNAVAILABLE", "1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_postgresql_goes_and_comes_back(stage: Stage, number: signal.Signals) -> None:
    # Health 503, requests 503, workers pause; once it is back the same processes go on, and the
    # same request with the same key has its one effect.
    key = f"buyer-{number.name}"
    left = await stage.leave_tasks()
    await stage.take_away(number)
    async with working(stage.world) as done:
        assert await stage.health() == (503, "disconnected")
        assert (await stage.owner.get("/health/live")).status == 200
        assert (await stage.owner.get("/health/ready")).status == 503
        assert is_put_off(await stage.owner.get("/v1/customers"))
        assert is_put_off(await stage.owner.post("/v1/customers", BUYER, idempotency_key=key))
        assert done == []
        await stage.server.ensure_running()
        await stage.until_healthy()
        await stage.until_alive()
        made = [
            await stage.owner.post("/v1/customers", BUYER, idempotency_key=key) for _ in range(2)
        ]
        assert [answer.status for answer in made] == [201, 201]
        assert made[0].value["id"] == made[1].value["id"]
        await eventually(lambda: all(task in ran(done) for task in left), seconds=20)
    assert [ran(done).count(task) for task in left] == [1] * TASKS
    assert {job.deaths for job in done} == {0}


async def test_an_outage_that_lasts_is_rung_for(stage: Stage) -> None:
    # What a worker tells of its rounds stands still, which is what QueueProcessingStopped looks at.
    def pulse() -> float:
        told = stage.world.app.telemetry.exposition().decode()
        (line,) = [each for each in told.splitlines() if each.startswith("worker_pulse_seconds")]
        return float(line.split()[-1])

    await measure(stage.world.app)
    before = pulse()
    await stage.take_away(signal.SIGKILL)
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            await measure(stage.world.app)
    assert pulse() == before
    await stage.server.ensure_running()
    await stage.until_healthy()
    await measure(stage.world.app)
    assert pulse() > before


async def test_postgresql_is_taken_away_under_load(stage: Stage) -> None:
    # What was acknowledged is there afterwards, once. Who asks again while the fate of the first
    # request is not known yet hears 409, else 503; and each of them hears 201 in the end.
    heard: dict[str, str] = {}
    statuses: set[int] = set()
    stopping = asyncio.Event()

    async def write(number: int) -> None:
        while not stopping.is_set():
            key = f"load-{number}-{len(heard)}-{uuid4()}"
            for _ in range(200):
                answer = await stage.owner.post("/v1/customers", BUYER, idempotency_key=key)
                statuses.add(answer.status)
                if answer.status == 201:
                    heard[key] = answer.value["id"]
                    break
                await asyncio.sleep(0.05)
            assert key in heard, "it was never done"

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(number)) for number in range(4)]
        for taken in range(1, 4):
            await eventually(partial(_counts, heard, 5 * taken), seconds=60)
            await stage.take_away(signal.SIGKILL)
            await stage.server.ensure_running()
            await stage.until_healthy()
            await stage.until_alive()
        stopping.set()
    assert all(writer.done() for writer in writers)
    assert len(set(heard.values())) == len(heard)
    assert statuses <= {201, 409, 503}
    for customer_id in heard.values():
        assert (await stage.owner.get(f"/v1/customers/{customer_id}")).status == 200


async def test_redis_goes_and_comes_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # Health stays 200 and tells; requests that need the database alone go on all the while.
    monkeypatch.setattr(limits, "_ALONE_SECONDS", 0.2)
    port, _ = free_ports()
    url = Secret(f"redis://127.0.0.1:{port}/0")
    app = stage.world.app
    limiter = RateLimiter(url, app.telemetry.limits_shared)
    shared = replace(app, settings=replace(app.settings, redis_url=url), limiter=limiter)
    owner = replace(stage.owner, app=build_api(shared))

    async def seen() -> tuple[int, str, int]:
        made = await owner.post("/v1/customers", BUYER, idempotency_key=f"{uuid4()}")
        health = await owner.get("/health")
        return health.status, health.json["redis"], made.status

    try:
        async with redis_server(port):
            assert await seen() == (200, "connected", 201)
        assert await seen() == (200, "disconnected", 201)
        async with redis_server(port):
            await asyncio.sleep(0.5)
            assert await seen() == (200, "connected", 201)
    finally:
        await limiter.close()
