"""A small storm over payments, with every other proof; the whole one is `make storm-payments`."""

import random

import pytest
from tests.e2e.payment_storm import Plan, storm_over, stormy
from tests.support.bad_line import TROUBLES, Way

PAYMENTS = 100
KILLS = 3


@pytest.mark.proof
async def test_storm_over_payments_charges_and_refunds_once() -> None:
    # Whatever the line does: no charge or refund twice or lost, nothing left to reconcile.
    plan = Plan(PAYMENTS, KILLS, random.SystemRandom().randrange(10**6))
    async with stormy(plan) as (tree, line):
        outcome = await storm_over(tree, line, plan)
        outcome.tell()
        assert outcome.wrong == [], tree.last_words()
    assert outcome.exits == {"reconcile": 0, "verify": 0}
    assert outcome.done >= PAYMENTS
    assert outcome.kills >= KILLS - 1
    troubled = {way for way, fate in line.fates if fate in TROUBLES}
    assert troubled == set(Way)
