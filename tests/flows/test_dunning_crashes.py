"""Every verb of dunning and of money recorded by hand dies at each of its points, done once."""

import pytest
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, happens_once
from tests.flows.dunning_errands import DUNNING_ERRANDS

FILES = (
    "dunning.",
    "advance_dunning.",
    "invoice_payments.record_payment.",
    "invoices.write_off_invoice.",
)


@pytest.mark.parametrize("errand", DUNNING_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and everything agrees.
    await happens_once(stage, tour, errand)


def test_every_point_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    assert tour.missed(FILES) == set()
