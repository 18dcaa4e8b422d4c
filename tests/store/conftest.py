"""The store's tests run on every PostgreSQL we promise: the wheel's, and an installed 15.

They look at every table, hold locks and put triggers: they work in a database of their own. What
needs the Debian package is marked `system` and runs with `make test-system`.
"""

from collections.abc import AsyncIterator

import pytest
from tests.support.database import Installation, beside, installation
from tests.support.world import World, open_world

from bursar.runtime.app import App
from bursar.runtime.postgres_binaries import binaries


@pytest.fixture(scope="session")
async def newest(cluster: Installation) -> AsyncIterator[Installation]:
    """A migrated database on the wheel's PostgreSQL, which the whole process shares."""
    async with beside(cluster) as made:
        yield made


@pytest.fixture(scope="session")
async def installed() -> AsyncIterator[Installation]:
    """A migrated PostgreSQL 15, made for these tests."""
    async with installation(binaries(15)) as made:
        yield made


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("newest", id="newest"),
        pytest.param("installed", id="15", marks=pytest.mark.system),
    ],
)
def house(request: pytest.FixtureRequest) -> Installation:
    """A migrated database of each version."""
    made: Installation = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="session")
async def world(house: Installation) -> AsyncIterator[World]:
    """The application on this version."""
    async with open_world(house) as made:
        yield made


@pytest.fixture(scope="session")
async def app(world: World) -> App:
    """The application itself."""
    return world.app
