"""Billing in the books: what is due is billed once, in order, by either lane."""

from decimal import Decimal

import asyncpg
import pytest
from tests.support.agreements import a_meter, per_unit
from tests.support.billing import a_shop, at
from tests.support.world import World

from bursar.domain.invoice_lines import LineType
from bursar.domain.invoices import BillingReason, InvoiceStatus
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.subscriptions import (
    CancelSubscription,
    UpdateSubscription,
    cancel_subscription,
    update_subscription,
)
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate


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


async def test_what_comes_late_is_adjusted_once(world: World) -> None:
    # A late event costs what it would have, on the next invoice, and names itself as the cause.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    subscription = await shop.subscribe(await shop.plan(0, per_unit(meter, "25")))
    await shop.bill_all()
    await shop.set_clock(at("2026-02-01"))
    await shop.use(subscription.id, meter, ("a", at("2026-01-10"), 3))
    await shop.bill_all()
    await shop.use(subscription.id, meter, ("late", at("2026-01-20"), 4))
    await shop.set_clock(at("2026-03-01"))
    await shop.bill_all()
    adjusted = [
        line for line in (await shop.invoices())[-1].lines if line.type is LineType.ADJUSTMENT
    ]
    assert [line.amount.minor for line in adjusted] == [100]
    (line,) = adjusted
    assert line.derivation is not None
    assert (line.derivation["billedQuantity"], line.derivation["quantity"]) == (3, 7)
    assert len(line.derivation["usageEventIds"]) == 1  # type: ignore[arg-type]  # plain JSON
    assert await shop.wrong() == []
    await shop.set_clock(at("2026-04-01"))
    await shop.bill_all()
    assert not any(each.type is LineType.ADJUSTMENT for each in (await shop.invoices())[-1].lines)


async def test_a_voided_invoice_is_billed_again(world: World) -> None:
    # What it covered is open again: the next look bills all of it, once.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    subscription = await shop.subscribe(await shop.plan(5_000, per_unit(meter, "25")))
    await shop.bill_all()
    await shop.set_clock(at("2026-02-01"))
    await shop.use(subscription.id, meter, ("a", at("2026-01-10"), 3))
    renewed = await shop.bill(subscription.id)
    assert renewed is not None
    await shop.org.caller.run(void_invoice, VoidInvoice(renewed.id))
    assert await shop.wrong() == []
    await shop.set_clock(at("2026-03-01"))
    await shop.bill_all()
    assert await shop.periods(subscription.id) == [
        ("fee", "2026-01-01", "2026-02-01", 5_000),
        ("fee", "2026-02-01", "2026-03-01", 5_000),
        ("fee", "2026-03-01", "2026-04-01", 5_000),
        ("usage", "2026-01-01", "2026-02-01", 75),
        ("usage", "2026-02-01", "2026-03-01", 0),
    ]
    assert await shop.wrong() == []


async def test_credit_pays_what_billing_makes(world: World) -> None:
    # What a customer has as credit pays the invoice that is made, before anything is charged.
    shop = await a_shop(world)
    subscription = await shop.subscribe(await shop.seats(3_000), quantity=3)
    await shop.bill_all()
    await shop.set_clock(at("2026-01-16"))
    await shop.org.caller.run(
        update_subscription, UpdateSubscription(subscription_id=subscription.id, quantity=1)
    )
    await shop.org.caller.run(
        cancel_subscription,
        CancelSubscription(subscription_id=subscription.id, at_period_end=False, is_credited=True),
    )
    await shop.bill_all()
    given_back = (await shop.invoices())[-1]
    assert given_back.total.minor == 0
    assert given_back.excess.is_positive
    customer = subscription.customer_id
    again = await shop.subscribe(await shop.plan(1_000), await shop.customer(customer))
    await shop.bill_all()
    paid = (await shop.invoices())[-1]
    assert (paid.subscription_id, paid.status, paid.paid.minor) == (
        again.id,
        InvoiceStatus.PAID,
        1_000,
    )
    assert await shop.wrong() == []


