"""Each file here has a world of its own: it leaves much work undone, or looks at every row."""

from collections.abc import AsyncIterator

import pytest
from tests.api.client import Client
from tests.api.conftest import unlimited
from tests.support.database import Installation, beside
from tests.support.world import World, open_world


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """The application on a database beside the others."""
    async with beside(house) as database, open_world(database) as made:
        yield made


@pytest.fixture(scope="module")
async def anyone(world: World) -> AsyncIterator[Client]:
    """Somebody without a credential."""
    async with unlimited(world) as made:
        yield made
