"""A year of the demo organization: its customers come, change and go, and the engine does the rest.

The organization's test clock is stopped a year back and sent ahead month by month, so that billing,
charging and dunning are what they are for everybody. At the first of each month the acts of that
month are brought about; each looks at what is there, so doing them again changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Final

from msgspec import Struct

from bursar.domain.catalog import Plan
from bursar.domain.customers import Customer
from bursar.domain.ids import CustomerId, MeterId
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.pricing import PriceTerms, PricingModel
from bursar.domain.refusals import ClockRunsForward
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
from bursar.domain.test_clocks import ClockReading, ClockStatus
from bursar.domain.times import Instant
from bursar.domain.usage import UsageReport
from bursar.flows.create_customer import create_customer_everywhere
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.jobs.demo_cast import MEMBERS, METER, OFFERS, Member, Offer
from bursar.operations.customers import CreateCustomer
from bursar.operations.meters import DefineMeter, define_meter
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import (
    CancelSubscription,
    ChangePlan,
    CreateSubscription,
    cancel_subscription,
    change_plan,
    create_subscription,
)
from bursar.operations.test_clocks import (
    AdvanceClock,
    FreezeClock,
    ReleaseClock,
    advance_clock,
    freeze_clock,
    release_clock,
)
from bursar.operations.usage import IngestUsage, ingest_usage
from bursar.reads.customers import CustomerFilters, customers
from bursar.reads.meters import meters
from bursar.reads.plans import PlanFilters, plans
from bursar.reads.subscriptions import SubscriptionFilters, subscriptions
from bursar.reads.test_clocks import clock_reading
from bursar.runtime import clock
from bursar.runtime.app import Caller

_LOOK_SECONDS: Final = 0.25
_RUNNING: Final = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})


async def looking() -> None:
    """A moment in which a worker moves the clock."""
    await asyncio.sleep(_LOOK_SECONDS)


class Pace(Struct, frozen=True):
    """How the year goes by: what else a month brings, and what to do while the clock moves."""

    beside: Callable[[Caller, int], Awaitable[None]]
    months: int
    meanwhile: Callable[[], Awaitable[None]] = looking


async def live_year(caller: Caller, pace: Pace) -> None:
    """From wherever the organization's clock is up to now, and then in real time.

    An organization in which things have happened already, without a clock, stays in the present.
    """
    firsts = _firsts(clock.now(), pace.months)
    while (now := await _standing(caller, firsts[0], pace)) is not None:
        month = sum(first <= now for first in firsts) - 1
        await _bring_about(caller, month)
        await pace.beside(caller, month)
        ahead = [first for first in firsts if first > now]
        to = ahead[0] if ahead else clock.now()
        if now in firsts:
            await caller.run(advance_clock, AdvanceClock(to))
        else:
            await caller.run(release_clock, ReleaseClock())


def _firsts(now: Instant, months: int) -> list[Instant]:
    """The first of each month, from so many months back up to this one."""
    this = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    count = this.year * 12 + this.month - 1
    return [
        this.replace(year=each // 12, month=each % 12 + 1)
        for each in range(count - months, count + 1)
    ]


async def _standing(caller: Caller, begin: Instant, pace: Pace) -> Instant | None:
    """What time it is once the clock stands; nothing where the organization is in real time."""
    reading = await caller.look(clock_reading)
    if reading.clock is None:
        try:
            reading = await caller.run(freeze_clock, FreezeClock(begin))
        except ClockRunsForward:
            return None
    while _is_under_way(reading):
        await pace.meanwhile()
        reading = await caller.look(clock_reading)
    return None if reading.clock is None else reading.clock.now_at


def _is_under_way(reading: ClockReading) -> bool:
    return reading.clock is not None and reading.clock.status is ClockStatus.ADVANCING


async def _bring_about(caller: Caller, month: int) -> None:
    """Everything that people do in this month."""
    meter = await _meter(caller)
    offered = await _offered(caller, meter)
    for member in MEMBERS:
        if member.joins == month:
            await _join(caller, member, offered)
        elif member.joins < month:
            await _go_on(caller, member, month, offered)


async def _meter(caller: Caller) -> Meter:
    found = await caller.look(meters, Page(size=1), METER)
    if found.items:
        return found.items[0]
    command = DefineMeter(name="API calls", key=METER, aggregation=Aggregation.SUM)
    return await caller.run(define_meter, command)


async def _offered(caller: Caller, meter: Meter) -> dict[str, Plan]:
    """The plans by name; those that are missing are made."""
    known = await caller.look(plans, Page(size=SIZE_MAX), PlanFilters())
    found = {each.name: each for each in known.items}
    for offer in OFFERS:
        if offer.name not in found:
            found[offer.name] = await caller.run(create_plan, _plan(offer, meter.id))
    return found


def _plan(offer: Offer, meter_id: MeterId) -> CreatePlan:
    terms = [PriceTerms(PricingModel.FLAT_RATE, offer.amount_minor, interval=offer.interval)]
    if offer.call_minor is not None:
        terms.append(
            PriceTerms(PricingModel.PER_UNIT, offer.call_minor, meter_id=meter_id, name="API calls")
        )
    return CreatePlan(name=offer.name, interval=offer.interval, terms=tuple(terms), metadata={})


async def customer_of(caller: Caller, member: Member) -> Customer:
    """The member as a customer with a card, known by the address."""
    found = await caller.look(customers, Page(size=1), CustomerFilters(email=member.email))
    customer = found.items[0] if found.items else None
    if customer is None:
        noted = {"demo": str(member.number)}
        command = CreateCustomer(email=member.email, name=member.name, metadata=noted)
        customer = await create_customer_everywhere(caller, command)
    if customer.method_reference is None:
        customer = (await attach_method(caller, AttachMethod(customer.id, member.card))).customer
    return customer


async def _join(caller: Caller, member: Member, offered: dict[str, Plan]) -> None:
    customer = await customer_of(caller, member)
    if await _subscription(caller, customer.id) is None:
        command = CreateSubscription(customer_id=customer.id, plan_id=offered[member.plan].id)
        await caller.run(create_subscription, command)


async def _subscription(caller: Caller, customer_id: CustomerId) -> Subscription | None:
    wanted = SubscriptionFilters(customer_id=customer_id)
    found = await caller.look(subscriptions, Page(size=1), wanted)
    return found.items[0] if found.items else None


async def _go_on(caller: Caller, member: Member, month: int, offered: dict[str, Plan]) -> None:
    """Use what was bought, and change or leave when the time has come."""
    customer = await customer_of(caller, member)
    subscription = await _subscription(caller, customer.id)
    if subscription is None or subscription.status not in _RUNNING:
        return
    if any(each.is_metered for each in _plan_of(subscription, offered).prices):
        await _use(caller, member, month, subscription)
    growth = member.growth
    if growth is not None and growth[0] == month:
        larger = offered[growth[1]]
        if subscription.plan_id != larger.id:
            await caller.run(
                change_plan, ChangePlan(subscription_id=subscription.id, plan_id=larger.id)
            )
    if member.leaves == month and not subscription.cancel_at_period_end:
        command = CancelSubscription(subscription_id=subscription.id, reason="too expensive")
        await caller.run(cancel_subscription, command)


def _plan_of(subscription: Subscription, offered: dict[str, Plan]) -> Plan:
    return next(each for each in offered.values() if each.id == subscription.plan_id)


async def _use(caller: Caller, member: Member, month: int, subscription: Subscription) -> None:
    reading = await caller.look(clock_reading)
    report = UsageReport(
        subscription_id=subscription.id,
        meter_id=None,
        key=f"demo-{member.number}-{month}",
        quantity=member.calls(month),
        at=reading.now,
        properties={},
    )
    late_days_max = caller.app.settings.usage_late_days_max
    await caller.run(ingest_usage, IngestUsage((report,), late_days_max))
