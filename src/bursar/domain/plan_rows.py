"""What the database keeps of plans, meters, subscriptions and coupons becomes those nouns again."""

from collections.abc import Sequence

import msgspec

from bursar.domain import ids
from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.money import Money, Rate
from bursar.domain.pending_lines import PendingKind, PendingLine, WaitingLine
from bursar.domain.pricing import BillingInterval, Price, PriceTerms, PricingModel, Tier
from bursar.domain.rows import Record
from bursar.domain.subscriptions import (
    Agreed,
    GivenCoupon,
    Subscription,
    SubscriptionStatus,
)
from bursar.domain.times import Period


def row_to_plan(record: Record, prices: Sequence[Record]) -> Plan:
    """From every column of `plans`, and the rows of `prices` of one version by position."""
    return Plan(
        id=ids.PlanId(ids.print_id("plan", record["id"])),
        name=record["name"],
        description=record["description"],
        status=PlanStatus(record["status"]),
        currency=Currency(record["currency"]),
        interval=BillingInterval(record["billing_interval"]),
        trial_days=record["trial_days"],
        price_version=record["price_version"],
        prices=tuple(map(row_to_price, prices)),
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        archived_at=record["archived_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_price(record: Record) -> Price:
    """From every column of `prices`."""
    meter_id = record["meter_id"]
    terms = PriceTerms(
        model=PricingModel(record["pricing_model"]),
        unit_amount=record["unit_amount"],
        tiers=msgspec.json.decode(record["tiers"], type=tuple[Tier, ...]),
        package_size=record["package_size"],
        meter_id=None if meter_id is None else ids.MeterId(ids.print_id("mtr", meter_id)),
        interval=BillingInterval(record["billing_interval"]),
        name=record["name"],
    )
    return Price(ids.PriceId(ids.print_id("price", record["id"])), terms)


def row_to_meter(record: Record) -> Meter:
    """From every column of `meters`."""
    return Meter(
        id=ids.MeterId(ids.print_id("mtr", record["id"])),
        name=record["name"],
        key=record["key"],
        aggregation=Aggregation(record["aggregation"]),
        property_name=record["property_name"],
        thresholds=tuple(record["thresholds"]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_subscription(record: Record) -> Subscription:
    """From every column of `subscriptions`."""
    agreed = _agreed(record, "")
    assert agreed is not None, "a subscription is to a plan"
    return Subscription(
        id=ids.SubscriptionId(ids.print_id("sub", record["id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        agreed=agreed,
        agreed_since=record["agreed_since_at"],
        status=SubscriptionStatus(record["status"]),
        anchor_day=record["anchor_day"],
        anchored_at=record["anchored_at"],
        started_at=record["started_at"],
        period=Period(record["period_start_at"], record["period_end_at"]),
        charged=_agreed(record, "charged_"),
        scheduled=_agreed(record, "scheduled_"),
        coupons=msgspec.json.decode(record["coupons"], type=tuple[GivenCoupon, ...]),
        trial_end=record["trial_end_at"],
        cancel_at_period_end=record["cancel_at_period_end"],
        cancel_reason=record["cancel_reason"],
        canceled_at=record["canceled_at"],
        paused_at=record["paused_at"],
        ended_at=record["ended_at"],
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def _agreed(record: Record, prefix: str) -> Agreed | None:
    plan_id = record[f"{prefix}plan_id"]
    if plan_id is None:
        return None
    return Agreed(
        ids.PlanId(ids.print_id("plan", plan_id)),
        record[f"{prefix}plan_version"],
        record[f"{prefix}quantity"],
    )


def row_to_pending_line(record: Record) -> WaitingLine:
    """From every column of `pending_lines`."""
    invoice_id, currency = record["invoice_id"], Currency(record["currency"])
    line = PendingLine(
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        subscription_id=ids.SubscriptionId(ids.print_id("sub", record["subscription_id"])),
        kind=PendingKind(record["kind"]),
        description=record["description"],
        quantity=record["quantity"],
        unit_amount=record["unit_amount"],
        amount=Money(record["amount_minor"], currency),
        period=Period(record["period_start_at"], record["period_end_at"]),
        price_id=ids.PriceId(ids.print_id("price", record["price_id"])),
        is_discountable=record["is_discountable"],
        due_at=record["due_at"],
        derivation=msgspec.json.decode(record["derivation"], type=dict[str, object]),
    )
    return WaitingLine(
        ids.PendingLineId(ids.print_id("pl", record["id"])),
        line,
        None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        record["created_at"],
    )


def row_to_coupon(record: Record) -> Coupon:
    """From every column of `coupons`."""
    percent, amount = record["percent_off"], record["amount_off_minor"]
    return Coupon(
        id=ids.CouponId(ids.print_id("cpn", record["id"])),
        name=record["name"],
        percent_off=None if percent is None else Rate(percent),
        amount_off=None if amount is None else Money(amount, Currency(record["currency"])),
        duration=CouponDuration(record["duration"]),
        months=record["months"],
        status=CouponStatus(record["status"]),
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        archived_at=record["archived_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
