"""Rows of subscriptions, and what they agreed to from when on."""

from uuid import UUID

import msgspec

from bursar.domain.ids import CustomerId, PlanId, SubscriptionId, print_id, uuid_of
from bursar.domain.plan_rows import row_to_subscription
from bursar.domain.refusals import NotFound
from bursar.domain.subscriptions import Agreed, Subscription
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, subscription_id: SubscriptionId) -> Subscription:
    """One subscription.

    Raises:
        NotFound: no such subscription in this organization.
    """
    row = await tx.fetchrow(Q.get_subscription, uuid_of(tx.org_id), uuid_of(subscription_id))
    if row is None:
        raise NotFound(f"No subscription {subscription_id}.")
    return row_to_subscription(row)


async def running(tx: Tx, customer_id: CustomerId, plan_id: PlanId) -> SubscriptionId | None:
    """The customer's running subscription to a plan, if there is one."""
    key = uuid_of(tx.org_id), uuid_of(customer_id), uuid_of(plan_id)
    found = await tx.fetchval(Q.running_subscription, *key)
    return None if found is None else SubscriptionId(print_id("sub", found))


async def count_running(tx: Tx, customer_id: CustomerId) -> int:
    """How many subscriptions of a customer have not ended."""
    return int(await tx.fetchval(Q.count_running, uuid_of(tx.org_id), uuid_of(customer_id)))


async def save(tx: Tx, row: Subscription) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    key, agreed = (uuid_of(tx.org_id), uuid_of(row.id)), _columns(row.agreed)
    values = (
        *key,
        uuid_of(row.customer_id),
        row.started_at,
        row.created_at,
        row.version,
        row.sequence,
        row.updated_at,
        *agreed,
        row.agreed_since,
        row.status.value,
        row.anchor_day,
        row.anchored_at,
        row.period.start,
        row.period.end,
        *_columns(row.charged),
        *_columns(row.scheduled),
        msgspec.json.encode(row.coupons).decode(),
        row.trial_end,
        row.cancel_at_period_end,
        row.cancel_reason,
        row.canceled_at,
        row.paused_at,
        row.ended_at,
        msgspec.json.encode(row.metadata).decode(),
    )
    query = Q.insert_subscription if row.version == 1 else Q.update_subscription
    replaced(row, await tx.execute(query, *values))
    await tx.execute(Q.note_terms, *key, row.agreed_since, *agreed)


def _columns(agreed: Agreed | None) -> tuple[UUID | None, int | None, int | None]:
    if agreed is None:
        return None, None, None
    return uuid_of(agreed.plan_id), agreed.plan_version, agreed.quantity
