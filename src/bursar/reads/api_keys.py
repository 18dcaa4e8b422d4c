"""Looks at API keys. Their hashes come along and go no further: no shape has them."""

from bursar.domain.access import Permission
from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.ids import ApiKeyId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_api_key
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.API_KEY_READ)
async def api_keys(tx: ReadTx, page: Page) -> Paged[ApiKeyRecord]:
    """The keys, newest first."""
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(Q.api_keys.along(page), org_id, page.after, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_api_keys, org_id, COUNTED_MAX)
    return paged([*map(row_to_api_key, rows)], page, total_count=count)


@query(requires=Permission.API_KEY_READ)
async def api_key(tx: ReadTx, api_key_id: ApiKeyId) -> ApiKeyRecord:
    """One key.

    Raises:
        NotFound: no such key in this organization.
    """
    row = await tx.fetchrow(Q.api_key, uuid_of(tx.org_id), uuid_of(api_key_id))
    if row is None:
        raise NotFound(f"No API key {api_key_id}.")
    return row_to_api_key(row)
