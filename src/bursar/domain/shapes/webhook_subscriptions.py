"""Webhook endpoints and what was sent to them, as the world sees them; never the signing secret."""

from typing import Literal

from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant
from bursar.domain.webhook_subscriptions import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    EndpointCondition,
    EndpointStatus,
    OffReason,
    Replayed,
    WebhookSubscription,
)
from bursar.domain.webhooks import RetryPolicy


class WebhookSubscriptionOut(Shape, frozen=True, kw_only=True):
    """One endpoint.

    `status` is `active`, `paused` (what happens waits for it) or `off` (what happens passes it by).
    Until `rotationEndsAt` the secret before the current one signs as well. What it does not take is
    tried again after each of `retryDelaysSeconds`, give or take a tenth. Without `hasBodySignature`
    nothing that is sent carries `X-Webhook-Signature`.
    """

    id: str
    object: Literal["webhook_subscription"] = "webhook_subscription"
    url: str
    event_types: tuple[str, ...]
    description: str | None
    retry_policy: RetryPolicy
    retry_delays_seconds: tuple[int, ...]
    has_body_signature: bool
    status: EndpointStatus
    is_active: bool
    paused_at: WireInstant | None
    off_reason: OffReason | None
    off_at: WireInstant | None
    rotation_ends_at: WireInstant | None
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
            retry_policy=subscription.retry_policy,
            retry_delays_seconds=subscription.retry_delays_seconds,
            has_body_signature=subscription.has_body_signature,
            status=subscription.status,
            is_active=subscription.status is EndpointStatus.ACTIVE,
            paused_at=instant(subscription.paused_at),
            off_reason=subscription.off_reason,
            off_at=instant(subscription.off_at),
            rotation_ends_at=instant(subscription.former_secret_until),
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
    sequence: int
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
            sequence=delivery.sequence,
            status=delivery.status,
            attempt_count=delivery.attempt_count,
            last_attempt_at=instant(delivery.last_attempt_at),
            next_attempt_at=instant(delivery.next_attempt_at),
            last_response_status=delivery.last_status,
            attempts=tuple(DeliveryAttemptOut.of(attempt) for attempt in delivery.attempts),
            created_at=wire_instant(delivery.created_at),
        )


class ReplayOut(Shape, frozen=True, kw_only=True):
    """How many deliveries go out again.

    `nextFrom` is null when that is all; else the stretch had too many, and a replay from there on
    takes up the rest.
    """

    webhook_subscription_id: str
    object: Literal["webhook_replay"] = "webhook_replay"
    delivery_count: int
    next_from: WireInstant | None

    @classmethod
    def of(cls, replayed: Replayed) -> "ReplayOut":
        """What became of the wish."""
        return cls(
            webhook_subscription_id=replayed.subscription.id,
            delivery_count=replayed.delivery_count,
            next_from=instant(replayed.reached_at),
        )


class EndpointHealthOut(Shape, frozen=True, kw_only=True):
    """How an endpoint is doing.

    `condition` is `healthy`, `failing` (the last attempts failed) or `down` (only a trial is sent
    now and then, the next one at `nextTrialAt`). `waitingCount` counts up to 10,000.
    """

    webhook_subscription_id: str
    object: Literal["webhook_endpoint_health"] = "webhook_endpoint_health"
    status: EndpointStatus
    condition: Literal["healthy", "failing", "down"]
    consecutive_failures: int
    first_failed_at: WireInstant | None
    went_down_at: WireInstant | None
    next_trial_at: WireInstant | None
    waiting_count: int
    waiting_since: WireInstant | None

    @classmethod
    def of(cls, found: EndpointCondition) -> "EndpointHealthOut":
        """The condition's shape."""
        health = found.health
        failing: Literal["healthy", "failing"] = "failing" if health.failures else "healthy"
        return cls(
            webhook_subscription_id=found.subscription.id,
            status=found.subscription.status,
            condition="down" if health.is_down else failing,
            consecutive_failures=health.failures,
            first_failed_at=instant(health.first_failed_at),
            went_down_at=instant(health.went_down_at),
            next_trial_at=instant(health.held_until),
            waiting_count=found.waiting_count,
            waiting_since=instant(found.waiting_since),
        )
