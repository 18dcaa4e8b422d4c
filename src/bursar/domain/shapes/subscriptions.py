"""A subscription as the world sees it."""

from typing import Literal

from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
from bursar.domain.times import wire_instant


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
    cancel_at_period_end: bool
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
        return cls(
            id=subscription.id,
            customer_id=subscription.customer_id,
            plan_id=subscription.plan_id,
            price_version=subscription.plan_version,
            status=subscription.status,
            quantity=subscription.quantity,
            billing_anchor_day=subscription.anchor_day,
            start_date=wire_instant(subscription.started_at),
            current_period_start=wire_instant(subscription.period.start),
            current_period_end=wire_instant(subscription.period.end),
            trial_end=instant(subscription.trial_end),
            cancel_at_period_end=subscription.cancel_at_period_end,
            canceled_at=instant(subscription.canceled_at),
            paused_at=instant(subscription.paused_at),
            ended_at=instant(subscription.ended_at),
            metadata=subscription.metadata,
            version=subscription.version,
            created_at=wire_instant(subscription.created_at),
            updated_at=wire_instant(subscription.updated_at),
        )
