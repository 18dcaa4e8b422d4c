"""An invoice as it is printed: every text put in words, nothing computed anew.

Amounts carry their currency, days are those of the organization's own calendar, and the language is
the organization's unless a reader prefers another. The link for paying online is no part of it:
whoever prints may add one. The same invoice always gives the same document: buyer, seller and
settings of a final one are those that it was issued with.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct

from bursar.domain.customers import Customer
from bursar.domain.document_settings import DocumentSettings, Language
from bursar.domain.documents import DocumentFact, DocumentLine, DocumentTotal, InvoiceDocument
from bursar.domain.frozen import replace
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.orgs import Organization
from bursar.domain.payments import ASKING, Payment
from bursar.domain.shapes.fields import decimal
from bursar.domain.taxes import AppliedTax, TaxCategory
from bursar.domain.times import Instant
from bursar.domain.wording import WORDINGS, Wording

# The order in which an address is read; what else it holds stands before the country.
_STREET: Final = ("line1", "line2")
_TOWN: Final = ("postalCode", "city", "state")
_TOWN_FIRST: Final = ("city", "state", "postalCode")
_NAMED: Final = frozenset({*_STREET, *_TOWN, "country"})
# Where the number of a post office stands after the town.
_NUMBER_LAST: Final = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "SG", "US", "ZA"})


class Printing(Struct, frozen=True):
    """An invoice and everybody who stands on it."""

    invoice: Invoice
    organization: Organization
    customer: Customer
    settings: DocumentSettings

    def document(self, language: Language | None = None) -> InvoiceDocument:
        """The document, in the organization's language or another."""
        spoken = language or self.settings.language
        return _document(self, WORDINGS[spoken], spoken)

    def receipt(self, payments: Sequence[Payment]) -> InvoiceDocument:
        """The document as a receipt: what came, when, and by which way, oldest first."""
        said = WORDINGS[self.settings.language]
        document = self.document()
        zone = self.organization.timezone
        came = tuple(_received(each, zone, said) for each in payments)
        facts = (DocumentFact(said.receipt_for, document.facts[0].value), *came)
        return replace(document, title=said.receipt, facts=facts)


def _received(payment: Payment, timezone: str, said: Wording) -> DocumentFact:
    """The day at the left; what came, and how, at the right."""
    way = "card" if payment.mode in ASKING else payment.mode.value
    way = payment.receipt.method.value if payment.receipt is not None else way
    day = said.day_of(payment.settled_at or payment.updated_at, timezone)
    return DocumentFact(f"{said.received} {day}", f"{said.money(payment.amount)}, {said.ways[way]}")


def _document(printing: Printing, said: Wording, language: Language) -> InvoiceDocument:
    invoice, settings = printing.invoice, printing.settings
    timezone = printing.organization.timezone
    is_draft = invoice.status is InvoiceStatus.DRAFT
    return InvoiceDocument(
        title=said.draft if is_draft else said.invoice,
        headline=_headline(invoice, timezone, said),
        status=said.statuses[invoice.status.value],
        seller=_seller(printing.organization, settings, said),
        buyer=_buyer(printing.customer, said),
        facts=_facts(invoice, timezone, said),
        lines=tuple(_lines(invoice, said)),
        totals=tuple(_totals(invoice, said)),
        made_at=invoice.updated_at,
        memo=invoice.memo or "",
        footer=settings.footer or printing.organization.name,
        language=language.value,
        paper=settings.paper.value,
        logo=settings.logo,
        notes=tuple(_notes(invoice, said)),
        bank=tuple(_bank(settings)),
        words=said.words,
    )


def _headline(invoice: Invoice, timezone: str, said: Wording) -> str:
    if invoice.status is InvoiceStatus.PAID and invoice.paid_at is not None:
        day = said.day_of(invoice.paid_at, timezone)
        return said.paid.format(amount=said.money(invoice.total), day=day)
    if invoice.status is InvoiceStatus.OPEN and invoice.due_at is not None:
        day = said.day_of(invoice.due_at, timezone)
        return said.due.format(amount=said.money(invoice.due), day=day)
    return said.money(invoice.total)


