"""Subscriptions: create, change, pause, resume, cancel, reactivate."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct, field

from bursar.domain.access import Permission
from bursar.domain.agreements import PERIODS_AT_ONCE_MAX, Agreement, Proration
from bursar.domain.calendars import day_begins, days_after
from bursar.domain.catalog import TRIAL_DAYS_MAX, Plan, PlanStatus
from bursar.domain.change import Change
from bursar.domain.customers import Customer
from bursar.domain.discounts import CouponStatus
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId, CustomerId, PlanId, SubscriptionId
from bursar.domain.pending_lines import PendingLine
from bursar.domain.refusals import (
    AlreadySubscribed,
    CouponIsArchived,
    InvalidInput,
    PlanIsArchived,
    PreconditionFailed,
)
from bursar.domain.subscriptions import Agreed, Subscription, Wish, grace_end
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import agreements, coupons, customers, orgs, pending_lines, plans, subscriptions
from bursar.store.apply import apply

COUPONS_MAX: Final = 10
BACKDATED_MAX: Final = timedelta(days=366)
AHEAD_MAX: Final = timedelta(days=731)


class Stepped(Struct, frozen=True):
    """A subscription after a step, and the lines that the step leaves for its next invoice."""

    subscription: Subscription
    lines: tuple[PendingLine, ...] = ()


class TrialWish(Struct, frozen=True):
    """A trial until an instant, or none at all, whatever the plan says."""

    end: Instant | None


class CreateSubscription(Struct, frozen=True, kw_only=True):
    """A customer subscribes to a plan; it begins with a civil day, today unless told otherwise."""

    customer_id: CustomerId
    plan_id: PlanId
    quantity: int = 1
    anchor_day: int | None = None
    start_at: Instant | None = None
    trial: TrialWish | None = None
    coupon_ids: tuple[CouponId, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def create_subscription(tx: Tx, command: CreateSubscription) -> Stepped:
    """A new subscription; billing is left its first lines by the same commit.

    Raises:
        NotFound: no such customer, plan or coupon.
        PlanIsArchived: nobody subscribes to the plan any more.
        AlreadySubscribed: the customer has a running subscription to the plan.
        InvalidInput: another currency than the customer's, or a date too far away.
    """
    customer = await customers.lock(tx, command.customer_id)
    plan = await _subscribable(tx, command.plan_id, customer)
    zone = (await orgs.get(tx)).timezone
    start = day_begins(command.start_at or tx.now, zone)
    if not tx.now - BACKDATED_MAX <= start <= tx.now + AHEAD_MAX:
        raise InvalidInput.at("startDate", "lies too far from now", "too_far")
    await _require_coupons(tx, command.coupon_ids, plan)
    wish = Wish(
        id=SubscriptionId(tx.new_id("sub")),
        customer_id=customer.id,
        agreed=Agreed(plan.id, plan.price_version, command.quantity),
        interval=plan.interval,
        timezone=zone,
        started_at=start,
        trial_end=_trial_end(plan, command.trial, start, zone),
        anchor_day=command.anchor_day,
        coupon_ids=command.coupon_ids,
        metadata=command.metadata,
    )
    agreement = await agreements.beside(tx, wish.draft(tx.now), plan)
    return await _stepped(tx, agreement, agreement.begin(tx.now))


class UpdateSubscription(Struct, frozen=True, kw_only=True):
    """What to change; what is None stays. Coupons replace those it has."""

    subscription_id: SubscriptionId
    metadata: Mapping[str, str] | None = None
    coupon_ids: tuple[CouponId, ...] | None = None
    quantity: int | None = None
    proration: Proration = Proration.CREATE
    expected_version: int | None = None


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def update_subscription(tx: Tx, command: UpdateSubscription) -> Stepped:
    """Change its words, its coupons, or how many of the plan there are, at the agreed prices.

    Raises:
        PreconditionFailed: another version than the expected one.
        IllegalTransition: it is in no state for another quantity.
    """
    agreement = await agreements.lock(tx, command.subscription_id)
    found = agreement.subscription
    if command.expected_version not in {None, found.version}:
        raise PreconditionFailed(f"{found.id} is at version {found.version}.")
    agreement = await _caught_up(tx, agreement)
    after = before = agreement.subscription
    if command.metadata is not None:
        after = replace(after, metadata=dict(command.metadata))
    if command.coupon_ids is not None:
        known = [given.coupon_id for given in before.coupons]
        await _require_coupons(tx, command.coupon_ids, agreement.plan, known)
        after = after.give(command.coupon_ids, tx.now)
    stepped = await _stepped(tx, agreement, before.edit(after))
    if command.quantity is None:
        return stepped
    agreement = await agreements.beside(tx, stepped.subscription)
    agreed = replace(before.agreed, quantity=command.quantity)
    return await _changed(tx, agreement, agreed, command.proration)


class ChangePlan(Struct, frozen=True, kw_only=True):
    """Another plan at its current prices; the quantity stays unless told otherwise."""

    subscription_id: SubscriptionId
    plan_id: PlanId
    quantity: int | None = None
    proration: Proration = Proration.CREATE


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def change_plan(tx: Tx, command: ChangePlan) -> Stepped:
    """Change the plan now, or with the next period.

    Raises:
        NotFound: no such subscription or plan.
        PlanIsArchived: nobody changes to the plan any more.
        AlreadySubscribed: the customer has another running subscription to the plan.
        IllegalTransition: it rests, has ended, or ends with its period.
    """
    found = await agreements.lock(tx, command.subscription_id)
    subscription = (await _caught_up(tx, found)).subscription
    customer = await customers.lock(tx, subscription.customer_id, even_deleted=True)
    plan = await _subscribable(tx, command.plan_id, customer, subscription.id)
    agreement = await agreements.beside(tx, subscription, plan)
    quantity = subscription.quantity if command.quantity is None else command.quantity
    agreed = Agreed(plan.id, plan.price_version, quantity)
    return await _changed(tx, agreement, agreed, command.proration)


class StepSubscription(Struct, frozen=True):
    """A step that needs no words: pause, resume, reactivate, renew."""

    subscription_id: SubscriptionId


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def pause_subscription(tx: Tx, command: StepSubscription) -> Stepped:
    """Rest from now on; the rest of the period is given back.

    Raises:
        IllegalTransition: it is in no state to rest.
    """
    agreement = await _caught_up(tx, await agreements.lock(tx, command.subscription_id))
    await pending_lines.require_room(tx, command.subscription_id)
    return await _stepped(tx, agreement, agreement.pause(agreement.moment(tx.now)))


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def resume_subscription(tx: Tx, command: StepSubscription) -> Stepped:
    """Go on after a pause.

    Raises:
        IllegalTransition: it is not paused.
    """
    agreement = await _caught_up(tx, await agreements.lock(tx, command.subscription_id))
    return await _stepped(tx, agreement, agreement.resume(agreement.moment(tx.now)))


class CancelSubscription(Struct, frozen=True, kw_only=True):
    """End it with the current period, or now; `is_credited` gives back the rest of the period."""

    subscription_id: SubscriptionId
    at_period_end: bool = True
    is_credited: bool = False
    reason: str | None = None


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def cancel_subscription(tx: Tx, command: CancelSubscription) -> Stepped:
    """Cancel it.

    Raises:
        IllegalTransition: it has ended already.
    """
    agreement = await _caught_up(tx, await agreements.lock(tx, command.subscription_id))
    if command.at_period_end:
        change = agreement.subscription.cancel_at_end(tx.now, command.reason)
    else:
        at = agreement.moment(tx.now)
        change = agreement.cancel(at, command.reason, is_credited=command.is_credited)
    return await _stepped(tx, agreement, change)


@operation(requires=Permission.SUBSCRIPTION_WRITE)
async def reactivate_subscription(tx: Tx, command: StepSubscription) -> Stepped:
    """Take a cancellation back, within the organization's days of grace.

    Raises:
        IllegalTransition: it was not canceled.
        GraceIsOver: it ended too long ago.
        AlreadySubscribed: the customer has subscribed to the plan anew.
    """
    agreement = await _caught_up(tx, await agreements.lock(tx, command.subscription_id))
    before = agreement.subscription
    organization = await orgs.get(tx)
    until = grace_end(
        before.ended_at or tx.now, organization.reactivation_grace_days, organization.timezone
    )
    change = agreement.reactivate(agreement.moment(tx.now), grace_end=until)
    await _require_single(tx, before.customer_id, before.plan_id, besides=before.id)
    return await _stepped(tx, agreement, change)


async def _changed(tx: Tx, agreement: Agreement, agreed: Agreed, proration: Proration) -> Stepped:
    await pending_lines.require_room(tx, agreement.subscription.id)
    return await _stepped(
        tx, agreement, agreement.change(agreed, proration, agreement.moment(tx.now))
    )


async def _caught_up(tx: Tx, agreement: Agreement) -> Agreement:
    """The agreement in the period of now: what billing has not come to yet is done first."""
    for _ in range(PERIODS_AT_ONCE_MAX):
        if not agreement.is_behind(tx.now):
            break
        stepped = await _stepped(tx, agreement, agreement.turn())
        agreement = await agreements.beside(tx, stepped.subscription)
    return agreement


async def _subscribable(
    tx: Tx, plan_id: PlanId, customer: Customer, besides: SubscriptionId | None = None
) -> Plan:
    plan = await plans.get(tx, plan_id)
    if plan.status is PlanStatus.ARCHIVED:
        raise PlanIsArchived(f"Plan {plan.id} is archived; nobody subscribes to it any more.")
    if plan.currency != customer.currency:
        says = f"is priced in {plan.currency}; the customer pays in {customer.currency}"
        raise InvalidInput.at("planId", says, "mismatch")
    await _require_single(tx, customer.id, plan.id, besides=besides)
    return plan


async def _require_single(
    tx: Tx, customer_id: CustomerId, plan_id: PlanId, *, besides: SubscriptionId | None
) -> None:
    running = await subscriptions.running(tx, customer_id, plan_id)
    if running not in {None, besides}:
        raise AlreadySubscribed(
            f"The customer has a running subscription to {plan_id}.",
            facts={"subscriptionId": running},
        )


def _trial_end(plan: Plan, wish: TrialWish | None, start: Instant, timezone: str) -> Instant | None:
    if wish is None:
        return days_after(start, plan.trial_days, timezone) if plan.trial_days else None
    if wish.end is None:
        return None
    if not start < wish.end <= days_after(start, TRIAL_DAYS_MAX, timezone):
        says = f"lies after the start, by {TRIAL_DAYS_MAX} days at most"
        raise InvalidInput.at("trialEnd", says, "too_far")
    return wish.end


async def _require_coupons(
    tx: Tx, coupon_ids: Sequence[CouponId], plan: Plan, known: Collection[CouponId] = ()
) -> None:
    if len(set(coupon_ids)) < len(coupon_ids):
        raise InvalidInput.at("couponIds", "names a coupon twice", "duplicate")
    for coupon_id in coupon_ids:
        coupon = await coupons.get(tx, coupon_id)
        if coupon.status is CouponStatus.ARCHIVED and coupon_id not in known:
            raise CouponIsArchived(f"Coupon {coupon.id} is archived; nobody gets it any more.")
        if coupon.amount_off is not None and coupon.amount_off.currency != plan.currency:
            says = f"takes off {coupon.amount_off.currency}, not {plan.currency}"
            raise InvalidInput.at("couponIds", says, "mismatch")


async def _stepped(tx: Tx, agreement: Agreement, change: Change | None) -> Stepped:
    if change is None or not change.rows:
        return Stepped(agreement.subscription)
    written = (await apply(tx, change))[agreement.subscription.id]
    assert isinstance(written, Subscription)
    return Stepped(written, tuple(x for x in change.pending if isinstance(x, PendingLine)))
