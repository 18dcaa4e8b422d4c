"""Billing in the books: what is due is billed once, in order, by either lane."""

from tests.support.agreements import a_meter, per_unit
from tests.support.billing import a_shop, at
from tests.support.world import World

from bursar.domain.invoices import BillingReason, InvoiceStatus


async def test_a_fee_is_billed_in_advance_and_renewed(world: World) -> None:
    # The first period is billed when it begins, each later one when it does, and nothing twice.
    shop = await a_shop(world)
    subscription = await shop.subscribe(await shop.plan(5_000))
    first = await shop.bill(subscription.id)
    assert first is not None
    assert (first.total.minor, first.status) == (5_000, InvoiceStatus.OPEN)
    assert first.billing_reason is BillingReason.SUBSCRIPTION_CREATE
    assert await shop.bill(subscription.id) is None
    await shop.set_clock(at("2026-02-01"))
    second = await shop.bill(subscription.id)
    assert second is not None
    assert second.billing_reason is BillingReason.SUBSCRIPTION_CYCLE
    assert await shop.bill(subscription.id) is None
    assert await shop.periods(subscription.id) == [
        ("fee", "2026-01-01", "2026-02-01", 5_000),
        ("fee", "2026-02-01", "2026-03-01", 5_000),
    ]
    assert [str(each.number) for each in await shop.invoices()] == [
        "INV-2026-00001",
        "INV-2026-00002",
    ]


async def test_usage_is_billed_when_its_period_is_over(world: World) -> None:
    # What was used in a period is on the invoice that renews it, beside the next fee.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    subscription = await shop.subscribe(await shop.plan(5_000, per_unit(meter, "25")))
    await shop.bill(subscription.id)
    await shop.set_clock(at("2026-02-01"))
    await shop.use(
        subscription.id, meter, ("a", at("2026-01-10"), 3), ("b", at("2026-01-31T23:59"), 4)
    )
    renewed = await shop.bill(subscription.id)
    assert renewed is not None
    assert [(line.type.value, line.quantity, line.amount.minor) for line in renewed.lines] == [
        ("subscription", 1, 5_000),
        ("usage", 7, 175),
    ]


async def test_many_are_billed_together(world: World) -> None:
    # After an outage every missed period is billed once, in order, and a second run finds nothing.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    plan = await shop.plan(5_000, per_unit(meter, "25"))
    subscriptions = [await shop.subscribe(plan) for _ in range(3)]
    assert await shop.bill_all() == 3
    await shop.set_clock(at("2026-03-01"))
    await shop.use(subscriptions[0].id, meter, ("a", at("2026-01-10"), 3))
    assert await shop.bill_all() == 6
    assert await shop.bill_all() == 0
    assert await shop.periods(subscriptions[0].id) == [
        ("fee", "2026-01-01", "2026-02-01", 5_000),
        ("fee", "2026-02-01", "2026-03-01", 5_000),
        ("fee", "2026-03-01", "2026-04-01", 5_000),
        ("usage", "2026-01-01", "2026-02-01", 75),
        ("usage", "2026-02-01", "2026-03-01", 0),
    ]
    numbers = [each.number.number for each in await shop.invoices() if each.number]
    assert sorted(numbers) == list(range(1, 10))