async def test_a_draft_waits_for_its_grace(world: World) -> None:
    # With grace an invoice is a draft first, and is numbered and booked when its time has come.
    shop = await a_shop(world)
    await shop.configure(invoice_grace_hours=24)
    await shop.subscribe(await shop.plan(5_000))
    await shop.bill_all()
    (draft,) = await shop.invoices()
    assert (draft.status, draft.number) == (InvoiceStatus.DRAFT, None)
    await shop.set_clock(at("2026-01-02"))
    await world.drain()
    (final,) = await shop.invoices()
    assert final.status is InvoiceStatus.OPEN
    assert str(final.number) == "INV-2026-00001"
    assert await shop.wrong() == []


async def test_what_is_due_together_is_one_invoice(world: World) -> None:
    # With the option, a customer's subscriptions that renew together share an invoice, either lane.
    shop = await a_shop(world)
    await shop.configure(has_consolidated_invoices=True)
    customer = await shop.org.customer(token=None)
    first = await shop.subscribe(await shop.plan(5_000), customer)
    second = await shop.subscribe(await shop.plan(700), customer)
    await shop.subscribe(await shop.plan(300))
    assert await shop.bill_all() == 2
    shared = next(each for each in await shop.invoices() if each.customer_id == customer.id)
    assert [(line.subscription_id, line.amount.minor) for line in shared.lines] == [
        (first.id, 5_000),
        (second.id, 700),
    ]
    assert shared.subscription_id is None
    await shop.set_clock(at("2026-02-01"))
    together = await shop.bill(first.id)
    assert together is not None
    assert together.total.minor == 5_700
    assert await shop.bill(second.id) is None
    assert await shop.wrong() == []


async def test_invoices_over_nothing_are_made_or_not(world: World) -> None:
    # By setting; the period is covered either way, and nothing comes back.
    shop = await a_shop(world)
    plan = await shop.plan(0)
    await shop.subscribe(plan)
    assert await shop.bill_all() == 1
    await shop.configure(has_zero_invoices=False)
    subscription = await shop.subscribe(plan)
    assert await shop.bill_all() == 0
    assert await shop.periods(subscription.id) == [("fee", "2026-01-01", "2026-02-01", 0)]
    assert await shop.due() == []
    assert await shop.wrong() == []


async def test_one_that_cannot_be_billed_stops_nobody(world: World) -> None:
    # What leaves the exact range is put off for an hour; the others of its chunk are billed.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    huge = await shop.subscribe(await shop.plan(0, per_unit(meter, str(10**14))))
    small = await shop.subscribe(await shop.plan(500))
    await shop.bill_all()
    await shop.set_clock(at("2026-02-01"))
    await shop.use(huge.id, meter, ("a", at("2026-01-10"), 10**9))
    assert await shop.bill_all() == 1
    assert (await shop.periods(small.id))[-1] == ("fee", "2026-02-01", "2026-03-01", 500)
    assert len(await shop.periods(huge.id)) == 1


async def test_automatic_rates_lie_on_what_is_billed(world: World) -> None:
    # On every line that billing makes, of the customers they are for; either lane.
    shop = await a_shop(world)
    rate = CreateTaxRate(name="VAT", percent=Decimal(20), is_automatic=True, metadata={})
    await shop.org.caller.run(create_tax_rate, rate)
    first = await shop.subscribe(await shop.plan(5_000))
    await shop.subscribe(await shop.plan(1_001))
    single = await shop.bill(first.id)
    assert single is not None
    assert (single.tax.minor, single.total.minor) == (1_000, 6_000)
    await shop.bill_all()
    assert sorted(each.total.minor for each in await shop.invoices()) == [1_201, 6_000]
    assert await shop.wrong() == []


@pytest.mark.parametrize("lane", ["row", "bulk"])
async def test_the_constraint_stops_a_second_invoice(world: World, lane: str) -> None:
    # Even if every look of the application's own says that a period is due, it is billed once.
    shop = await a_shop(world)
    subscription = await shop.subscribe(await shop.plan(5_000))
    await shop.bill(subscription.id)
    await shop.set_clock(at("2026-02-01"))
    await shop.bill(subscription.id)
    await shop.forget_that_it_was_billed(subscription)
    again = shop.bill(subscription.id) if lane == "row" else shop.bill_all()
    with pytest.raises(asyncpg.UniqueViolationError, match="billed"):
        await again
    await shop.stop_billing(subscription.id)
    assert len(await shop.invoices()) == 2
    assert [str(each.number) for each in await shop.invoices()] == [
        "INV-2026-00001",
        "INV-2026-00002",
    ]