def _seller(
    organization: Organization, settings: DocumentSettings, said: Wording
) -> tuple[str, ...]:
    tax_id = (f"{said.tax_id} {settings.tax_id}",) if settings.tax_id else ()
    return (organization.name, *_address(settings.address), *tax_id)


def _buyer(customer: Customer, said: Wording) -> tuple[str, ...]:
    tax_id = (f"{said.tax_id} {customer.tax_id}",) if customer.tax_id else ()
    return (customer.name, *_address(customer.address), customer.email, *tax_id)


def _address(address: Mapping[str, str] | None) -> Iterator[str]:
    """As it is written on a letter: the town on one line with its number, the country last."""
    parts = {key: part for key, part in (address or {}).items() if part}
    yield from (parts[key] for key in _STREET if key in parts)
    order = _TOWN_FIRST if parts.get("country") in _NUMBER_LAST else _TOWN
    town = " ".join(parts[key] for key in order if key in parts)
    yield from (town,) if town else ()
    yield from (part for key, part in sorted(parts.items()) if key not in _NAMED)
    yield from (parts["country"],) if "country" in parts else ()


def _facts(invoice: Invoice, timezone: str, said: Wording) -> tuple[DocumentFact, ...]:
    def day(at: Instant | None) -> str | None:
        return None if at is None else said.day_of(at, timezone)

    known = (
        (said.number, None if invoice.number is None else str(invoice.number)),
        (said.issued, day(invoice.finalized_at)),
        (said.due_label, day(invoice.due_at)),
        (said.paid_label, day(invoice.paid_at)),
        (said.voided, day(invoice.voided_at)),
    )
    return tuple(DocumentFact(label, value) for label, value in known if value is not None)


def _lines(invoice: Invoice, said: Wording) -> Iterator[DocumentLine]:
    sums = accumulate(line.amount for line in invoice.lines)
    for line, carried in zip(invoice.lines, sums, strict=True):
        yield _line(line, carried, said)


def _line(line: InvoiceLine, carried: Money, said: Wording) -> DocumentLine:
    return DocumentLine(
        description=line.description,
        quantity=said.grouped(str(line.quantity)),
        unit_amount=said.unit_price(line.unit_amount, line.amount.currency),
        amount=said.money(line.amount),
        carried=said.money(carried),
    )


def _totals(invoice: Invoice, said: Wording) -> Iterator[DocumentTotal]:
    yield DocumentTotal(said.subtotal, said.money(invoice.subtotal))
    if not invoice.discount.is_zero:
        yield DocumentTotal(said.discount, said.money(-invoice.discount))
    yield from _taxes(invoice, said)
    yield DocumentTotal(said.total, said.money(invoice.total), is_strong=True)
    if not invoice.credited.is_zero:
        yield DocumentTotal(said.credited, said.money(-invoice.credited))
    if not invoice.paid.is_zero:
        yield DocumentTotal(said.paid_label, said.money(invoice.paid))
    if not (invoice.credited.is_zero and invoice.paid.is_zero):
        yield DocumentTotal(said.due_label, said.money(invoice.due), is_strong=True)


def _taxes(invoice: Invoice, said: Wording) -> Iterator[DocumentTotal]:
    """Each rate with what it lies on; their sum alone where the rates are not known."""
    if not invoice.taxes and not invoice.tax.is_zero:
        yield DocumentTotal(said.tax, said.money(invoice.tax))
    for tax in invoice.taxes:
        yield DocumentTotal(_tax_label(tax, said), said.money(tax.amount))


def _tax_label(tax: AppliedTax, said: Wording) -> str:
    terms = tax.terms
    form = said.included if terms.is_inclusive else said.tax_on
    percent = decimal(terms.rate.percent).replace(".", said.point)
    return form.format(name=terms.name, percent=percent, amount=said.money(tax.taxable))


def _notes(invoice: Invoice, said: Wording) -> Iterator[str]:
    """What the law wants to be said of the taxes, each once."""
    for tax in invoice.taxes:
        if tax.terms.note:
            yield tax.terms.note
        elif tax.terms.category is TaxCategory.REVERSE_CHARGE:
            yield said.reverse_charge


def _bank(settings: DocumentSettings) -> Iterator[str]:
    if settings.iban:
        yield f"IBAN {settings.iban}"
    if settings.bic:
        yield f"BIC {settings.bic}"
