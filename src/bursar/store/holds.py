"""Rows of holds; each one's amount stands in its wallet's account for as long as it is open."""

import msgspec

from bursar.domain.holds import Hold
from bursar.domain.ids import HoldId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_hold
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import ledger
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, hold_id: HoldId) -> Hold:
    """One hold.

    Raises:
        NotFound: no such hold in this organization.
    """
    row = await tx.fetchrow(Q.get_hold, uuid_of(tx.org_id), uuid_of(hold_id))
    if row is None:
        raise NotFound(f"No hold {hold_id}.")
    return row_to_hold(row)


async def save(tx: Tx, row: Hold) -> None:
    """Set an amount aside, or free it with the end of the hold; nothing else ever changes.

    Raises:
        StaleVersion: somebody else ended it first.
        InsufficientFunds, WalletClosed: the wallet's account says no.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.wallet_id),
        row.status.value,
        row.amount.minor,
        row.captured.minor,
        row.amount.currency,
        row.description,
        msgspec.json.encode(row.metadata).decode(),
        row.expires_at,
        row.settled_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_hold if row.version == 1 else Q.settle_hold
    with ledger.refusing():
        replaced(row, await tx.execute(query, *values))
