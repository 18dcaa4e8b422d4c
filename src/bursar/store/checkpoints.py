"""Rows of checkpoints, and how much of each log waits for the next one."""

from bursar.domain.checkpoint_rows import row_to_checkpoint
from bursar.domain.checkpoints import EVENTS_MAX, WAIT_MAX, Checkpoint
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def note_growth(tx: Tx, event_count: int) -> None:
    """So many events were sealed that no checkpoint covers."""
    await tx.execute(Q.note_growth, uuid_of(tx.org_id), event_count, EVENTS_MAX, WAIT_MAX)


async def take_growth(tx: Tx) -> bool:
    """Whether events waited for a checkpoint, which is now ours to tell."""
    return await tx.execute(Q.take_growth, uuid_of(tx.org_id)) == 1


async def last(tx: Tx) -> Checkpoint | None:
    """The last one that the organization was told."""
    row = await tx.fetchrow(Q.get_checkpoint, uuid_of(tx.org_id))
    return None if row is None else row_to_checkpoint(row)


async def save(tx: Tx, row: Checkpoint) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.position,
        row.hash,
        row.signature,
        row.public_key,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_checkpoint if row.version == 1 else Q.update_checkpoint
    replaced(row, await tx.execute(query, *values))
