"""Subscriptions for tests: whole, running, and written by the writer that writes all changes."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from msgspec import Struct
from tests.support.world import Org

from bursar.domain.access import Permission
from bursar.domain.calendars import day_begins
from bursar.domain.catalog import Plan
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, SubscriptionId
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.domain.subscriptions import Agreed, Subscription, Wish, subscribe
from bursar.operations.meters import DefineMeter, define_meter
from bursar.operations.plans import CreatePlan, create_plan
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store.apply import apply


class Agree(Struct, frozen=True):
    """A subscription that began on the day of this instant, or today."""

    customer_id: CustomerId
    plan: Plan
    started_at: datetime | None = None
    timezone: str = "UTC"
    ended_at: datetime | None = None


@operation(requires=Permission.PLAN_WRITE)
async def agree(tx: Tx, command: Agree) -> Subscription:
    """Write it down as an engine would."""
    zone = command.timezone
    wish = Wish(
        id=SubscriptionId(tx.new_id("sub")),
        customer_id=command.customer_id,
        agreed=Agreed(command.plan.id, command.plan.price_version, 1),
        interval=command.plan.interval,
        timezone=zone,
        started_at=day_begins(command.started_at or tx.now, zone),
        trial_end=None,
        anchor_day=None,
        coupon_ids=(),
        metadata={},
    )
    draft = wish.draft(tx.now)
    cycle = draft.cycle(command.plan.interval, zone)
    subscription = replace(draft, period=cycle.period_at(tx.now))
    await apply(tx, subscribe(subscription))
    if command.ended_at is not None:
        await apply(tx, subscription.cancel(command.ended_at))
    return subscription


async def a_meter(org: Org, aggregation: Aggregation = Aggregation.SUM, **more: object) -> Meter:
    """A meter under a key of its own."""
    command = DefineMeter(name="Calls", key=f"k_{uuid4().hex}", aggregation=aggregation, **more)  # type: ignore[arg-type]  # fields by name
    return await org.caller.run(define_meter, command)


async def a_plan(org: Org, *terms: PriceTerms) -> Plan:
    """A monthly plan; for nothing unless told otherwise."""
    own = PriceTerms(PricingModel.FLAT_RATE, Decimal(0))
    command = CreatePlan(
        name="Plan", interval=BillingInterval.MONTH, terms=terms or (own,), metadata={}
    )
    return await org.caller.run(create_plan, command)


def per_unit(meter: Meter | None, amount: str) -> PriceTerms:
    """So much for each unit that the meter counts."""
    meter_id = None if meter is None else meter.id
    return PriceTerms(PricingModel.PER_UNIT, Decimal(amount), meter_id=meter_id)


async def a_subscription(org: Org, plan: Plan, started_at: datetime | None = None) -> Subscription:
    """A subscription of a new customer."""
    customer = await org.customer(token=None)
    return await org.caller.run(agree, Agree(customer.id, plan, started_at))
