"""The store's tests run on every PostgreSQL we promise: the wheel's, and an installed 15.

What needs the Debian package is marked `system` and runs with `make test-system`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.database import Installation, installation
from tests.support.world import World, open_world

from bursar.runtime.app import App
from bursar.runtime.postgres_binaries import binaries


@pytest.fixture(
    scope="session",
    params=[pytest.param(None, id="newest"), pytest.param(15, id="15", marks=pytest.mark.system)],
)
async def house(request: pytest.FixtureRequest) -> AsyncIterator[Installation]:
    """A migrated PostgreSQL of each version."""
    major: int | None = request.param
    bindir: Path | None = None if major is None else binaries(major)
    async with installation(bindir) as made:
        yield made


@pytest.fixture(scope="session")
async def world(house: Installation) -> AsyncIterator[World]:
    """The application on this version."""
    async with open_world(house) as made:
        yield made


@pytest.fixture(scope="session")
async def app(world: World) -> App:
    """The application itself."""
    return world.app
