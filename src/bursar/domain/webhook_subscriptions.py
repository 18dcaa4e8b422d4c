"""Webhook endpoints: where an organization wants to hear of its events.

The signing secret is shown once and kept encrypted. How a delivery is signed and retried stands in
`domain.webhooks`.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.endpoint_health import Health
from bursar.domain.event_names import PUBLIC_EVENTS
from bursar.domain.events import (
    WebhookSubscriptionCreated,
    WebhookSubscriptionDeleted,
    WebhookSubscriptionPaused,
    WebhookSubscriptionReplayed,
    WebhookSubscriptionResumed,
    WebhookSubscriptionRotated,
    WebhookSubscriptionSwitchedOff,
    WebhookSubscriptionTested,
    WebhookSubscriptionUpdated,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import DeliveryId, EventId, WebhookSubscriptionId
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.times import Instant
from bursar.domain.webhooks import (
    EVENT_TYPE_ALL,
    RETRIES_MAX,
    RETRY_DELAY_MAX_SECONDS,
    NamedPolicy,
    RetryPolicy,
)

ROTATION_OVERLAP: Final = timedelta(hours=24)
"""How long the former secret signs beside the new one."""


class EndpointStatus(StrEnum):
    """Whether an endpoint hears of events: now, later, or not at all."""

    ACTIVE = "active"
    PAUSED = "paused"  # what happens waits for it
    OFF = "off"  # what happens passes it by


class OffReason(StrEnum):
    """Why an endpoint was switched off."""

    GONE = "gone"  # it said 410
    FAILING = "failing"  # nothing but failure for days


class WebhookSubscription(Struct, frozen=True):
    """One endpoint. `is_active` means that events are collected for it, paused or not.

    `has_body_signature`: the signature over the body alone goes out beside the one with a time.
    """

    id: WebhookSubscriptionId
    url: str
    event_types: tuple[str, ...]
    description: str | None
    retry_delays_seconds: tuple[int, ...]
    has_body_signature: bool
    secret_sealed: bytes
    former_secret_sealed: bytes | None
    former_secret_until: Instant | None
    is_active: bool
    paused_at: Instant | None
    off_reason: OffReason | None
    off_at: Instant | None
    deleted_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def status(self) -> EndpointStatus:
        """What becomes of the events of now."""
        if not self.is_active:
            return EndpointStatus.OFF
        return EndpointStatus.ACTIVE if self.paused_at is None else EndpointStatus.PAUSED

    @property
    def retry_policy(self) -> RetryPolicy:
        """The name of how it is tried again."""
        for policy in NamedPolicy:
            if self.retry_delays_seconds == policy.delays_seconds:
                return RetryPolicy(policy)
        return RetryPolicy.CUSTOM

    def edit(self, after: "WebhookSubscription") -> Change | None:
        """Another URL, other event types or the like; what waits goes there too.

        Raises:
            InvalidInput: no event type, or one that is not delivered; retries out of bounds.
        """
        _require_event_types(after.event_types)
        _require_delays(after.retry_delays_seconds)
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionUpdated(after, self),))

    def pause(self, at: Instant) -> Change | None:
        """Nothing is sent until it is resumed; what happens meanwhile waits.

        Raises:
            IllegalTransition: it is switched off.
        """
        self._require_on("paused")
        if self.paused_at is not None:
            return None
        after = replace(self, paused_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionPaused(after, self),))

    def resume(self) -> Change | None:
        """It is sent to again, paused or switched off as it was."""
        if self.status is EndpointStatus.ACTIVE:
            return None
        after = replace(
            self,
            is_active=True,
            paused_at=None,
            off_reason=None,
            off_at=None,
            version=self.version + 1,
        )
        return Change(rows=(after,), events=(WebhookSubscriptionResumed(after, self),))

    def rotate(self, secret_sealed: bytes, at: Instant) -> Change:
        """A new secret; the one before signs beside it for a day, and any older one no more."""
        after = replace(
            self,
            secret_sealed=secret_sealed,
            former_secret_sealed=self.secret_sealed,
            former_secret_until=at + ROTATION_OVERLAP,
            version=self.version + 1,
        )
        return Change(rows=(after,), events=(WebhookSubscriptionRotated(after, self),))

    def test(self) -> Change:
        """Somebody wants to see whether it answers.

        Raises:
            IllegalTransition: nothing is sent to it now.
        """
        if self.status is not EndpointStatus.ACTIVE:
            raise IllegalTransition(f"{self.id} is {self.status.value}; resume it first.")
        after = replace(self, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionTested(after, self),))

    def replay(self) -> Change:
        """Somebody has a stretch of the log sent once more.

        Raises:
            IllegalTransition: it is switched off.
        """
        self._require_on("replayed to")
        after = replace(self, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionReplayed(after, self),))

    def switch_off(self, reason: OffReason, at: Instant) -> Change | None:
        """Nothing is sent to it, or collected for it, until somebody resumes it."""
        if not self.is_active:
            return None
        after = replace(
            self, is_active=False, off_reason=reason, off_at=at, version=self.version + 1
        )
        return Change(rows=(after,), events=(WebhookSubscriptionSwitchedOff(after, self),))

    def delete(self, at: Instant) -> Change | None:
        """The endpoint is gone; deleting twice changes nothing."""
        if self.deleted_at is not None:
            return None
        after = replace(self, is_active=False, deleted_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(WebhookSubscriptionDeleted(after, self),))

    def _require_on(self, done: str) -> None:
        if not self.is_active:
            raise IllegalTransition(f"{self.id} is off; resume it before it is {done}.")


class ReplayScope(StrEnum):
    """Which events of a stretch are sent again."""

    FAILED = "failed"
    MISSED = "missed"  # and those that passed it by while it was off
    ALL = "all"


class Replayed(Struct, frozen=True):
    """How many deliveries of a stretch were taken up; `reached_at`: there is more from there on."""

    subscription: WebhookSubscription
    delivery_count: int
    reached_at: Instant | None


class EndpointCondition(Struct, frozen=True):
    """How an endpoint is doing, how much waits for it (up to a limit), and since when."""

    subscription: WebhookSubscription
    health: Health
    waiting_count: int
    waiting_since: Instant | None


class DeliveryStatus(StrEnum):
    """Where one event is on its way to one endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(Struct, frozen=True):
    """One try, and what came back: a status, or the reason why none did."""

    number: int
    attempted_at: Instant
    duration_ms: int
    status: int | None
    failure: str | None
    excerpt: str


