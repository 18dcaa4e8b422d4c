"""An invoice as it is printed: every text put in words, nothing computed anew.

Amounts carry their currency, days are those of the organization's own calendar. The link for
paying online is no part of it: whoever prints may add one. The same invoice always gives the same
document.
"""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bursar.domain.currencies import Currency, exponent_of
from bursar.domain.customers import Customer
from bursar.domain.documents import DocumentFact, DocumentLine, DocumentTotal, InvoiceDocument
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money, format_minor
from bursar.domain.orgs import Organization
from bursar.domain.times import Instant

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# The order in which an address is read; what else it holds follows.
_ADDRESS_ORDER: Final = ("line1", "line2", "postalCode", "city", "state", "country")


def printed(invoice: Invoice, organization: Organization, customer: Customer) -> InvoiceDocument:
    """The document of an invoice."""
    timezone = organization.timezone
    return InvoiceDocument(
        title="Draft invoice" if invoice.status is InvoiceStatus.DRAFT else "Invoice",
        headline=_headline(invoice, timezone),
        status=invoice.status.value.capitalize(),
        seller=(organization.name,),
        buyer=_buyer(customer),
        facts=_facts(invoice, timezone),
        lines=tuple(_line(line) for line in invoice.lines),
        totals=_totals(invoice),
        made_at=invoice.updated_at,
        memo=invoice.memo or "",
        footer=organization.name,
    )


def in_words(money: Money) -> str:
    """`1,204.00 USD`, `-500 JPY`."""
    return f"{_grouped(format_minor(money))} {money.currency.upper()}"


def day_in_words(at: Instant, timezone: str) -> str:
    """`30 June 2026`, as the calendar of that place has it."""
    day = at.astimezone(ZoneInfo(timezone))
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _headline(invoice: Invoice, timezone: str) -> str:
    if invoice.status is InvoiceStatus.PAID and invoice.paid_at is not None:
        return f"{in_words(invoice.total)} paid {day_in_words(invoice.paid_at, timezone)}"
    if invoice.status is InvoiceStatus.OPEN and invoice.due_at is not None:
        return f"{in_words(invoice.due)} due {day_in_words(invoice.due_at, timezone)}"
    return in_words(invoice.total)


def _buyer(customer: Customer) -> tuple[str, ...]:
    address = customer.address or {}
    ordered = [address[key] for key in _ADDRESS_ORDER if address.get(key)]
    rest = [value for key, value in sorted(address.items()) if key not in _ADDRESS_ORDER and value]
    tax_id = (f"Tax ID {customer.tax_id}",) if customer.tax_id else ()
    return (customer.name, *ordered, *rest, customer.email, *tax_id)


def _facts(invoice: Invoice, timezone: str) -> tuple[DocumentFact, ...]:
    known = (
        ("Invoice number", None if invoice.number is None else str(invoice.number)),
        ("Issued", _day(invoice.finalized_at, timezone)),
        ("Due", _day(invoice.due_at, timezone)),
        ("Paid", _day(invoice.paid_at, timezone)),
        ("Voided", _day(invoice.voided_at, timezone)),
    )
    return tuple(DocumentFact(label, value) for label, value in known if value is not None)


def _day(at: Instant | None, timezone: str) -> str | None:
    return None if at is None else day_in_words(at, timezone)


def _line(line: InvoiceLine) -> DocumentLine:
    code = line.amount.currency
    return DocumentLine(
        description=line.description,
        quantity=_grouped(str(line.quantity)),
        unit_amount=f"{_grouped(_unit_price(line.unit_amount, code))} {code.upper()}",
        amount=in_words(line.amount),
    )


def _totals(invoice: Invoice) -> tuple[DocumentTotal, ...]:
    totals = [DocumentTotal("Subtotal", in_words(invoice.subtotal))]
    if not invoice.discount.is_zero:
        totals.append(DocumentTotal("Discount", in_words(-invoice.discount)))
    if not invoice.tax.is_zero:
        totals.append(DocumentTotal("Tax", in_words(invoice.tax)))
    totals.append(DocumentTotal("Total", in_words(invoice.total), is_strong=True))
    if not invoice.paid.is_zero:
        totals.append(DocumentTotal("Paid", in_words(invoice.paid)))
        totals.append(DocumentTotal("Due", in_words(invoice.due), is_strong=True))
    return tuple(totals)


def _unit_price(minor: Decimal, code: Currency) -> str:
    """A price in whole units with as many decimals as it needs, the currency's at least."""
    exponent = exponent_of(code)
    text = f"{minor.scaleb(-exponent):f}"
    whole, _, part = text.partition(".")
    part = part.rstrip("0").ljust(exponent, "0")
    return f"{whole}.{part}" if part else whole


def _grouped(digits: str) -> str:
    whole, point, part = digits.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.removeprefix('-')):,}{point}{part}"
