"""Looks at meters."""

from bursar.domain.access import Permission
from bursar.domain.ids import MeterId, uuid_of
from bursar.domain.meters import Meter
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.plan_rows import row_to_meter
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.PLAN_READ)
async def meter(tx: ReadTx, meter_id: MeterId) -> Meter:
    """One meter.

    Raises:
        NotFound: no such meter in this organization.
    """
    row = await tx.fetchrow(Q.meter, uuid_of(tx.org_id), uuid_of(meter_id))
    if row is None:
        raise NotFound(f"No meter {meter_id}.")
    return row_to_meter(row)


@query(requires=Permission.PLAN_READ)
async def meters(tx: ReadTx, page: Page, key: str | None) -> Paged[Meter]:
    """The meters, newest first; with a key, the one that has it."""
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(Q.meters.along(page), org_id, page.after, page.fetched, page.offset, key)
    count = await total_count(tx, page, rows, Q.count_meters, org_id, COUNTED_MAX, key)
    return paged([*map(row_to_meter, rows)], page, total_count=count)
