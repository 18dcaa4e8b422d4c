"""Webhook endpoints and what was sent to them, as the world sees them; never the signing secret."""

from typing import Literal

from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant
from bursar.domain.webhook_subscriptions import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    WebhookSubscription,
)


class WebhookSubscriptionOut(Shape, frozen=True, kw_only=True):
    """One endpoint."""

    id: str
    object: Literal["webhook_subscription"] = "webhook_subscription"
    url: str
    event_types: tuple[str, ...]
    description: str | None
    is_active: bool
    deleted_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, subscription: WebhookSubscription) -> "WebhookSubscriptionOut":
        """The endpoint's shape."""
        return cls(
            id=subscription.id,
            url=subscription.url,
            event_types=subscription.event_types,
            description=subscription.description,
            is_active=subscription.is_active,
            deleted_at=instant(subscription.deleted_at),
            version=subscription.version,
            created_at=wire_instant(subscription.created_at),
            updated_at=wire_instant(subscription.updated_at),
        )


class DeliveryAttemptOut(Shape, frozen=True, kw_only=True):
    """One try: the endpoint's status and the start of its answer, or why there was none."""

    number: int
    attempted_at: WireInstant
    duration_ms: int
    response_status: int | None
    response_body: str
    failure: str | None

    @classmethod
    def of(cls, attempt: DeliveryAttempt) -> "DeliveryAttemptOut":
        """The attempt's shape."""
        return cls(
            number=attempt.number,
            attempted_at=wire_instant(attempt.attempted_at),
            duration_ms=attempt.duration_ms,
            response_status=attempt.status,
            response_body=attempt.excerpt,
            failure=attempt.failure,
        )


class DeliveryOut(Shape, frozen=True, kw_only=True):
    """One event on its way to one endpoint."""

    id: str
    object: Literal["webhook_delivery"] = "webhook_delivery"
    webhook_subscription_id: str
    event_id: str
    event_type: str
    status: DeliveryStatus
    attempt_count: int
    last_attempt_at: WireInstant | None
    next_attempt_at: WireInstant | None
    last_response_status: int | None
    attempts: tuple[DeliveryAttemptOut, ...]
    created_at: WireInstant

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """The delivery's shape."""
        return cls(
            id=delivery.id,
            webhook_subscription_id=delivery.subscription_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            status=delivery.status,
            attempt_count=delivery.attempt_count,
            last_attempt_at=instant(delivery.last_attempt_at),
            next_attempt_at=instant(delivery.next_attempt_at),
            last_response_status=delivery.last_status,
            attempts=tuple(DeliveryAttemptOut.of(attempt) for attempt in delivery.attempts),
            created_at=wire_instant(delivery.created_at),
        )
