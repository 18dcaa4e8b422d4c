"""Subscriptions in the books: random lives, billed now and then, come out as they should."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import asyncpg
import pytest
from tests.support.billing import Shop, a_shop, at
from tests.support.world import World

from bursar.domain.agreements import Proration
from bursar.domain.catalog import Plan
from bursar.domain.discounts import CouponDuration
from bursar.domain.ids import CouponId, SubscriptionId, uuid_of
from bursar.domain.pricing import BillingInterval
from bursar.domain.refusals import Refusal
from bursar.domain.subscriptions import Subscription
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.subscriptions import (
    CancelSubscription,
    ChangePlan,
    StepSubscription,
    TrialWish,
    UpdateSubscription,
    cancel_subscription,
    change_plan,
    pause_subscription,
    reactivate_subscription,
    resume_subscription,
    update_subscription,
)
from bursar.reads.subscriptions import subscription as subscription_look
from bursar.reads.verify import checks

STEPS = 14
LINES = """
    SELECT l.kind, l.amount_minor, l.invoice_id, l.period_start_at, l.period_end_at
    FROM pending_lines AS l WHERE l.subscription_id = $1 ORDER BY l.id
"""
COVERED = """
    SELECT start_at, end_at, kind FROM billed_periods
    WHERE subscription_id = $1 AND release_id = '00000000-0000-0000-0000-000000000000'
    ORDER BY start_at
"""
INVOICED = """
    SELECT
        coalesce(sum(l.amount_minor), 0)::bigint AS gross,
        coalesce(sum(l.amount_minor - l.discount_minor), 0)::bigint AS net
    FROM invoice_lines AS l
    JOIN invoices AS i ON i.org_id = l.org_id AND i.id = l.invoice_id
    WHERE l.subscription_id = $1 AND i.status <> 'void'
