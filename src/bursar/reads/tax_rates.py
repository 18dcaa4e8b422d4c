"""Looks at tax rates."""

from bursar.domain.access import Permission
from bursar.domain.ids import TaxRateId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.tax_rate_rows import row_to_tax_rate
from bursar.domain.tax_rates import TaxRate, TaxRateStatus
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.INVOICE_READ)
async def tax_rate(tx: ReadTx, tax_rate_id: TaxRateId) -> TaxRate:
    """One rate.

    Raises:
        NotFound: no such rate in this organization.
    """
    row = await tx.fetchrow(Q.tax_rate, uuid_of(tx.org_id), uuid_of(tax_rate_id))
    if row is None:
        raise NotFound(f"No tax rate {tax_rate_id}.")
    return row_to_tax_rate(row)


@query(requires=Permission.INVOICE_READ)
async def tax_rates(tx: ReadTx, page: Page, statuses: tuple[TaxRateStatus, ...]) -> Paged[TaxRate]:
    """The rates, newest first; those in these states, if any are named."""
    org_id = uuid_of(tx.org_id)
    wanted = [status.value for status in statuses] or None
    rows = await tx.fetch(
        Q.tax_rates.along(page), org_id, page.after, page.fetched, page.offset, wanted
    )
    count = await total_count(tx, page, rows, Q.count_tax_rates, org_id, COUNTED_MAX, wanted)
    return paged([*map(row_to_tax_rate, rows)], page, total_count=count)
