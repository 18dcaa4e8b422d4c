"""An invoice and its lines, as the world sees them.

Amounts are integers of minor units; a unit price below one is told as a decimal string only. The
hosted link is no part of it: whoever answers with an invoice may add one.
"""

from typing import Literal

from bursar.domain.invoices import Invoice, InvoiceLine, InvoiceStatus, LineType
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
    whole,
)
from bursar.domain.times import wire_instant


class InvoiceLineOut(Shape, frozen=True, kw_only=True):
    """One line."""

    id: str
    object: Literal["invoice_line"] = "invoice_line"
    description: str
    type: LineType
    quantity: int
    unit_amount_cents: Cents | None
    unit_amount_decimal: WireDecimal
    amount_cents: Cents

    @classmethod
    def of(cls, line: InvoiceLine) -> "InvoiceLineOut":
        """The line's shape."""
        return cls(
            id=line.id,
            description=line.description,
            type=line.type,
            quantity=line.quantity,
            unit_amount_cents=whole(line.unit_amount),
            unit_amount_decimal=decimal(line.unit_amount),
            amount_cents=line.amount.minor,
        )


class InvoiceOut(Shape, frozen=True, kw_only=True):
    """One invoice. It bills no subscription and no period yet, so those fields are null."""

    id: str
    object: Literal["invoice"] = "invoice"
    customer_id: str
    subscription_id: str | None
    status: InvoiceStatus
    invoice_number: str | None
    currency: str
    subtotal_cents: Cents
    discount_cents: Cents
    tax_amount_cents: Cents
    total_cents: Cents
    amount_paid_cents: Cents
    amount_due_cents: Cents
    period_start: WireInstant | None
    period_end: WireInstant | None
    due_date: WireInstant | None
    memo: str | None
    lines: tuple[InvoiceLineOut, ...]
    metadata: dict[str, str]
    finalized_at: WireInstant | None
    paid_at: WireInstant | None
    voided_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, invoice: Invoice) -> "InvoiceOut":
        """The invoice's shape."""
        return cls(
            id=invoice.id,
            customer_id=invoice.customer_id,
            subscription_id=None,
            status=invoice.status,
            invoice_number=None if invoice.number is None else str(invoice.number),
            currency=invoice.currency,
            subtotal_cents=invoice.subtotal.minor,
            discount_cents=invoice.discount.minor,
            tax_amount_cents=invoice.tax.minor,
            total_cents=invoice.total.minor,
            amount_paid_cents=invoice.paid.minor,
            amount_due_cents=invoice.due.minor,
            period_start=None,
            period_end=None,
            due_date=instant(invoice.due_at),
            memo=invoice.memo,
            lines=tuple(InvoiceLineOut.of(line) for line in invoice.lines),
            metadata=invoice.metadata,
            finalized_at=instant(invoice.finalized_at),
            paid_at=instant(invoice.paid_at),
            voided_at=instant(invoice.voided_at),
            version=invoice.version,
            created_at=wire_instant(invoice.created_at),
            updated_at=wire_instant(invoice.updated_at),
        )
