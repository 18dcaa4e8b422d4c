"""A small storm over transfers, with every other proof; the whole one is `make storm-transfers`."""

import random

import pytest
from tests.e2e.transfer_storm import Plan, storm_over
from tests.support.tree import running

TRANSFERS = 1_000
KILLS = 6


@pytest.mark.proof
async def test_storm_over_transfers_loses_no_amount() -> None:
    # Whatever was acknowledged is there once, and wallets hold together what was deposited.
    seed = random.SystemRandom().randrange(10**6)
    async with running() as tree:
        outcome = await storm_over(tree, Plan(TRANSFERS, KILLS, seed))
        outcome.tell()
        assert outcome.wrong == [], tree.last_words()
    assert len(outcome.told) == TRANSFERS
    assert outcome.kills >= KILLS
