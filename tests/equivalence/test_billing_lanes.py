"""Two lanes, one law: the billing run leaves the same rows, one by one or many together."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.equivalence.dumps import dump
from tests.support.agreements import a_meter
from tests.support.billing import Shop, a_shop, at
from tests.support.world import World

from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.discounts import Coupon, CouponDuration
from bursar.domain.ids import uuid_of
from bursar.domain.meters import Aggregation
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.subscriptions import (
    CancelSubscription,
    UpdateSubscription,
    cancel_subscription,
    update_subscription,
)

START = "2026-01-10"
TIERS = (Tier(10, Decimal("2.5")), Tier(None, Decimal("0.75"), Decimal(100)))


@dataclass(frozen=True)
class Life:
    """One subscription: to which plan, how many, with what coupon, and what happens to it."""

    plan: int
    quantity: int
    coupon: int | None
    used: tuple[tuple[int, int], ...]  # day, quantity
    late: tuple[tuple[int, int], ...]
    seats_later: int | None
    ends: bool


LIVES = st.lists(
    st.builds(
        Life,
        plan=st.integers(0, 3),
        quantity=st.integers(1, 3),
        coupon=st.none() | st.integers(0, 2),
        used=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=4).map(tuple),
        late=st.lists(st.tuples(st.integers(0, 25), st.integers(1, 9)), max_size=2).map(tuple),
        seats_later=st.none() | st.integers(1, 5),
        ends=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


async def live(shop: Shop, lives: list[Life], run: Callable[[Shop], Awaitable[None]]) -> None:
    """A few months of an organization, billed by one of the lanes.

    A customer has each plan once: lives of different plans are those of one customer.
    """
    meter = await a_meter(shop.org, Aggregation.SUM)
    graduated = PriceTerms(PricingModel.GRADUATED, tiers=TIERS, meter_id=meter.id)
    yearly = BillingInterval.YEAR
    plans = [
        await shop.plan(4_900),
        await shop.plan(0, graduated, trial_days=14),
        await shop.plan(99_000, graduated, interval=yearly),
        await shop.seats(1_250, graduated),
    ]
    caller = shop.org.caller
    coupons = await _coupons(shop)
    begun, taken, buyers = [], Counter[int](), list[Customer]()
    for life in lives:
        given_coupons = () if life.coupon is None else (coupons[life.coupon].id,)
        if taken[life.plan] == len(buyers):
            buyers.append(await shop.org.customer(token=None))
        buyer = buyers[taken[life.plan]]
        taken[life.plan] += 1
        begun.append(
            await shop.subscribe(
                plans[life.plan], buyer, quantity=life.quantity, coupon_ids=given_coupons
            )
        )
    await run(shop)
    await shop.set_clock(at(START) + timedelta(days=61))
    for number, (life, subscription) in enumerate(zip(lives, begun, strict=True)):
        events = [
            (f"{number}-{place}", at(START) + timedelta(days=day, hours=5), quantity)
            for place, (day, quantity) in enumerate(life.used)
        ]
        if events:
            await shop.use(subscription.id, meter, *events)
    await run(shop)
    for number, (life, subscription) in enumerate(zip(lives, begun, strict=True)):
        events = [
            (f"late-{number}-{place}", at(START) + timedelta(days=day), quantity)
            for place, (day, quantity) in enumerate(life.late)
        ]
        if events:
            await shop.use(subscription.id, meter, *events)
        if life.seats_later is not None:
            await caller.run(
                update_subscription,
                UpdateSubscription(subscription_id=subscription.id, quantity=life.seats_later),
            )
        if life.ends:
            await caller.run(
                cancel_subscription, CancelSubscription(subscription_id=subscription.id)
            )
    await shop.set_clock(at(START) + timedelta(days=100))
    await run(shop)


async def _coupons(shop: Shop) -> list[Coupon]:
    """One of each duration."""
    tenth = CreateCoupon(
        name="A tenth", duration=CouponDuration.FOREVER, percent_off=Decimal(10), metadata={}
    )
    once = CreateCoupon(
        name="Once",
        duration=CouponDuration.ONCE,
        amount_off_minor=700,
        currency=Currency("usd"),
        metadata={},
    )
    twice = CreateCoupon(
        name="Twice",
        duration=CouponDuration.REPEATING,
        months=2,
        percent_off=Decimal(33),
        metadata={},
    )
    caller = shop.org.caller
    return [await caller.run(create_coupon, each) for each in (tenth, once, twice)]


async def one_by_one(shop: Shop) -> None:
    """The row lane, in the order in which the other one claims; one step of each a round."""
    while looks := await shop.looks():
        for look in looks:
            if look in await shop.looks():  # nobody whose invoice it shares has billed it
                await shop.bill(look[0])


async def together(shop: Shop) -> None:
    """The bulk lane."""
    await shop.bill_all()


async def require_same(world: World, lives: list[Life], *, is_consolidated: bool) -> None:
    found = []
    for run in (one_by_one, together):
        shop = await a_shop(world, START)
        await shop.configure(has_consolidated_invoices=is_consolidated)
        await live(shop, lives, run)
        connection = await world.house.as_owner()
        try:
            found.append(await dump(connection, uuid_of(shop.org.id)))
        finally:
            await connection.close()
    only_rows = [row for row in found[0] if row not in found[1]]
    only_bulk = [row for row in found[1] if row not in found[0]]
    assert (only_rows, only_bulk) == ([], [])


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LIVES, st.booleans())
async def test_both_lanes_leave_the_same_rows(
    world: World, lives: list[Life], is_consolidated: bool
) -> None:
    # Invoices, lines, books, events, agenda, numbers, tasks: row by row the same.
    await require_same(world, lives, is_consolidated=is_consolidated)


@pytest.mark.proof
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LIVES, st.booleans())
async def test_both_lanes_leave_the_same_rows_at_length(
    world: World, lives: list[Life], is_consolidated: bool
) -> None:
    # The same, as often as a minute has room for.
    await require_same(world, lives, is_consolidated=is_consolidated)