"""


@dataclass
class Life:
    """One subscription that things happen to."""

    shop: Shop
    plans: list[Plan]
    coupons: list[CouponId]
    id: SubscriptionId
    random: Random
    done: list[str] = field(default_factory=list)

    async def found(self) -> Subscription:
        return await self.shop.org.caller.look(subscription_look, self.id)

    async def happen(self) -> None:
        """Some time goes by, billing comes or does not, and somebody does something."""
        hours = self.random.choice([0, 0, 1, 30, 200, 900])
        await self.shop.set_clock(self.shop.now + timedelta(hours=hours))
        if self.random.random() < 0.6:
            await self.bill()
        act = self.random.choice(ACTS)
        try:
            await act(self)
        except Refusal as refusal:
            self.done.append(f"{act.__name__}: {refusal.reason}")
        else:
            self.done.append(f"{self.shop.now:%m-%d %H} {act.__name__}")

    async def bill(self) -> None:
        while due := await self.shop.due():
            for each in due:
                await self.shop.bill(each)

    async def another_plan(self) -> None:
        plan = self.random.choice(self.plans)
        mode = self.random.choice([*Proration, Proration.CREATE])
        command = ChangePlan(subscription_id=self.id, plan_id=plan.id, proration=mode)
        await self.shop.org.caller.run(change_plan, command)

    async def more_or_less(self) -> None:
        quantity = self.random.randint(1, 5)
        command = UpdateSubscription(subscription_id=self.id, quantity=quantity)
        await self.shop.org.caller.run(update_subscription, command)

    async def other_coupons(self) -> None:
        wanted = tuple(self.random.sample(self.coupons, self.random.randint(0, 2)))
        command = UpdateSubscription(subscription_id=self.id, coupon_ids=wanted)
        await self.shop.org.caller.run(update_subscription, command)

    async def rest(self) -> None:
        await self.shop.org.caller.run(pause_subscription, StepSubscription(self.id))

    async def go_on(self) -> None:
        await self.shop.org.caller.run(resume_subscription, StepSubscription(self.id))

    async def end(self) -> None:
        command = CancelSubscription(
            subscription_id=self.id,
            at_period_end=self.random.random() < 0.5,
            is_credited=self.random.random() < 0.5,
        )
        await self.shop.org.caller.run(cancel_subscription, command)

    async def regret(self) -> None:
        await self.shop.org.caller.run(reactivate_subscription, StepSubscription(self.id))


Act = Callable[[Life], Awaitable[None]]
ACTS: list[Act] = [
    *(Life.another_plan, Life.another_plan, Life.more_or_less, Life.other_coupons),
    *(Life.rest, Life.go_on, Life.go_on, Life.end, Life.regret, Life.regret),
]


async def ask(world: World, query: str, subscription_id: SubscriptionId) -> list[Any]:
    connection: asyncpg.Connection[asyncpg.Record] = await world.house.as_owner()
    try:
        return await connection.fetch(query, uuid_of(subscription_id))
    finally:
        await connection.close()


async def a_life(world: World, seed: int) -> Life:
    random = Random(seed)
    shop = await a_shop(world, "2026-01-31")
    plans = [
        await shop.seats(3_100),
        await shop.seats(99_999),
        await shop.plan(120_000, interval=BillingInterval.YEAR),
    ]
    trial = random.choice([None, None, at("2026-02-10")])
    more: dict[str, Any] = {} if trial is None else {"trial": TrialWish(trial)}
    offers = (
        CreateCoupon(name="C", duration=duration, metadata={}, **terms)
        for duration, terms in (
            (CouponDuration.FOREVER, {"percent_off": Decimal(20)}),
            (CouponDuration.ONCE, {"amount_off_minor": 1_550}),
            (CouponDuration.FOREVER, {"percent_off": Decimal("33.3333")}),
        )
    )
    coupons = [(await shop.org.caller.run(create_coupon, each)).id for each in offers]
    given = tuple(random.sample(coupons, random.randint(0, 2)))
    quantity = random.randint(1, 3)
    made = await shop.subscribe(plans[0], quantity=quantity, coupon_ids=given, **more)
    return Life(shop, plans, coupons, made.id, random)


async def check(world: World, life: Life) -> None:
    """Everything is billed, once; what is covered has neither gap nor overlap."""
    lines = await ask(world, LINES, life.id)
    taken = sum(each["amount_minor"] for each in lines if each["invoice_id"] is not None)
    (invoiced,) = await ask(world, INVOICED, life.id)
    assert invoiced["gross"] == taken, life.done
    waits = sum(each["amount_minor"] for each in lines if each["invoice_id"] is None)
    assert invoiced["net"] + waits >= 0, life.done  # nobody got back more than they paid
    waiting = [each for each in lines if each["invoice_id"] is None]
    assert all(each["kind"] == "proration" for each in waiting), life.done
    covered = await ask(world, COVERED, life.id)
    found = await life.found()
    if not lines:
        return  # it ended in its trial
    assert covered[0]["start_at"] == found.started_at, life.done
    assert all(one["end_at"] == two["start_at"] for one, two in pairwise(covered)), life.done
    if found.is_running:
        assert covered[-1]["end_at"] == found.period.end, life.done
    wrong = await life.shop.world.operator(life.shop.org.id).look(checks)
    bad = [(each.name, each.offenders) for each in wrong if not each.is_good]
    assert [each for each in bad if "test_clock" not in str(each)] == [], life.done


async def live(world: World, seed: int) -> None:
    life = await a_life(world, seed)
    for _ in range(STEPS):
        await life.happen()
    await life.bill()
    await check(world, life)


@pytest.mark.parametrize("seed", range(4))
async def test_a_random_life(world: World, seed: int) -> None:
    # Whoever comes first, the customer or the worker.
    await live(world, seed)


@pytest.mark.proof
async def test_many_random_lives(world: World) -> None:
    # The same, many times.
    for seed in range(4, 40):
        await live(world, seed)


async def test_another_interval_on_the_first_day(world: World) -> None:
    # The month that was billed is given back whole, and the year begins where it did.
    shop = await a_shop(world)
    month, year = await shop.seats(3_100), await shop.plan(30_000, interval=BillingInterval.YEAR)
    made = await shop.subscribe(month)
    await shop.bill(made.id)
    await shop.org.caller.run(change_plan, ChangePlan(subscription_id=made.id, plan_id=year.id))
    await shop.bill(made.id)
    assert [each.total.minor for each in await shop.invoices()] == [3_100, 26_900]
    assert await shop.periods(made.id) == [("fee", "2026-01-01", "2027-01-01", 30_000)]
