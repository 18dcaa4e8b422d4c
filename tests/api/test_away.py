"""When the database is away, the API says so and nothing else."""

from collections.abc import AsyncIterator

import pytest
from tests.api.client import Client
from tests.support.database import Installation
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.main import Strangers, build


@pytest.fixture
async def cut_off(world: World, house: Installation) -> AsyncIterator[Client]:
    """The API of a process whose connections are gone."""
    strangers = Strangers(world.app.providers, world.postman, world.mailbox)
    opened = build(house.settings, part="cut-off", app_url=house.app_url, strangers=strangers)
    async with opened as app:
        await app.database.close()
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
