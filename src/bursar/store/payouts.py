"""Rows of payouts, and which movements processors list in each."""

from collections.abc import Sequence

from bursar.domain.ids import uuid_of
from bursar.domain.payout_rows import row_to_payout
from bursar.domain.payouts import Payout
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def of_reference(tx: Tx, *, provider: str, reference: str) -> Payout | None:
    """The payout that a provider calls this, if we have seen it."""
    row = await tx.fetchrow(Q.payout_of_reference, uuid_of(tx.org_id), provider, reference)
    return None if row is None else row_to_payout(row)


async def note_moves(tx: Tx, payout: Payout, references: Sequence[str]) -> None:
    """Keep which movements the processor lists in a payout."""
    names = payout.provider, payout.provider_reference
    await tx.execute(Q.note_payout_moves, uuid_of(tx.org_id), *names, list(references))


async def save(tx: Tx, row: Payout) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.provider,
        row.provider_reference,
        row.status.value,
        row.amount.minor,
        row.fee.minor,
        row.amount.currency,
        row.move_count,
        row.failure_code,
        row.sent_at,
        row.arrives_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_payout if row.version == 1 else Q.update_payout
    replaced(row, await tx.execute(query, *values))
