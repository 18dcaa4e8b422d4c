"""What every tour of crashes begins with; each module has a stage and a tour of its own."""

from collections.abc import AsyncIterator

import pytest
from tests.flows.crash_lane import quiet
from tests.flows.crash_stage import Stage, open_stage
from tests.flows.crash_tour import Tour
from tests.support.database import Installation, beside


@pytest.fixture(scope="module")
async def stage(house: Installation) -> AsyncIterator[Stage]:
    """An application with a database of its own: its queue is emptied now and then."""
    with quiet():
        async with beside(house) as apart, open_stage(apart) as made:
            yield made


@pytest.fixture(scope="module")
def tour() -> Tour:
    """What the module's errands do and find."""
    return Tour()
