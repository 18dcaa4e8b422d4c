"""Looks at a delivery that is about to be sent, with all that goes into its request.

The sealed secrets come along; only whoever signs the request opens them.
"""

from uuid import UUID

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.event_log import LoggedEvent
from bursar.domain.ids import DeliveryId, uuid_of
from bursar.domain.rows import row_to_event
from bursar.domain.times import Instant
from bursar.domain.webhook_rows import row_to_webhook_subscription
from bursar.domain.webhook_subscriptions import WebhookSubscription
from bursar.runtime import sql
from bursar.runtime.app import glance
from bursar.runtime.db import Record

Q = sql.beside(__file__)


class LeasedDelivery(Struct, frozen=True):
    """An event on its way to an endpoint, told as this type, at a moment."""

    id: DeliveryId
    lease: UUID
    endpoint: WebhookSubscription
    event: LoggedEvent
    told_as: str
    at: Instant


def _under_lease(delivery_id: DeliveryId, lease: UUID) -> tuple[object, ...]:
    return uuid_of(delivery_id), lease


@glance(requires=Permission.WEBHOOK_DELIVER, statement=Q.leased_deliveries, arguments=_under_lease)
def leased_delivery(row: Record, delivery_id: DeliveryId, lease: UUID) -> LeasedDelivery | None:
    """The delivery; nothing, when the lease on it is lost or its event was archived."""
    if row["told_as"] is None or row["event"] is None:
        return None
    return LeasedDelivery(
        id=delivery_id,
        lease=lease,
        endpoint=row_to_webhook_subscription(row["endpoint"]),
        event=row_to_event(row["event"]),
        told_as=row["told_as"],
        at=row["recorded_at"],
    )
