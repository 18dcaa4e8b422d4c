"""Rows of credit notes, and what they have taken back so far."""

import msgspec

from bursar.domain.credit_notes import CreditNote, Taken
from bursar.domain.ids import InvoiceLineId, print_id, uuid_of
from bursar.domain.invoice_rows import kept_line_taxes, written
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money
from bursar.domain.payment_rows import row_to_payment
from bursar.domain.payments import Payment
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def taken_before(tx: Tx, invoice: Invoice) -> Taken:
    """What was taken back of each line; under the customer's lock it stays so."""
    rows = await tx.fetch(Q.taken_before, uuid_of(tx.org_id), uuid_of(invoice.id))
    return {
        InvoiceLineId(print_id("il", row["invoice_line_id"])): Money(
            row["amount_minor"], invoice.currency
        )
        for row in rows
    }


async def refundable_payment(tx: Tx, invoice: Invoice) -> Payment | None:
    """The payment of the invoice of which most is left to be given back, if any is."""
    row = await tx.fetchrow(Q.refundable_payments, uuid_of(tx.org_id), uuid_of(invoice.id))
    return None if row is None else row_to_payment(row)


async def save(tx: Tx, row: CreditNote) -> None:
    """Insert it with its lines: there is one version of a note."""
    assert row.version == 1, "a note is never changed"
    key = uuid_of(tx.org_id), uuid_of(row.id)
    invoice_id = uuid_of(row.invoice_id)
    await tx.execute(
        Q.insert_credit_note,
        *key,
        invoice_id,
        uuid_of(row.customer_id),
        row.number.series,
        row.number.number,
        row.currency,
        row.total.minor,
        row.tax.minor,
        row.applied.minor,
        row.credited.minor,
        row.destination.value,
        None if row.refund_id is None else uuid_of(row.refund_id),
        row.reason,
        msgspec.json.encode(row.metadata).decode(),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    await tx.execute(
        Q.insert_credit_note_lines,
        *key,
        invoice_id,
        [uuid_of(line.id) for line in row.lines],
        [uuid_of(line.invoice_line_id) for line in row.lines],
        [line.description for line in row.lines],
        [line.amount.minor for line in row.lines],
        [line.tax.minor for line in row.lines],
        [written(kept_line_taxes(line.taxes)) for line in row.lines],
    )
