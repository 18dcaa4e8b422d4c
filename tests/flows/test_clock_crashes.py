"""Every verb about test clocks dies at each of its points, and what it does is done once."""

import pytest
from tests.flows.clock_errands import CLOCK_ERRANDS
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, happens_once

FILES = (
    "test_clocks.",
    "dispatch.move_clock.",
    "dispatch.fold_figures.",
    "dispatch.tell_checkpoint.",
)


@pytest.mark.parametrize("errand", CLOCK_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and the books agree.
    await happens_once(stage, tour, errand)


def test_every_point_about_clocks_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    assert tour.missed(FILES) == set()
