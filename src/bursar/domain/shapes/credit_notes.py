"""A credit note as the world sees it."""

from typing import Literal

from bursar.domain.credit_notes import CreditDestination, CreditNote, CreditNoteLine
from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.shapes.invoices import LineTaxOut
from bursar.domain.times import wire_instant


class CreditNoteLineOut(Shape, frozen=True, kw_only=True):
    """What is taken back of one line of the invoice, and the taxes in it."""

    id: str
    object: Literal["credit_note_line"] = "credit_note_line"
    invoice_line_id: str
    description: str
    amount_cents: Cents
    tax_amount_cents: Cents
    taxes: tuple[LineTaxOut, ...]

    @classmethod
    def of(cls, line: CreditNoteLine) -> "CreditNoteLineOut":
        """The line's shape."""
        return cls(
            id=line.id,
            invoice_line_id=line.invoice_line_id,
            description=line.description,
            amount_cents=line.amount.minor,
            tax_amount_cents=line.tax.minor,
            taxes=tuple(LineTaxOut.of(each) for each in line.taxes),
        )


class CreditNoteOut(Shape, frozen=True, kw_only=True):
    """One credit note. What was still due is lowered first, the rest goes to the destination."""

    id: str
    object: Literal["credit_note"] = "credit_note"
    invoice_id: str
    customer_id: str
    credit_note_number: str
    currency: str
    total_cents: Cents
    tax_amount_cents: Cents
    amount_applied_cents: Cents
    amount_credited_cents: Cents
    destination: CreditDestination
    refund_id: str | None
    reason: str | None
    lines: tuple[CreditNoteLineOut, ...]
    metadata: dict[str, str]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, note: CreditNote) -> "CreditNoteOut":
        """The note's shape."""
        return cls(
            id=note.id,
            invoice_id=note.invoice_id,
            customer_id=note.customer_id,
            credit_note_number=str(note.number),
            currency=note.currency,
            total_cents=note.total.minor,
            tax_amount_cents=note.tax.minor,
            amount_applied_cents=note.applied.minor,
            amount_credited_cents=note.credited.minor,
            destination=note.destination,
            refund_id=note.refund_id,
            reason=note.reason,
            lines=tuple(CreditNoteLineOut.of(each) for each in note.lines),
            metadata=note.metadata,
            version=note.version,
            created_at=wire_instant(note.created_at),
            updated_at=wire_instant(note.updated_at),
        )
