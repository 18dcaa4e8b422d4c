"""The HTTP application in process, and people who use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.api.client import Client
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.runtime.limits import RateLimiter


@asynccontextmanager
async def unlimited(world: World) -> AsyncIterator[Client]:
    """The API of a world. The limits are far away: what they do has tests of its own."""
    settings = replace(world.app.settings, rate_limit_requests_max=1_000_000)
    limiter = RateLimiter()
    yield Client(build_api(replace(world.app, settings=settings, limiter=limiter)))
    await limiter.close()


@pytest.fixture(scope="session")
async def anyone(world: World) -> AsyncIterator[Client]:
    """Somebody without a credential."""
    async with unlimited(world) as made:
        yield made


@pytest.fixture
async def org(world: World) -> Org:
    """A new organization."""
    return await world.org()


@pytest.fixture
async def owner(anyone: Client, org: Org) -> Client:
    """Its owner."""
    return anyone.bearing(org.access_token, org.id)
