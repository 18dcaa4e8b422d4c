"""Webhook deliveries: what to send, and what became of it."""

from dataclasses import dataclass
from uuid import UUID

from bursar.domain.access import Permission
from bursar.domain.ids import DeliveryId
from bursar.domain.sending import WebhookAnswer, WebhookRequest
from bursar.domain.shapes.events import event_body
from bursar.domain.webhooks import JITTER_MAX_PERMILLE, DeliveryVerdict, next_attempt
from bursar.runtime.app import operation
from bursar.runtime.crypto import sign_body, sign_standard
from bursar.runtime.db import Tx
from bursar.store import deliveries, webhook_subscriptions
from bursar.store.apply import apply


@dataclass(frozen=True, slots=True)
class BeginDelivery:
    """A delivery that this worker leases."""

    delivery_id: DeliveryId
    lease: UUID


@operation(requires=Permission.WEBHOOK_DELIVER)
async def begin_delivery(tx: Tx, command: BeginDelivery) -> WebhookRequest | None:
    """The signed request; nothing, when the lease is lost or the endpoint is gone."""
    found = await deliveries.leased(tx, command.delivery_id, command.lease)
    if found is None or not found.is_active:
        return None
    secret = tx.keys.unseal(found.secret_sealed, context=found.subscription_id.encode()).decode()
    event_id, body = found.event.id, event_body(found.event)
    timestamp = int(tx.wall.timestamp())
    return WebhookRequest(
        url=found.url,
        body=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "Bursar",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign_standard(
                secret, message_id=event_id, timestamp=timestamp, body=body
            ),
            "X-Webhook-Id": event_id,
            "X-Webhook-Timestamp": str(timestamp),
            "X-Webhook-Signature": sign_body(secret, body),
        },
    )


@dataclass(frozen=True, slots=True)
class SettleDelivery:
    """What came back from the endpoint."""

    delivery_id: DeliveryId
    lease: UUID
    answer: WebhookAnswer


@operation(requires=Permission.WEBHOOK_DELIVER)
async def settle_delivery(tx: Tx, command: SettleDelivery) -> None:
    """Keep the attempt; deliver, reschedule or give up. A lost lease keeps nothing."""
    found = await deliveries.leased(tx, command.delivery_id, command.lease)
    if found is None:
        return
    answer = command.answer
    again_at = None
    if answer.verdict is DeliveryVerdict.RETRY:
        again_at = next_attempt(
            found.attempt_count + 1,
            tx.wall,
            jitter_permille=_jitter(command.delivery_id),
            retry_after_seconds=answer.retry_after_seconds,
        )
    await deliveries.settle(tx, command.delivery_id, command.lease, answer, again_at)
    if answer.verdict is DeliveryVerdict.SWITCH_OFF:
        subscription = await webhook_subscriptions.get(tx, found.subscription_id)
        change = subscription.switch_off()
        if change is not None:
            await apply(tx, change)
            await webhook_subscriptions.give_up_deliveries(tx, subscription.id)


def _jitter(delivery_id: DeliveryId) -> int:
    """Between -100 and 100 permille, from the id's random tail."""
    return int(delivery_id[-8:], 16) % (2 * JITTER_MAX_PERMILLE + 1) - JITTER_MAX_PERMILLE
