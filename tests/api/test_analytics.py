"""`/v1/analytics` as a caller sees it; every figure is worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.api.client import Client
from tests.support.world import Org, World

from bursar.domain.discounts import CouponDuration
from bursar.domain.payments import PaymentStatus
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.jobs import dispatch
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import (
    CancelSubscription,
    CreateSubscription,
    UpdateSubscription,
    cancel_subscription,
    create_subscription,
    update_subscription,
)

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
MARCH = "from=2026-01-01&to=2026-04-01&interval=month"


@pytest.fixture
async def told(owner: Client) -> Any:
    """A report by its name."""

    async def ask(name: str, query: str = MARCH) -> Any:
        answer = await owner.get(f"/v1/analytics/{name}?{query}")
        assert answer.status == 200, answer.body
        return answer.value

    return ask


def column(report: Any, name: str) -> list[int]:
    return [piece[name] for piece in report["series"]]


async def test_invoices_and_payments(org: Org, world: World, told: Any) -> None:
    # January: 100.00 paid and 20.00 open; February: a decline over 5.00; March: nothing.
    await org.freeze(START)
    customer = await org.customer()
    await org.pay((await org.invoice(customer, 10_000)).id)
    await org.invoice(customer, 2_000)
    await org.advance("1 month")
    unpaid = await org.invoice(await org.customer("pm_card_chargeCustomerFail"), 500)
    assert (await org.pay(unpaid.id)).status is PaymentStatus.FAILED
    await dispatch.add_up_figures(world.app)
    revenue = await told("revenue")
    assert column(revenue, "revenueCents") == [12_000, 500, 0]
    assert column(revenue, "collectedCents") == [10_000, 0, 0]
    assert revenue["totals"]["netCents"] == 12_500
    assert [piece["start"] for piece in revenue["series"]] == [
        "2026-01-01",
        "2026-02-01",
        "2026-03-01",
    ]
    invoices = await told("invoices")
    assert column(invoices, "invoicedCount") == [2, 1, 0]
    assert column(invoices, "paidCents") == [10_000, 0, 0]
    assert invoices["outstanding"]["total"] == {"count": 2, "amountCents": 2_500}
    # Due on the 24th of January, so 17 days late; the other is due in two weeks.
    assert invoices["outstanding"]["days1To30"]["amountCents"] == 2_000
    assert invoices["outstanding"]["current"]["amountCents"] == 500
    payments = await told("payments")
    assert column(payments, "failedCents") == [0, 500, 0]
    assert payments["totals"]["successPercent"] == "50.00"
    customers = await told("customers")
    assert column(customers, "customerCount") == [1, 2, 2]
    assert (await told("dunning"))["totals"]["failedCount"] == 1


async def test_mrr(org: Org, told: Any) -> None:
    # 3 seats at 10.00 and 10 % off for ever; 5 seats; gone: +27.00, +18.00, -45.00.
    # A year at 100.00 is 8.33 a month.
    await org.freeze(START)
    seats = await plan(org, PricingModel.PER_UNIT, 1_000)
    yearly = await plan(org, PricingModel.FLAT_RATE, 10_000, BillingInterval.YEAR)
    offered = CreateCoupon(
        name="C", duration=CouponDuration.FOREVER, percent_off=Decimal(10), metadata={}
    )
    coupon = await org.caller.run(create_coupon, offered)
    customer = await org.customer()
    made = await org.caller.run(
        create_subscription,
        CreateSubscription(
            customer_id=customer.id, plan_id=seats.id, quantity=3, coupon_ids=(coupon.id,)
        ),
    )
    await org.advance("1 month")
    more = UpdateSubscription(subscription_id=made.subscription.id, quantity=5)
    await org.caller.run(update_subscription, more)
    await org.caller.run(
        create_subscription,
        CreateSubscription(customer_id=(await org.customer()).id, plan_id=yearly.id),
    )
    await org.advance("1 month")
    away = CancelSubscription(subscription_id=made.subscription.id, at_period_end=False)
    await org.caller.run(cancel_subscription, away)
    report = await told("mrr")
    assert column(report, "newCents") == [2_700, 833, 0]
    assert column(report, "expansionCents") == [0, 1_800, 0]
    assert column(report, "churnCents") == [0, 0, -4_500]
    assert column(report, "mrrCents") == [2_700, 5_333, 833]
    assert (report["openingCents"], report["arrCents"]) == (0, 9_996)
    february = await told("mrr", "from=2026-02-01&to=2026-04-01&interval=month")
    assert february["openingCents"] == 2_700
    # Of the 27.00 of January nothing is left: 27.00 + 18.00 - 45.00.
    assert february["grossRetentionPercent"] == "0.00"
    assert february["netRetentionPercent"] == "0.00"
    customers = await told("customers")
    assert column(customers, "subscriberCount") == [1, 2, 1]
    assert column(customers, "lostCount") == [0, 0, 1]


async def plan(
    org: Org, model: PricingModel, amount: int, interval: BillingInterval = BillingInterval.MONTH
) -> Any:
    terms = PriceTerms(model, Decimal(amount), interval=interval)
    return await org.caller.run(
        create_plan, CreatePlan(name="P", interval=interval, terms=(terms,), metadata={})
    )


async def test_days_are_the_organizations(org: Org, owner: Client, told: Any) -> None:
    # Half past eleven in the evening in UTC is the next day in Berlin.
    changed = await owner.patch(f"/v1/organizations/{org.id}", {"timezone": "Europe/Berlin"})
    assert changed.status == 200
    await org.freeze(datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    await org.invoice(await org.customer(), 700)
    report = await told("revenue")
    assert column(report, "revenueCents") == [0, 700, 0]
    today = (await told("revenue", "interval=day"))["series"]
    assert (len(today), today[-1]["start"], today[-1]["revenueCents"]) == (30, "2026-02-01", 700)
    assert len((await told("mrr", "interval=month"))["series"]) == 12


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-02-01&to=2026-02-01",
        "from=2020-01-01&to=2026-01-01",
        "from=2000-01-01&to=2026-01-01&interval=month",
        "to=9999-12-31&interval=month",
        "to=0001-01-01",
        "from=0001-01-01",
        "from=2026-13-01",
        "interval=year",
        "currency=xyz",
    ],
)
async def test_what_no_report_is_about(owner: Client, query: str) -> None:
    # Nothing, too much, or no day at all: each names the field.
    answer = await owner.get(f"/v1/analytics/mrr?{query}")
    assert answer.status == 400, answer.body
    assert answer.fields <= {"from", "to", "interval", "currency"}
