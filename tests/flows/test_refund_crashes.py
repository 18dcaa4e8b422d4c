"""Every verb about refunds and stored methods dies at each of its points, and is done once."""

import pytest
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, happens_once
from tests.flows.method_errands import METHOD_ERRANDS
from tests.flows.refund_errands import REFUND_ERRANDS

FILES = (
    *("refund_payment.", "confirm_refund."),
    *("sync_method.", "save_method.", "confirm_setups.", "payment_methods."),
)


@pytest.mark.parametrize("errand", REFUND_ERRANDS + METHOD_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and the books agree.
    await happens_once(stage, tour, errand)


def test_every_point_about_refunds_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    assert tour.missed(FILES) == set()
