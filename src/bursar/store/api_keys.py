"""Rows of API keys."""

from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.ids import ApiKeyId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_api_key
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, api_key_id: ApiKeyId) -> ApiKeyRecord:
    """One key, locked.

    Raises:
        NotFound: no such key in this organization.
    """
    row = await tx.fetchrow(Q.get_api_key, uuid_of(tx.org_id), uuid_of(api_key_id))
    if row is None:
        raise NotFound(f"No API key {api_key_id}.")
    return row_to_api_key(row)


async def save(tx: Tx, row: ApiKeyRecord) -> None:
    """Insert a new key, or note how an old one ends."""
    if row.version == 1:
        await tx.execute(
            Q.insert_api_key,
            uuid_of(tx.org_id),
            uuid_of(row.id),
            row.name,
            row.key_hash,
            row.key_prefix,
            list(row.scopes),
            list(row.allowed_addresses),
            row.expires_at,
            row.revoked_at,
            row.version,
            row.sequence,
            row.created_at,
            row.updated_at,
        )
        return
    touched = await tx.execute(
        Q.update_api_key,
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.revoked_at,
        row.expires_at,
        None if row.successor_id is None else uuid_of(row.successor_id),
        row.version,
        row.sequence,
        row.updated_at,
    )
    replaced(row, touched)
