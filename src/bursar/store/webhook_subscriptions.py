"""Rows of webhook endpoints."""

from bursar.domain.ids import WebhookSubscriptionId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_webhook_subscription
from bursar.domain.webhook_subscriptions import WebhookSubscription
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, subscription_id: WebhookSubscriptionId) -> WebhookSubscription:
    """One endpoint, locked.

    Raises:
        NotFound: no such endpoint in this organization, or a deleted one.
    """
    row = await tx.fetchrow(Q.get_subscription, uuid_of(tx.org_id), uuid_of(subscription_id))
    if row is None or row["deleted_at"] is not None:
        raise NotFound(f"No webhook subscription {subscription_id}.")
    return row_to_webhook_subscription(row)


async def count(tx: Tx) -> int:
    """How many endpoints there are."""
    return int(await tx.fetchval(Q.count_subscriptions, uuid_of(tx.org_id)))


async def give_up_deliveries(tx: Tx, subscription_id: WebhookSubscriptionId) -> None:
    """Nothing that waits for this endpoint is sent any more."""
    await tx.execute(Q.give_up_deliveries, uuid_of(tx.org_id), uuid_of(subscription_id))


async def save(tx: Tx, row: WebhookSubscription) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.url,
        list(row.event_types),
        row.description,
        row.secret_sealed,
        row.is_active,
        row.deleted_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_subscription if row.version == 1 else Q.update_subscription
    replaced(row, await tx.execute(query, *values))
