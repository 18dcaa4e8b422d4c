"""A subscription as the world sees it, and the lines that its steps leave for an invoice."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from bursar.domain.pending_lines import PendingKind, PendingLine, WaitingLine
from bursar.domain.shapes.fields import Cents, Shape, WireDecimal, WireInstant, decimal, instant
from bursar.domain.subscriptions import Agreed, GivenCoupon, Subscription, SubscriptionStatus
from bursar.domain.times import wire_instant


class ScheduledOut(Shape, frozen=True, kw_only=True):
    """What is agreed to from the next period on."""

    plan_id: str
    price_version: int
    quantity: int

    @classmethod
    def of(cls, agreed: Agreed) -> "ScheduledOut":
        """Its shape."""
        return cls(
            plan_id=agreed.plan_id, price_version=agreed.plan_version, quantity=agreed.quantity
        )


class GivenCouponOut(Shape, frozen=True, kw_only=True):
    """A coupon of a subscription: for periods that begin at `since` or later, before `until`."""

    coupon_id: str
    since: WireInstant
    until: WireInstant | None

    @classmethod
    def of(cls, given: GivenCoupon) -> "GivenCouponOut":
        """Its shape."""
        return cls(
            coupon_id=given.coupon_id,
            since=wire_instant(given.since),
            until=instant(given.until),
        )


class SubscriptionOut(Shape, frozen=True, kw_only=True):
    """One subscription. `canceledAt` is when that was asked for, `endedAt` when it took effect."""

    id: str
    object: Literal["subscription"] = "subscription"
    customer_id: str
    plan_id: str
    price_version: int
    status: SubscriptionStatus
    quantity: int
    billing_anchor_day: int
    start_date: WireInstant
    current_period_start: WireInstant
    current_period_end: WireInstant
    trial_end: WireInstant | None
    scheduled_change: ScheduledOut | None
    coupons: tuple[GivenCouponOut, ...]
    cancel_at_period_end: bool
    cancellation_reason: str | None
    canceled_at: WireInstant | None
    paused_at: WireInstant | None
    ended_at: WireInstant | None
    metadata: dict[str, str]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, subscription: Subscription) -> "SubscriptionOut":
        """The subscription's shape."""
        scheduled = subscription.scheduled
        return cls(
            id=subscription.id,
            customer_id=subscription.customer_id,
            plan_id=subscription.plan_id,
            price_version=subscription.agreed.plan_version,
            status=subscription.status,
            quantity=subscription.quantity,
            billing_anchor_day=subscription.anchor_day,
            start_date=wire_instant(subscription.started_at),
            current_period_start=wire_instant(subscription.period.start),
            current_period_end=wire_instant(subscription.period.end),
            trial_end=instant(subscription.trial_end),
            scheduled_change=None if scheduled is None else ScheduledOut.of(scheduled),
            coupons=tuple(map(GivenCouponOut.of, subscription.coupons)),
            cancel_at_period_end=subscription.cancel_at_period_end,
            cancellation_reason=subscription.cancel_reason,
            canceled_at=instant(subscription.canceled_at),
            paused_at=instant(subscription.paused_at),
            ended_at=instant(subscription.ended_at),
            metadata=subscription.metadata,
            version=subscription.version,
            created_at=wire_instant(subscription.created_at),
            updated_at=wire_instant(subscription.updated_at),
        )


class SubscriptionLineOut(Shape, frozen=True, kw_only=True):
    """A line for the next invoice; below zero it gives money back. Coupons come off on the invoice.

    A proration is net of coupons already.
    """

    kind: PendingKind
    description: str
    quantity: int
    unit_amount_decimal: WireDecimal
    amount_cents: Cents
    currency: str
    period_start: WireInstant
    period_end: WireInstant
    due_at: WireInstant

    @classmethod
    def of(cls, line: PendingLine) -> "SubscriptionLineOut":
        """The line's shape."""
        return cls(
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            unit_amount_decimal=decimal(line.unit_amount),
            amount_cents=line.amount.minor,
            currency=line.amount.currency,
            period_start=wire_instant(line.period.start),
            period_end=wire_instant(line.period.end),
            due_at=wire_instant(line.due_at),
        )


class SteppedSubscriptionOut(SubscriptionOut, frozen=True, kw_only=True):
    """A subscription after a step; `lines` is what the step leaves for the next invoice."""

    lines: tuple[SubscriptionLineOut, ...]

    @classmethod
    def after(
        cls, subscription: Subscription, lines: Iterable[PendingLine]
    ) -> "SteppedSubscriptionOut":
        """The shape of both."""
        shape = msgspec.structs.asdict(SubscriptionOut.of(subscription))
        return cls(**shape, lines=tuple(map(SubscriptionLineOut.of, lines)))


class PendingLineOut(Shape, frozen=True, kw_only=True):
    """A line of a subscription that waits for its next invoice."""

    id: str
    object: Literal["pending_line"] = "pending_line"
    customer_id: str
    subscription_id: str
    kind: PendingKind
    description: str
    quantity: int
    unit_amount_decimal: WireDecimal
    amount_cents: Cents
    currency: str
    period_start: WireInstant
    period_end: WireInstant
    due_at: WireInstant
    created_at: WireInstant

    @classmethod
    def of(cls, waiting: WaitingLine) -> "PendingLineOut":
        """The line's shape."""
        line = waiting.line
        return cls(
            id=waiting.id,
            customer_id=line.customer_id,
            subscription_id=line.subscription_id,
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            unit_amount_decimal=decimal(line.unit_amount),
            amount_cents=line.amount.minor,
            currency=line.amount.currency,
            period_start=wire_instant(line.period.start),
            period_end=wire_instant(line.period.end),
            due_at=wire_instant(line.due_at),
            created_at=wire_instant(waiting.created_at),
        )
