"""What the database keeps of invoices and their lines becomes those nouns again, and back.

Discounts and taxes are kept as JSON beside the row they belong to: what a coupon or a rate said at
the time, which no later change of it may touch. Amounts in there are minor units of the invoice.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
from msgspec.json import Decoder

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Discount, Reduction
from bursar.domain.invoice_lines import InvoiceLine, LineType
from bursar.domain.invoices import BillingReason, Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.money import Money, Rate
from bursar.domain.rows import Record
from bursar.domain.taxes import AppliedTax, LineTax, TaxCategory, TaxTerms
from bursar.domain.times import Period

Kind = TypeVar("Kind")


class KeptReduction(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reduction as JSON; `taken` is what it took off a whole document."""

    name: str
    percent_off: Decimal | None = None
    amount_off: int | None = None
    coupon_id: str | None = None
    taken: int = 0

    @classmethod
    def of(cls, reduction: Reduction, taken: int = 0) -> "KeptReduction":
        """As it is kept."""
        percent, amount = reduction.percent_off, reduction.amount_off
        return cls(
            name=reduction.name,
            percent_off=None if percent is None else percent.percent,
            amount_off=None if amount is None else amount.minor,
            coupon_id=reduction.coupon_id,
            taken=taken,
        )

    def to_reduction(self, code: Currency) -> Reduction:
        """As it was."""
        return Reduction(
            name=self.name,
            percent_off=None if self.percent_off is None else Rate(self.percent_off),
            amount_off=None if self.amount_off is None else Money(self.amount_off, code),
            coupon_id=None if self.coupon_id is None else ids.CouponId(self.coupon_id),
        )


