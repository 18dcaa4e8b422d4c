"""Every act of people at the door dies at each of its points, and what it does is done once."""

import pytest
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, happens_once
from tests.flows.people_errands import PEOPLE_ERRANDS

FILES = ("sign_in.", "keep_account.", "send_email.", "account.")


@pytest.mark.parametrize("errand", PEOPLE_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and the books agree.
    await happens_once(stage, tour, errand)


def test_every_point_about_people_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    assert tour.missed(FILES) == set()
