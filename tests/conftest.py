"""Fixtures of the whole suite: one installation and one application per test process."""

from collections.abc import AsyncIterator

import pytest
from tests.support.database import Installation, installation
from tests.support.world import World, open_world

from bursar.runtime.app import App


@pytest.fixture(scope="session")
async def house() -> AsyncIterator[Installation]:
    """A migrated PostgreSQL."""
    async with installation() as made:
        yield made


@pytest.fixture(scope="session")
async def world(house: Installation) -> AsyncIterator[World]:
    """The application beside an in-process processor; tests found organizations of their own."""
    async with open_world(house) as made:
        yield made


@pytest.fixture(scope="session")
async def app(world: World) -> App:
    """The application itself."""
    return world.app
