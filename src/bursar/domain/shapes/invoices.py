"""An invoice and its lines, as the world sees them.

Amounts are integers of minor units; a unit price below one is told as a decimal string only. The
hosted link is no part of it: whoever answers with an invoice may add one.
"""

from typing import Literal

from bursar.domain.discounts import Discount, Reduction
from bursar.domain.invoice_lines import InvoiceLine, LineType
from bursar.domain.invoices import BillingReason, Invoice, InvoiceStatus
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
    whole,
)
from bursar.domain.taxes import AppliedTax, LineTax, TaxCategory
from bursar.domain.times import wire_instant


class DiscountOut(Shape, frozen=True, kw_only=True):
    """What was agreed to be taken off: a percentage or an amount, by a coupon or without one."""

    name: str
    coupon_id: str | None
    percent_off: WireDecimal | None
    amount_off_cents: Cents | None

    @classmethod
    def of(cls, reduction: Reduction) -> "DiscountOut":
        """The reduction's shape."""
        percent, amount = reduction.percent_off, reduction.amount_off
        return cls(
            name=reduction.name,
            coupon_id=reduction.coupon_id,
            percent_off=None if percent is None else decimal(percent.percent),
            amount_off_cents=None if amount is None else amount.minor,
        )


class InvoiceDiscountOut(Shape, frozen=True, kw_only=True):
    """A discount on the whole document, and what it took off all lines together."""

    name: str
    coupon_id: str | None
    percent_off: WireDecimal | None
    amount_off_cents: Cents | None
    discount_cents: Cents

    @classmethod
    def of(cls, discount: Discount) -> "InvoiceDiscountOut":
        """The discount's shape."""
        agreed = DiscountOut.of(discount.reduction)
        return cls(
            name=agreed.name,
            coupon_id=agreed.coupon_id,
            percent_off=agreed.percent_off,
            amount_off_cents=agreed.amount_off_cents,
            discount_cents=discount.amount.minor,
        )


class LineTaxOut(Shape, frozen=True, kw_only=True):
    """What one tax rate comes to on one line; an inclusive one is a part of the line's amount."""

    tax_rate_id: str
    inclusive: bool
    tax_amount_cents: Cents

    @classmethod
    def of(cls, tax: LineTax) -> "LineTaxOut":
        """The tax's shape."""
        return cls(
            tax_rate_id=tax.rate_id,
            inclusive=tax.is_inclusive,
            tax_amount_cents=tax.amount.minor,
        )


class InvoiceTaxOut(Shape, frozen=True, kw_only=True):
    """What one tax rate comes to on the document; `taxableCents` is what it lies on."""

    tax_rate_id: str
    name: str
    percentage: WireDecimal
    inclusive: bool
    category: TaxCategory
    country: str | None
    note: str | None
    taxable_cents: Cents
    tax_amount_cents: Cents

    @classmethod
    def of(cls, tax: AppliedTax) -> "InvoiceTaxOut":
        """The tax's shape."""
        terms = tax.terms
        return cls(
            tax_rate_id=terms.rate_id,
            name=terms.name,
            percentage=decimal(terms.rate.percent),
            inclusive=terms.is_inclusive,
            category=terms.category,
            country=terms.country,
            note=terms.note,
            taxable_cents=tax.taxable.minor,
            tax_amount_cents=tax.amount.minor,
        )


class InvoiceLineOut(Shape, frozen=True, kw_only=True):
    """One line. Its discount holds its own and its part of the document's, its tax every tax."""

    id: str
    object: Literal["invoice_line"] = "invoice_line"
    description: str
    type: LineType
    quantity: int
    unit_amount_cents: Cents | None
    unit_amount_decimal: WireDecimal
    amount_cents: Cents
    discount_cents: Cents
    tax_amount_cents: Cents
    total_cents: Cents
    discounts: tuple[DiscountOut, ...]
    taxes: tuple[LineTaxOut, ...]
    subscription_id: str | None
    period_start: WireInstant | None
    period_end: WireInstant | None

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
            discount_cents=line.discount.minor,
            tax_amount_cents=line.tax.minor,
            total_cents=line.total.minor,
            discounts=tuple(map(DiscountOut.of, line.reductions)),
            taxes=tuple(map(LineTaxOut.of, line.taxes)),
            subscription_id=line.subscription_id,
            period_start=instant(line.period.start if line.period else None),
            period_end=instant(line.period.end if line.period else None),
        )


class InvoiceOut(Shape, frozen=True, kw_only=True):
    """One invoice.

    The total is the subtotal, less discounts, plus those taxes that are not included in the prices
    already. When lines give back more than others charge, the total is zero and `excessCents` goes
    to the customer's credit.
    """

    id: str
    object: Literal["invoice"] = "invoice"
    customer_id: str
    subscription_id: str | None
    billing_reason: BillingReason
    status: InvoiceStatus
    invoice_number: str | None
    currency: str
    subtotal_cents: Cents
    discount_cents: Cents
    tax_amount_cents: Cents
    tax_included_cents: Cents
    excess_cents: Cents
    total_cents: Cents
    amount_credited_cents: Cents
    amount_paid_cents: Cents
    amount_due_cents: Cents
    period_start: WireInstant | None
    period_end: WireInstant | None
    due_date: WireInstant | None
    memo: str | None
    lines: tuple[InvoiceLineOut, ...]
    discounts: tuple[InvoiceDiscountOut, ...]
    taxes: tuple[InvoiceTaxOut, ...]
    metadata: dict[str, str]
    finalized_at: WireInstant | None
    sent_at: WireInstant | None
    overdue_at: WireInstant | None
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
            subscription_id=invoice.subscription_id,
            billing_reason=invoice.billing_reason,
            status=invoice.status,
            invoice_number=None if invoice.number is None else str(invoice.number),
            currency=invoice.currency,
            subtotal_cents=invoice.subtotal.minor,
            discount_cents=invoice.discount.minor,
            tax_amount_cents=invoice.tax.minor,
            tax_included_cents=invoice.tax_included.minor,
            excess_cents=invoice.excess.minor,
            total_cents=invoice.total.minor,
            amount_credited_cents=invoice.credited.minor,
            amount_paid_cents=invoice.paid.minor,
            amount_due_cents=invoice.due.minor,
            period_start=instant(invoice.period.start if invoice.period else None),
            period_end=instant(invoice.period.end if invoice.period else None),
            due_date=instant(invoice.due_at),
            memo=invoice.memo,
            lines=tuple(map(InvoiceLineOut.of, invoice.lines)),
            discounts=tuple(map(InvoiceDiscountOut.of, invoice.discounts)),
            taxes=tuple(map(InvoiceTaxOut.of, invoice.taxes)),
            metadata=invoice.metadata,
            finalized_at=instant(invoice.finalized_at),
            sent_at=instant(invoice.sent_at),
            overdue_at=instant(invoice.overdue_at),
            paid_at=instant(invoice.paid_at),
            voided_at=instant(invoice.voided_at),
            version=invoice.version,
            created_at=wire_instant(invoice.created_at),
            updated_at=wire_instant(invoice.updated_at),
        )
