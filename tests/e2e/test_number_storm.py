"""A small storm over numbers, with every other proof; the whole one is `make storm-numbers`."""

import random

import pytest
from tests.e2e.number_storm import Plan, storm_over
from tests.support.tree import running

from bursar.domain.numbering import NumberScope

INVOICES = 80
KILLS = 2


@pytest.mark.proof
async def test_storm_over_numbers_leaves_no_gap() -> None:
    # In one series and in one for each customer, whatever is voided, refused and killed meanwhile.
    async with running() as tree:
        for scope in NumberScope:
            seed = random.SystemRandom().randrange(10**6)
            outcome = await storm_over(tree, Plan(INVOICES, KILLS, scope, seed))
            outcome.tell()
            assert outcome.wrong == [], tree.last_words()
            assert len(outcome.told) == INVOICES
            assert outcome.kills >= KILLS
