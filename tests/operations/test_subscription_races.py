"""Many at once about one subscription: one after the other, and no cent is charged twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from tests.support.agreements import a_plan
from tests.support.world import World

from bursar.domain.agreements import Proration
from bursar.domain.paging import Page
from bursar.domain.pricing import PriceTerms, PricingModel
from bursar.domain.refusals import AlreadySubscribed, IllegalTransition
from bursar.operations.subscriptions import (
    ChangePlan,
    CreateSubscription,
    StepSubscription,
    UpdateSubscription,
    change_plan,
    create_subscription,
    pause_subscription,
    update_subscription,
)
from bursar.reads.subscriptions import subscription, waiting_lines

# So much that a millisecond of a month is worth some cents.
DEAR = PriceTerms(PricingModel.PER_UNIT, Decimal(10**12))
MANY = 8


async def test_changes_at_once_are_one_after_the_other(world: World) -> None:
    # Whoever comes later gives back exactly what the one before has charged, from a later moment.
    org = await world.org()
    plans = [await a_plan(org, DEAR) for _ in range(2)]
    customer = await org.customer(token=None)
    command = CreateSubscription(customer_id=customer.id, plan_id=plans[0].id)
    made = (await org.caller.run(create_subscription, command)).subscription
    changes = [
        *(
            org.caller.run(
                update_subscription, UpdateSubscription(subscription_id=made.id, quantity=quantity)
            )
            for quantity in range(2, MANY)
        ),
        *(
            org.caller.run(change_plan, ChangePlan(subscription_id=made.id, plan_id=plan.id))
            for plan in plans
        ),
    ]
    await asyncio.gather(*changes)
    found = await org.caller.look(waiting_lines, made.id, Page(size=100))
    first, *lines = [each.line for each in reversed(found.items)]
    held = first.derivation
    for credit, charge in zip(lines[::2], lines[1::2], strict=True):
        assert credit.amount.is_negative
        assert [credit.derivation[key] for key in ("planId", "quantity")] == [
            held[key] for key in ("planId", "quantity")
        ]
        assert credit.period == charge.period
        held = charge.derivation
    starts = [credit.period.start for credit in lines[::2]]
    assert all(one <= two for one, two in pairwise(starts))
    after = await org.caller.look(subscription, made.id)
    assert (after.plan_id, after.quantity) == (held["planId"], held["quantity"])


async def test_one_of_many_subscribes(world: World) -> None:
    # The same customer, the same plan, at once: one is let in, the others are told.
    org = await world.org()
    plan, customer = await a_plan(org), await org.customer(token=None)
    command = CreateSubscription(customer_id=customer.id, plan_id=plan.id)
    tries = (org.caller.run(create_subscription, command) for _ in range(MANY))
    answers = Counter(type(each) for each in await asyncio.gather(*tries, return_exceptions=True))
    assert answers[AlreadySubscribed] == MANY - 1, answers


async def test_one_of_many_pauses(world: World) -> None:
    # One gives the rest back; the others find it paused.
    org = await world.org()
    plan, customer = await a_plan(org, DEAR), await org.customer(token=None)
    command = CreateSubscription(customer_id=customer.id, plan_id=plan.id)
    made = (await org.caller.run(create_subscription, command)).subscription
    tries = (org.caller.run(pause_subscription, StepSubscription(made.id)) for _ in range(MANY))
    answers = Counter(type(each) for each in await asyncio.gather(*tries, return_exceptions=True))
    assert answers[IllegalTransition] == MANY - 1, answers
    found = await org.caller.look(waiting_lines, made.id, Page(size=100))
    assert [each.line.amount.is_negative for each in found.items] == [True, False]


async def test_whoever_is_late_makes_up_first(world: World) -> None:
    # Three periods went by and no worker came: a change finds them, each is due once, and the
    # worker who comes then finds nothing left.
    org = await world.org()
    plan = await a_plan(org, PriceTerms(PricingModel.PER_UNIT, Decimal(3100)))
    customer = await org.customer(token=None)
    command = CreateSubscription(customer_id=customer.id, plan_id=plan.id, anchor_day=1)
    made = (await org.caller.run(create_subscription, command)).subscription
    await _pretend(world, made.period.end + timedelta(days=70), org.id)
    change = UpdateSubscription(subscription_id=made.id, quantity=2, proration=Proration.NONE)
    changed = (await org.caller.run(update_subscription, change)).subscription
    assert changed.period.start > made.period.end
    found = await org.caller.look(waiting_lines, made.id, Page(size=100))
    periods = [each.line.period for each in reversed(found.items)]
    assert len(periods) == 4
    assert all(one.end == two.start for one, two in pairwise(periods))
    assert periods[-1] == changed.period


async def _pretend(world: World, at: object, org_id: str) -> None:
    """The organization's own time is another."""
    connection = await world.house.as_owner()
    try:
        await connection.execute(
            "INSERT INTO test_clocks (org_id, now_at) VALUES ($1, $2)", org_id[4:], at
        )
    finally:
        await connection.close()
