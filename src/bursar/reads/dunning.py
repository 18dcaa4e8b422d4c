"""Looks at invoices in dunning."""

from bursar.domain.access import Permission
from bursar.domain.dunning import DunningCase
from bursar.domain.dunning_rows import row_to_dunning_case
from bursar.domain.ids import CustomerId, InvoiceId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.INVOICE_READ)
async def dunning_case(tx: ReadTx, invoice_id: InvoiceId) -> DunningCase:
    """The case of an invoice, open or over.

    Raises:
        NotFound: the invoice is not in dunning and never was.
    """
    row = await tx.fetchrow(Q.dunning_case, uuid_of(tx.org_id), uuid_of(invoice_id))
    if row is None:
        raise NotFound(f"No dunning of invoice {invoice_id}.")
    return row_to_dunning_case(row)


@query(requires=Permission.INVOICE_READ)
async def dunning_cases(
    tx: ReadTx,
    page: Page,
    customer_id: CustomerId | None = None,
    is_resolved: bool | None = None,
) -> Paged[DunningCase]:
    """The cases, newest first; a customer's, and only those that are open, or over, if asked."""
    org_id = uuid_of(tx.org_id)
    wanted = (None if customer_id is None else uuid_of(customer_id), is_resolved)
    rows = await tx.fetch(
        Q.dunning_cases.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_dunning_cases, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_dunning_case, rows)], page, total_count=count)
