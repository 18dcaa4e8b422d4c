"""What the database keeps of a credit note becomes that noun again."""

from collections.abc import Sequence

import msgspec

from bursar.domain import ids
from bursar.domain.credit_notes import CreditDestination, CreditNote, CreditNoteLine
from bursar.domain.currencies import Currency
from bursar.domain.invoice_rows import line_taxes
from bursar.domain.invoices import InvoiceNumber
from bursar.domain.money import Money
from bursar.domain.rows import Record


def row_to_credit_note(record: Record, lines: Sequence[Record]) -> CreditNote:
    """From every column of `credit_notes`, and its rows of `credit_note_lines` by position."""
    code = Currency(record["currency"])
    refund_id = record["refund_id"]
    return CreditNote(
        id=ids.CreditNoteId(ids.print_id("cn", record["id"])),
        invoice_id=ids.InvoiceId(ids.print_id("inv", record["invoice_id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        number=InvoiceNumber(record["series"], record["number"]),
        currency=code,
        lines=tuple(_line(line, code) for line in lines),
        total=Money(record["total_minor"], code),
        tax=Money(record["tax_minor"], code),
        applied=Money(record["applied_minor"], code),
        credited=Money(record["credited_minor"], code),
        destination=CreditDestination(record["destination"]),
        refund_id=None if refund_id is None else ids.RefundId(ids.print_id("rfd", refund_id)),
        reason=record["reason"],
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def _line(record: Record, code: Currency) -> CreditNoteLine:
    return CreditNoteLine(
        id=ids.CreditNoteLineId(ids.print_id("cnl", record["id"])),
        invoice_line_id=ids.InvoiceLineId(ids.print_id("il", record["invoice_line_id"])),
        description=record["description"],
        amount=Money(record["amount_minor"], code),
        taxes=line_taxes(record, code),
    )
