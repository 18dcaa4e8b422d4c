"""Rows of recurring invoices, and which invoice each occurrence became."""

import msgspec

from bursar.domain.ids import InvoiceId, RecurringInvoiceId, uuid_of
from bursar.domain.recurring_invoices import RecurringInvoice
from bursar.domain.recurring_rows import row_to_recurring_invoice
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, template_id: RecurringInvoiceId) -> RecurringInvoice:
    """One template.

    Raises:
        NotFound: no such recurring invoice in this organization.
    """
    row = await tx.fetchrow(Q.get_recurring_invoice, uuid_of(tx.org_id), uuid_of(template_id))
    if row is None:
        raise NotFound(f"No recurring invoice {template_id}.")
    return row_to_recurring_invoice(row)


async def note_occurrence(tx: Tx, template: RecurringInvoice, invoice_id: InvoiceId) -> None:
    """The occurrence that was due became this invoice; a second one cannot."""
    await tx.execute(
        Q.insert_occurrence,
        uuid_of(tx.org_id),
        uuid_of(template.id),
        template.occurrence,
        uuid_of(invoice_id),
        template.next_at,
    )


async def save(tx: Tx, row: RecurringInvoice) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    schedule, last = row.schedule, row.last_invoice_id
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.customer_id),
        row.status.value,
        row.currency,
        msgspec.json.encode(row.lines).decode(),
        schedule.interval.value,
        schedule.every,
        schedule.timezone,
        schedule.start_at,
        schedule.end_at,
        row.occurrence,
        row.next_at,
        None if last is None else uuid_of(last),
        row.auto_finalize,
        row.auto_send,
        row.memo,
        msgspec.json.encode(row.metadata).decode(),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_recurring_invoice if row.version == 1 else Q.update_recurring_invoice
    replaced(row, await tx.execute(query, *values))
