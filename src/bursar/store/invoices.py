"""Rows of invoices and their lines, and the gapless numbers."""

import msgspec

from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_invoice
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, invoice_id: InvoiceId) -> Invoice:
    """One invoice with its lines.

    Raises:
        NotFound: no such invoice in this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(invoice_id)
    row = await tx.fetchrow(Q.get_invoice, *key)
    if row is None:
        raise NotFound(f"No invoice {invoice_id}.")
    return row_to_invoice(row, await tx.fetch(Q.get_invoice_lines, *key))


async def next_number(tx: Tx, series: str) -> InvoiceNumber:
    """The next number of a series, held until the transaction ends."""
    return InvoiceNumber(series, await tx.fetchval(Q.next_number, uuid_of(tx.org_id), series))


async def save(tx: Tx, row: Invoice) -> None:
    """Insert version 1, or replace the version before; a draft's lines are written anew.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    number = row.number
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.customer_id),
        row.status.value,
        row.currency,
        row.subtotal.minor,
        row.discount.minor,
        row.tax.minor,
        row.total.minor,
        row.paid.minor,
        number.series if number else None,
        number.number if number else None,
        row.due_at,
        row.memo,
        msgspec.json.encode(row.metadata).decode(),
        row.hosted_generation,
        row.finalized_at,
        row.paid_at,
        row.voided_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_invoice if row.version == 1 else Q.update_invoice
    replaced(row, await tx.execute(query, *values))
    if row.status is InvoiceStatus.DRAFT:
        await _write_lines(tx, row)


async def _write_lines(tx: Tx, row: Invoice) -> None:
    key = uuid_of(tx.org_id), uuid_of(row.id)
    if row.version > 1:
        await tx.execute(Q.delete_lines, *key)
    if row.lines:
        await tx.execute(
            Q.insert_lines,
            *key,
            [uuid_of(line.id) for line in row.lines],
            [line.description for line in row.lines],
            [line.type.value for line in row.lines],
            [line.quantity for line in row.lines],
            [line.unit_amount for line in row.lines],
            [line.amount.minor for line in row.lines],
        )
