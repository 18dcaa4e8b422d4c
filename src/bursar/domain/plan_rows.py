"""What the database keeps of plans, meters, subscriptions and coupons becomes those nouns again."""

from collections.abc import Sequence

import msgspec

from bursar.domain import ids
from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.money import Money, Rate
from bursar.domain.pricing import BillingInterval, Price, PriceTerms, PricingModel, Tier
from bursar.domain.rows import Record
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
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
    return Subscription(
        id=ids.SubscriptionId(ids.print_id("sub", record["id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        plan_id=ids.PlanId(ids.print_id("plan", record["plan_id"])),
        plan_version=record["plan_version"],
        status=SubscriptionStatus(record["status"]),
        quantity=record["quantity"],
        anchor_day=record["anchor_day"],
        started_at=record["started_at"],
        period=Period(record["period_start_at"], record["period_end_at"]),
        trial_end=record["trial_end_at"],
        cancel_at_period_end=record["cancel_at_period_end"],
        canceled_at=record["canceled_at"],
        paused_at=record["paused_at"],
        ended_at=record["ended_at"],
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
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
