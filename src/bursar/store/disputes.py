"""Rows of disputes."""

from bursar.domain.dispute_rows import row_to_dispute
from bursar.domain.disputes import Dispute
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def of_reference(tx: Tx, *, provider: str, reference: str) -> Dispute | None:
    """The dispute that a provider calls this, if we have heard of it."""
    row = await tx.fetchrow(Q.dispute_of_reference, uuid_of(tx.org_id), provider, reference)
    return None if row is None else row_to_dispute(row)


async def save(tx: Tx, row: Dispute) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.payment_id),
        None if row.invoice_id is None else uuid_of(row.invoice_id),
        None if row.customer_id is None else uuid_of(row.customer_id),
        row.status.value,
        row.amount.minor,
        row.withdrawn.minor,
        row.fee.minor,
        row.move_count,
        row.amount.currency,
        row.reason,
        row.provider,
        row.provider_reference,
        row.evidence_due_at,
        row.reported_at,
        row.closed_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_dispute if row.version == 1 else Q.update_dispute
    replaced(row, await tx.execute(query, *values))