class Delivery(Struct, frozen=True):
    """One event on its way to one endpoint, with the tries so far."""

    id: DeliveryId
    subscription_id: WebhookSubscriptionId
    event_id: EventId
    event_type: str
    sequence: int
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
        InvalidInput: no event type, or one that is not delivered; retries out of bounds.
    """
    _require_event_types(subscription.event_types)
    _require_delays(subscription.retry_delays_seconds)
    return Change(rows=(subscription,), events=(WebhookSubscriptionCreated(subscription),))


def _require_delays(delays_seconds: Sequence[int]) -> None:
    if not 1 <= len(delays_seconds) <= RETRIES_MAX:
        raise InvalidInput.at(
            "retryDelaysSeconds", f"expected 1 to {RETRIES_MAX} delays", "out_of_range"
        )
    if not all(1 <= each <= RETRY_DELAY_MAX_SECONDS for each in delays_seconds):
        raise InvalidInput.at(
            "retryDelaysSeconds", "expected seconds, up to a day each", "out_of_range"
        )


def _require_event_types(event_types: tuple[str, ...]) -> None:
    unknown = sorted(set(event_types) - set(PUBLIC_EVENTS) - {EVENT_TYPE_ALL})
    if unknown:
        raise InvalidInput.at("eventTypes", f"{unknown[0]} is not an event type", "unknown_event")
    if not event_types:
        raise InvalidInput.at("eventTypes", "name at least one event type, or *", "too_short")
