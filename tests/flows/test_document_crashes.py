"""Every verb about documents dies at each of its points, and is done once."""

import pytest
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Tour, happens_once
from tests.flows.document_errands import DOCUMENT_ERRANDS

FILES = (
    "recurring_invoices.",
    "issue_recurring.",
    "send_invoice.",
    "document_settings.",
    "hosted.",
    "invoices.revoke_invoice_link.",
    "assess_taxes.",
    "print_document.",
)


@pytest.mark.parametrize("errand", DOCUMENT_ERRANDS, ids=lambda each: each.__name__)
async def test_an_errand_is_done_once(errand: Arrange, stage: Stage, tour: Tour) -> None:
    # Wherever the process dies, the repetition does it or finds it done, and everything agrees.
    await happens_once(stage, tour, errand)


def test_every_point_was_hit(tour: Tour) -> None:
    # The points come from the source: a verb nobody kills here would be a hole.
    assert tour.missed(FILES) == set()
