"""What the database keeps of webhook endpoints and deliveries becomes those nouns again."""

from collections.abc import Sequence

from bursar.domain import ids
from bursar.domain.endpoint_health import Health
from bursar.domain.rows import Record
from bursar.domain.webhook_subscriptions import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    OffReason,
    WebhookSubscription,
)


def row_to_webhook_subscription(record: Record) -> WebhookSubscription:
    """From every column of `webhook_subscriptions`."""
    return WebhookSubscription(
        id=ids.WebhookSubscriptionId(ids.print_id("wh", record["id"])),
        url=record["url"],
        event_types=tuple(record["event_types"]),
        description=record["description"],
        retry_delays_seconds=tuple(record["retry_delays_seconds"]),
        has_body_signature=record["has_body_signature"],
        secret_sealed=record["secret_sealed"],
        former_secret_sealed=record["former_secret_sealed"],
        former_secret_until=record["former_secret_until"],
        is_active=record["is_active"],
        paused_at=record["paused_at"],
        off_reason=None if record["off_reason"] is None else OffReason(record["off_reason"]),
        off_at=record["off_at"],
        deleted_at=record["deleted_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def row_to_health(record: Record) -> Health:
    """From the columns of `webhook_lanes` that tell it."""
    return Health(
        failures=record["failures"],
        first_failed_at=record["first_failed_at"],
        went_down_at=record["went_down_at"],
        trials=record["trials"],
        held_until=record["held_until"],
    )


def row_to_delivery(record: Record, attempts: Sequence[Record] = ()) -> Delivery:
    """From every column of `webhook_deliveries`, and its rows of `webhook_attempts`, if wanted."""
    return Delivery(
        id=ids.DeliveryId(ids.print_id("whd", record["id"])),
        subscription_id=ids.WebhookSubscriptionId(ids.print_id("wh", record["subscription_id"])),
        event_id=ids.EventId(ids.print_id("evt", record["event_id"])),
        event_type=record["event_type"],
        sequence=record["sequence"],
        status=DeliveryStatus(record["status"]),
        attempt_count=record["attempt_count"],
        next_attempt_at=record["next_attempt_at"],
        last_attempt_at=record["last_attempt_at"],
        last_status=record["last_status"],
        created_at=record["created_at"],
        attempts=tuple(row_to_delivery_attempt(attempt) for attempt in attempts),
    )


def row_to_delivery_attempt(record: Record) -> DeliveryAttempt:
    """From every column of `webhook_attempts`."""
    return DeliveryAttempt(
        number=record["attempt"],
        attempted_at=record["attempted_at"],
        duration_ms=record["duration_ms"],
        status=record["status"],
        failure=record["failure"],
        excerpt=record["excerpt"],
    )
