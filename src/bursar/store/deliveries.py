"""Rows of webhook deliveries and their attempts: under the lease of one worker, or by hand."""

from uuid import UUID

from msgspec import Struct

from bursar.domain.endpoint_health import Health
from bursar.domain.ids import DeliveryId, WebhookSubscriptionId, print_id, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.sending import WebhookAnswer
from bursar.domain.times import Instant
from bursar.domain.webhook_rows import row_to_delivery, row_to_health
from bursar.domain.webhook_subscriptions import Delivery, DeliveryStatus, WebhookSubscription
from bursar.domain.webhooks import DeliveryVerdict
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


class HeldDelivery(Struct, frozen=True, kw_only=True):
    """One delivery that has been tried, and how its endpoint was doing; the lane is held."""

    subscription_id: WebhookSubscriptionId
    resource: UUID
    tried: int
    health: Health
    retry_delays_seconds: tuple[int, ...]


async def hold(tx: Tx, delivery_id: DeliveryId, lease: UUID) -> HeldDelivery | None:
    """The delivery, if this worker still holds its lease, with its lane held."""
    row = await tx.fetchrow(Q.hold_delivery, uuid_of(tx.org_id), uuid_of(delivery_id), lease)
    if row is None:
        return None
    return HeldDelivery(
        subscription_id=WebhookSubscriptionId(print_id("wh", row["subscription_id"])),
        resource=row["resource_id"],
        tried=row["tried"],
        health=row_to_health(row),
        retry_delays_seconds=tuple(row["retry_delays_seconds"]),
    )


class Settled(Struct, frozen=True, kw_only=True):
    """What became of one attempt."""

    delivery_id: DeliveryId
    lease: UUID
    answer: WebhookAnswer
    again_at: Instant | None
    health: Health


async def settle(tx: Tx, held: HeldDelivery, settled: Settled) -> bool:
    """Keep the attempt and what it means; says whether the lease still held."""
    answer, org_id = settled.answer, uuid_of(tx.org_id)
    status = DeliveryStatus.PENDING
    if settled.again_at is None:
        is_good = answer.verdict is DeliveryVerdict.DELIVERED
        status = DeliveryStatus.DELIVERED if is_good else DeliveryStatus.FAILED
    kept = await tx.execute(
        Q.settle_delivery,
        org_id,
        uuid_of(settled.delivery_id),
        settled.lease,
        status.value,
        settled.again_at,
        answer.status,
        answer.duration_ms,
        answer.failure.value if answer.failure is not None else None,
        answer.excerpt,
    )
    if kept != 1:
        return False
    health = settled.health
    await tx.execute(
        Q.after_attempt,
        org_id,
        uuid_of(held.subscription_id),
        None if settled.again_at is not None else held.resource,
        health.failures,
        health.first_failed_at,
        health.went_down_at,
        health.trials,
        health.held_until,
    )
    return True


async def endpoint_of(tx: Tx, delivery_id: DeliveryId) -> WebhookSubscriptionId:
    """Which endpoint a delivery goes to.

    Raises:
        NotFound: no such delivery in this organization.
    """
    found = await tx.fetchval(Q.lane_of, uuid_of(tx.org_id), uuid_of(delivery_id))
    if found is None:
        raise NotFound(f"No webhook delivery {delivery_id}.")
    return WebhookSubscriptionId(print_id("wh", found))


async def retry(tx: Tx, delivery_id: DeliveryId) -> Delivery:
    """Have it tried now; its endpoint's lane is held."""
    org_id = uuid_of(tx.org_id)
    row = await tx.fetchrow(Q.retry_delivery, org_id, uuid_of(delivery_id))
    if row is None:  # it is on its way this moment
        row = await tx.fetchrow(Q.get_one, org_id, uuid_of(delivery_id))
        assert row is not None
        return row_to_delivery(row)
    await tx.execute(Q.line_up, org_id, row["subscription_id"], row["resource_id"])
    await tx.execute(Q.look_again, org_id, row["subscription_id"])
    return row_to_delivery(row)


async def send_own_event(
    tx: Tx, subscription: WebhookSubscription, told_as: str | None
) -> Delivery:
    """Send an endpoint the last event about itself, told as that or as a sample of another."""
    org_id, endpoint = uuid_of(tx.org_id), uuid_of(subscription.id)
    delivery_id = uuid_of(tx.new_id("whd"))
    row = await tx.fetchrow(
        Q.send_one, org_id, delivery_id, endpoint, subscription.sequence, told_as
    )
    assert row is not None, "the event was told a moment ago"
    await tx.execute(Q.line_up, org_id, endpoint, endpoint)
    await tx.execute(Q.look_again, org_id, endpoint)
    return row_to_delivery(row)
