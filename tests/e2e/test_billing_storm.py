"""A small storm over billing, with every other proof; the whole one is `make storm-billing`."""

import random

import pytest
from tests.e2e.billing_storm import MONTHS, WORKERS, Plan, storm_over
from tests.support.tree import running

SUBSCRIPTIONS = 24
KILLS = 6


@pytest.mark.proof
async def test_storm_over_billing_bills_each_period_once() -> None:
    # No period twice, none left out, no number missing, and `bursar verify` finds nothing.
    seed = random.SystemRandom().randrange(10**6)
    async with running(workers=WORKERS) as tree:
        outcome = await storm_over(tree, Plan(SUBSCRIPTIONS, KILLS, seed))
        outcome.tell()
        assert outcome.wrong == [], tree.last_words()
    assert outcome.invoices >= SUBSCRIPTIONS * MONTHS
    assert outcome.kills >= KILLS
