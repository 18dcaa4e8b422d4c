"""Every verb about refunds and stored methods dies at each of its points, and is done once."""

from collections.abc import AsyncIterator

import pytest
from tests.flows.crash_lane import quiet
from tests.flows.crash_stage import Stage, open_stage
from tests.flows.crash_tour import Arrange, Tour, run_errand
from tests.flows.method_errands import METHOD_ERRANDS
from tests.flows.refund_errands import REFUND_ERRANDS
from tests.support.crash import known_places
from tests.support.database import installation

from bursar.reads.verify import checks

FILES = ("refund_payment.", "confirm_refund.", "sync_method.", "payment_methods.")


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """An application with a database of its own: its queue is emptied now and then."""
    with quiet():
        async with installation() as house, open_stage(house) as made:
            yield made


@pytest.fixture(scope="module")
def tour() -> Tour:
    return Tour()


@pytest.mark.parametrize("errand", REFUND_ERRANDS + METHOD_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and the books agree.
    await run_errand(stage, tour, errand)
    assert tour.findings == []
    found = await stage.world.operator(stage.org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []


def test_every_point_about_refunds_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    known = {point for point in known_places().points if point.startswith(FILES)}
    assert known
    assert known - tour.hit == set()
