"""Looks at imports: what came of each file."""

from bursar.domain.access import Permission
from bursar.domain.ids import ImportId, uuid_of
from bursar.domain.import_rows import row_to_import
from bursar.domain.imports import Import, ImportKind
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.CUSTOMER_READ)
async def import_of(tx: ReadTx, import_id: ImportId) -> Import:
    """One import.

    Raises:
        NotFound: no such import in this organization.
    """
    row = await tx.fetchrow(Q.import_one, uuid_of(tx.org_id), uuid_of(import_id))
    if row is None:
        raise NotFound(f"No import {import_id}.")
    return row_to_import(row)


@query(requires=Permission.CUSTOMER_READ)
async def imports(tx: ReadTx, page: Page, kinds: tuple[ImportKind, ...]) -> Paged[Import]:
    """The imports, newest first."""
    org_id, wanted = uuid_of(tx.org_id), [kind.value for kind in kinds] or None
    rows = await tx.fetch(
        Q.imports.along(page), org_id, page.after, page.fetched, page.offset, wanted
    )
    count = await total_count(tx, page, rows, Q.count_imports, org_id, COUNTED_MAX, wanted)
    return paged([*map(row_to_import, rows)], page, total_count=count)
