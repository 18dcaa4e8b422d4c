"""Rows of organizations."""

import msgspec

from bursar.domain.ids import uuid_of
from bursar.domain.orgs import Organization
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_organization
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx) -> Organization:
    """The bound organization.

    Raises:
        NotFound: it does not exist.
    """
    row = await tx.fetchrow(Q.get_organization, uuid_of(tx.org_id))
    if row is None:
        raise NotFound(f"No organization {tx.org_id}.")
    return row_to_organization(row)


async def lock(tx: Tx) -> Organization:
    """The bound organization, alone with its members: whoever changes them waits here.

    Raises:
        NotFound: it does not exist.
    """
    row = await tx.fetchrow(Q.lock_organization, uuid_of(tx.org_id))
    if row is None:
        raise NotFound(f"No organization {tx.org_id}.")
    return row_to_organization(row)


async def lock_out(tx: Tx) -> Organization:
    """The bound organization, once every transaction that has begun in it is over."""
    row = await tx.fetchrow(Q.lock_out_organization, uuid_of(tx.org_id))
    assert row is not None, "whoever deletes an organization is in it"
    return row_to_organization(row)


async def unfinished(tx: Tx) -> dict[str, int]:
    """What is not finished yet, by noun."""
    rows = await tx.fetch(Q.unfinished, uuid_of(tx.org_id))
    return {row["noun"]: row["left_over"] for row in rows}


async def save(tx: Tx, row: Organization) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(row.id),
        row.name,
        row.currency,
        row.timezone,
        row.mode.value,
        row.invoice_prefix,
        row.net_terms_days,
        row.reactivation_grace_days,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        row.deleted_at,
        row.is_credit_applied,
        None if row.dunning is None else msgspec.json.encode(row.dunning).decode(),
        row.invoice_grace_hours,
        row.has_zero_invoices,
        row.has_consolidated_invoices,
        row.invoice_numbering.value,
        row.has_yearly_numbers,
    )
    query = Q.insert_organization if row.version == 1 else Q.update_organization
    replaced(row, await tx.execute(query, *values))