class KeptTax(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a rate said, and came to on a document."""

    rate_id: str
    name: str
    percent: Decimal
    category: TaxCategory
    taxable: int
    amount: int
    is_inclusive: bool = False
    country: str | None = None
    note: str | None = None

    @classmethod
    def of(cls, applied: AppliedTax) -> "KeptTax":
        """As it is kept."""
        terms = applied.terms
        return cls(
            rate_id=terms.rate_id,
            name=terms.name,
            percent=terms.rate.percent,
            category=terms.category,
            taxable=applied.taxable.minor,
            amount=applied.amount.minor,
            is_inclusive=terms.is_inclusive,
            country=terms.country,
            note=terms.note,
        )

    def to_applied(self, code: Currency) -> AppliedTax:
        """As it was."""
        terms = TaxTerms(
            rate_id=ids.TaxRateId(self.rate_id),
            name=self.name,
            rate=Rate(self.percent),
            is_inclusive=self.is_inclusive,
            category=self.category,
            country=self.country,
            note=self.note,
        )
        return AppliedTax(terms, Money(self.taxable, code), Money(self.amount, code))


class KeptLineTax(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a rate came to on a line."""

    rate_id: str
    amount: int
    is_inclusive: bool = False


# A decoder is made once: to make one takes longer than to read a short document.
_REDUCTIONS: Final = Decoder(tuple[KeptReduction, ...])
_TAXES: Final = Decoder(tuple[KeptTax, ...])
_LINE_TAXES: Final = Decoder(tuple[KeptLineTax, ...])
_METADATA: Final = Decoder(dict[str, str])
_DERIVATION: Final = Decoder(dict[str, Any])


def row_to_invoice(record: Record, lines: Sequence[Record]) -> Invoice:
    """From every column of `invoices`, and its rows of `invoice_lines` in order of position."""
    code = Currency(record["currency"])
    return Invoice(
        id=ids.InvoiceId(ids.print_id("inv", record["id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        subscription_id=_subscription_id(record),
        billing_reason=BillingReason(record["billing_reason"]),
        period=_period(record),
        status=InvoiceStatus(record["status"]),
        currency=code,
        lines=tuple(row_to_invoice_line(line, code) for line in lines),
        discounts=tuple(
            Discount(each.to_reduction(code), Money(each.taken, code))
            for each in _kept(record["discounts"], _REDUCTIONS)
        ),
        taxes=tuple(each.to_applied(code) for each in _kept(record["taxes"], _TAXES)),
        subtotal=Money(record["subtotal_minor"], code),
        discount=Money(record["discount_minor"], code),
        tax=Money(record["tax_minor"], code),
        tax_included=Money(record["tax_included_minor"], code),
        excess=Money(record["excess_minor"], code),
        total=Money(record["total_minor"], code),
        paid=Money(record["paid_minor"], code),
        credited=Money(record["credited_minor"], code),
        noted=Money(record["noted_minor"], code),
        number=_number(record),
        due_at=record["due_at"],
        memo=record["memo"],
        metadata=_kept(record["metadata"], _METADATA),
        hosted_generation=record["hosted_generation"],
        finalized_at=record["finalized_at"],
        paid_at=record["paid_at"],
        voided_at=record["voided_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        sent_at=record["sent_at"],
        overdue_at=record["overdue_at"],
    )


def row_to_invoice_line(record: Record, code: Currency) -> InvoiceLine:
    """From every column of `invoice_lines`; the currency is the invoice's."""
    unit_amount = record["unit_amount"]
    assert isinstance(unit_amount, Decimal), "a unit price is an exact decimal"
    derivation = record["derivation"]
    return InvoiceLine(
        id=ids.InvoiceLineId(ids.print_id("il", record["id"])),
        description=record["description"],
        type=LineType(record["type"]),
        quantity=record["quantity"],
        unit_amount=unit_amount,
        amount=Money(record["amount_minor"], code),
        discount=Money(record["discount_minor"], code),
        taxes=line_taxes(record, code),
        reductions=tuple(
            each.to_reduction(code) for each in _kept(record["discounts"], _REDUCTIONS)
        ),
        subscription_id=_subscription_id(record),
        period=_period(record),
        derivation=None if derivation is None else _kept(derivation, _DERIVATION),
    )


def line_taxes(record: Record, code: Currency) -> tuple[LineTax, ...]:
    """From the column `taxes` of a line."""
    return tuple(
        LineTax(ids.TaxRateId(each.rate_id), Money(each.amount, code), each.is_inclusive)
        for each in _kept(record["taxes"], _LINE_TAXES)
    )


def kept_discounts(invoice: Invoice) -> list[KeptReduction]:
    """The document's discounts as the row keeps them."""
    return [KeptReduction.of(each.reduction, each.amount.minor) for each in invoice.discounts]


def kept_taxes(invoice: Invoice) -> list[KeptTax]:
    """The document's taxes as the row keeps them."""
    return [KeptTax.of(each) for each in invoice.taxes]


def kept_reductions(line: InvoiceLine) -> list[KeptReduction]:
    """A line's own reductions as its row keeps them."""
    return [KeptReduction.of(each) for each in line.reductions]


def kept_line_taxes(taxes: Sequence[LineTax]) -> list[KeptLineTax]:
    """A line's taxes as its row keeps them."""
    return [KeptLineTax(each.rate_id, each.amount.minor, each.is_inclusive) for each in taxes]


def written(kept: object) -> str:
    """What a row keeps as JSON, for a column of its own."""
    return msgspec.json.encode(kept).decode()


def _kept(value: object, decoder: Decoder[Kind]) -> Kind:
    """A JSON column: as text from the driver, or decoded when a codec is registered."""
    if isinstance(value, str | bytes):
        return decoder.decode(value)
    return msgspec.convert(value, decoder.type)


def _subscription_id(record: Record) -> ids.SubscriptionId | None:
    found = record["subscription_id"]
    return None if found is None else ids.SubscriptionId(ids.print_id("sub", found))


def _period(record: Record) -> Period | None:
    start = record["period_start_at"]
    return None if start is None else Period(start, record["period_end_at"])


def _number(record: Record) -> InvoiceNumber | None:
    if record["number"] is None:
        return None
    return InvoiceNumber(record["series"], record["number"])
