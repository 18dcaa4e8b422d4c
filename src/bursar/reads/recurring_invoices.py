"""Looks at recurring invoices."""

from bursar.domain.access import Permission
from bursar.domain.ids import CustomerId, RecurringInvoiceId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.recurring_invoices import RecurringInvoice, RecurringStatus
from bursar.domain.recurring_rows import row_to_recurring_invoice
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.INVOICE_READ)
async def recurring_invoice(tx: ReadTx, template_id: RecurringInvoiceId) -> RecurringInvoice:
    """One template.

    Raises:
        NotFound: no such recurring invoice in this organization.
    """
    row = await tx.fetchrow(Q.recurring_invoice, uuid_of(tx.org_id), uuid_of(template_id))
    if row is None:
        raise NotFound(f"No recurring invoice {template_id}.")
    return row_to_recurring_invoice(row)


@query(requires=Permission.INVOICE_READ)
async def recurring_invoices(
    tx: ReadTx,
    page: Page,
    customer_id: CustomerId | None = None,
    statuses: tuple[RecurringStatus, ...] = (),
) -> Paged[RecurringInvoice]:
    """The templates, newest first; a customer's, and those in these states, if any are named."""
    org_id = uuid_of(tx.org_id)
    wanted = (
        None if customer_id is None else uuid_of(customer_id),
        [status.value for status in statuses] or None,
    )
    rows = await tx.fetch(
        Q.recurring_invoices.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(
        tx, page, rows, Q.count_recurring_invoices, org_id, COUNTED_MAX, *wanted
    )
    return paged([*map(row_to_recurring_invoice, rows)], page, total_count=count)
