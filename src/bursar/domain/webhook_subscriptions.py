"""Webhook endpoints: where an organization wants to hear of its events.

The signing secret is shown once and kept encrypted. How a delivery is signed and retried stands in
`domain.webhooks`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from bursar.domain.change import Change
from bursar.domain.events import (
    PUBLIC_EVENTS,
    WebhookSubscriptionCreated,
    WebhookSubscriptionDeleted,
    WebhookSubscriptionUpdated,
)
from bursar.domain.ids import DeliveryId, EventId, WebhookSubscriptionId
from bursar.domain.refusals import InvalidInput
from bursar.domain.times import Instant
from bursar.domain.webhooks import EVENT_TYPE_ALL


@dataclass(frozen=True, slots=True)
class WebhookSubscription:
    """One endpoint."""

    id: WebhookSubscriptionId
    url: str
    event_types: tuple[str, ...]
    description: str | None
    secret_sealed: bytes
    is_active: bool
    deleted_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def switch_off(self) -> Change | None:
        """The endpoint said 410: nothing is sent to it any more."""
        if not self.is_active:
            return None
        after = replace(self, is_active=False, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionUpdated(after, self),))

    def delete(self, at: Instant) -> Change | None:
        """The endpoint is gone; deleting twice changes nothing."""
        if self.deleted_at is not None:
            return None
        after = replace(self, is_active=False, deleted_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionDeleted(after, self),))


class DeliveryStatus(StrEnum):
    """Where one event is on its way to one endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try, and what came back: a status, or the reason why none did."""

    number: int
    attempted_at: Instant
    duration_ms: int
    status: int | None
    failure: str | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint, with the tries so far."""

    id: DeliveryId
    subscription_id: WebhookSubscriptionId
    event_id: EventId
    event_type: str
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: Instant | None
    last_attempt_at: Instant | None
    last_status: int | None
    created_at: Instant
    attempts: tuple[DeliveryAttempt, ...] = ()


def subscribe(subscription: WebhookSubscription) -> Change:
    """A new endpoint.

    Raises:
        InvalidInput: no event type, or one that is not delivered.
    """
    unknown = sorted(set(subscription.event_types) - set(PUBLIC_EVENTS) - {EVENT_TYPE_ALL})
    if unknown:
        raise InvalidInput.at("eventTypes", f"{unknown[0]} is not an event type", "unknown_event")
    if not subscription.event_types:
        raise InvalidInput.at("eventTypes", "name at least one event type, or *", "too_short")
    return Change(rows=(subscription,), events=(WebhookSubscriptionCreated(subscription),))
