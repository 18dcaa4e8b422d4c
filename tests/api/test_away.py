"""When the database is away, the API says so and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NoReturn

import pytest
from tests.api.client import Client
from tests.support.database import Installation
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.main import Strangers, build
from bursar.runtime import probing
from bursar.runtime.probing import Probe

POOL = 10


@pytest.fixture
async def cut_off(world: World, house: Installation) -> AsyncIterator[Client]:
    """The API of a process whose connections are gone."""
    strangers = Strangers(world.app.providers, world.postman, world.mailbox)
    opened = build(house.settings, part="cut-off", app_url=house.app_url, strangers=strangers)
    async with opened as app:
        await app.database.close()
        app.probe.close()
        yield Client(build_api(app))


async def test_probes_tell_the_truth(cut_off: Client) -> None:
    # The process lives and is not ready; what it stands on is named.
    health = await cut_off.get("/health")
    assert (health.status, health.json) == (
        503,
        {"status": "unavailable", "database": "disconnected", "redis": "disabled"},
    )
    assert (await cut_off.get("/health/ready")).status == 503
    assert (await cut_off.get("/health/live")).status == 200
    assert (await cut_off.get("/docs")).status == 200


async def test_probes_do_not_stand_in_the_queue(anyone: Client, world: World) -> None:
    # Every connection is busy, and PostgreSQL is well: probes are told so, soon, however many ask.
    async with AsyncExitStack() as held, asyncio.timeout(10):
        for _ in range(POOL):
            await held.enter_async_context(world.app.database.machine())
        asked = ("/health", "/health/ready", "/health/live") * 30
        async with asyncio.timeout(1):
            answers = await asyncio.gather(*(anyone.get(path) for path in asked))
        assert {answer.status for answer in answers} == {200}
        assert answers[0].json["database"] == "connected"


async def test_a_silent_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # PostgreSQL takes the connection and says nothing: no, within the time that a probe has.
    monkeypatch.setattr(probing, "_SECONDS", 0.2)

    async def connect() -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    probe = Probe(connect)
    async with asyncio.timeout(1):
        assert await asyncio.gather(*(probe.is_answered() for _ in range(3))) == [False] * 3
    probe.close()
    assert not await probe.is_answered()


async def test_requests_are_put_off(cut_off: Client, org: Org) -> None:
    # Reads and writes, by person and by key, are a 503 with a time to come back.
    owner = cut_off.bearing(org.access_token, org.id)
    body = {"email": "a@example.com", "name": "A"}
    for answer in (
        await owner.get("/v1/customers"),
        await owner.post("/v1/customers", body, idempotency_key="k"),
        await cut_off.post("/v1/auth/login", {"email": "a@example.com", "password": "x"}),
    ):
        assert (answer.status, answer.error["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"
