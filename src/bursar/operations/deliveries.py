"""Webhook deliveries: what became of one, and what is tried again by hand."""

from uuid import UUID

from msgspec import Struct

from bursar.domain.access import Permission, Role
from bursar.domain.ids import DeliveryId, WebhookSubscriptionId
from bursar.domain.mails import MailKind, NewMail
from bursar.domain.refusals import IllegalTransition
from bursar.domain.sending import WebhookAnswer
from bursar.domain.times import wire_instant
from bursar.domain.webhook_subscriptions import (
    Delivery,
    EndpointStatus,
    OffReason,
    WebhookSubscription,
)
from bursar.domain.webhooks import JITTER_MAX_PERMILLE, DeliveryVerdict, next_attempt
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.runtime.logging import get_log
from bursar.store import deliveries, mails, members, webhook_subscriptions
from bursar.store.apply import apply
from bursar.store.deliveries import HeldDelivery, Settled

log = get_log()


class SettleDelivery(Struct, frozen=True):
    """What came back from the endpoint."""

    delivery_id: DeliveryId
    lease: UUID
    answer: WebhookAnswer


@operation(requires=Permission.WEBHOOK_DELIVER)
async def settle_delivery(tx: Tx, command: SettleDelivery) -> None:
    """Keep the attempt; deliver, reschedule or give up. A lost lease keeps nothing."""
    answer, again_at = command.answer, None
    is_good = answer.verdict is DeliveryVerdict.DELIVERED
    held = await deliveries.hold(tx, command.delivery_id, command.lease)
    if held is None:
        return
    if answer.verdict is DeliveryVerdict.RETRY:
        again_at = next_attempt(
            held.tried + 1,
            tx.wall,
            jitter_permille=_jitter(command.delivery_id),
            retry_after_seconds=answer.retry_after_seconds,
            delays_seconds=held.retry_delays_seconds,
        )
    before = held.health
    health = before.after_success() if is_good else before.after_failure(tx.wall)
    settled = Settled(
        delivery_id=command.delivery_id,
        lease=command.lease,
        answer=answer,
        again_at=again_at,
        health=health,
    )
    if not await deliveries.settle(tx, held, settled):
        return
    if again_at is None and not is_good:
        _say_given_up(command, held)
    if before.went_down_at is not None and not health.is_down:
        await webhook_subscriptions.bring_back(tx, held.subscription_id, before.went_down_at)
    if answer.verdict is DeliveryVerdict.SWITCH_OFF:
        await _switch_off(tx, held.subscription_id, OffReason.GONE)
    elif not is_good and health.is_given_up(tx.wall):
        await _switch_off(tx, held.subscription_id, OffReason.FAILING)


class RetryDelivery(Struct, frozen=True):
    """A delivery to try now, whatever became of it."""

    delivery_id: DeliveryId


@operation(requires=Permission.WEBHOOK_WRITE)
async def retry_delivery(tx: Tx, command: RetryDelivery) -> Delivery:
    """Try a delivery now, with a schedule of its own; a delivered one is sent once more.

    Raises:
        NotFound: no such delivery, or its endpoint was deleted.
        IllegalTransition: its endpoint is switched off.
    """
    endpoint_id = await deliveries.endpoint_of(tx, command.delivery_id)
    endpoint = await webhook_subscriptions.get(tx, endpoint_id)
    if endpoint.status is EndpointStatus.OFF:
        raise IllegalTransition(f"{endpoint.id} is off; resume it first.")
    return await deliveries.retry(tx, command.delivery_id)


async def _switch_off(tx: Tx, subscription_id: WebhookSubscriptionId, reason: OffReason) -> None:
    subscription = await webhook_subscriptions.get(tx, subscription_id)
    change = subscription.switch_off(reason, tx.wall)
    if change is not None:
        await apply(tx, change)
        await webhook_subscriptions.give_up_deliveries(tx, subscription.id)
        await _tell_owners(tx, subscription, reason)


async def _tell_owners(tx: Tx, subscription: WebhookSubscription, reason: OffReason) -> None:
    for address, name in await members.addresses(tx, (Role.OWNER, Role.ADMIN)):
        words = {
            "name": name,
            "url": subscription.url,
            "at": wire_instant(tx.wall),
            "reason": reason.value,
        }
        mail = NewMail(kind=MailKind.WEBHOOK_SWITCHED_OFF, recipient=address, parameters=words)
        await mails.post(tx, mail)


def _say_given_up(command: SettleDelivery, held: HeldDelivery) -> None:
    """For whoever runs the installation: an endpoint's owner sees it among the deliveries."""
    log.warning(
        "webhook.given_up",
        delivery_id=command.delivery_id,
        subscription_id=held.subscription_id,
        attempts=held.tried + 1,
        status=command.answer.status,
        failure=command.answer.failure,
    )


def _jitter(delivery_id: DeliveryId) -> int:
    """Between -100 and 100 permille, from the id's random tail."""
    return int(delivery_id[-8:], 16) % (2 * JITTER_MAX_PERMILLE + 1) - JITTER_MAX_PERMILLE
