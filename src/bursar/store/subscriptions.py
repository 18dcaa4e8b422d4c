"""Rows of subscriptions."""

import msgspec

from bursar.domain.ids import uuid_of
from bursar.domain.subscriptions import Subscription
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def save(tx: Tx, row: Subscription) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.customer_id),
        uuid_of(row.plan_id),
        row.plan_version,
        row.status.value,
        row.quantity,
        row.anchor_day,
        row.started_at,
        row.period.start,
        row.period.end,
        row.trial_end,
        row.cancel_at_period_end,
        row.canceled_at,
        row.paused_at,
        row.ended_at,
        msgspec.json.encode(row.metadata).decode(),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_subscription if row.version == 1 else Q.update_subscription
    replaced(row, await tx.execute(query, *values))
