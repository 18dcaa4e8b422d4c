"""An invoice for machines: Cross Industry Invoice, the profile of EN 16931 (Factur-X, ZUGFeRD).

The same figures as on paper, none computed anew but by sums: a line is told without the taxes in
its price, so that taxes stand on top of it as the norm has them. Refuses what the norm cannot say:
a draft, a line on which several taxes lie, and amounts with three decimals.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import astuple

from bursar.domain.credit_notes import CreditNote
from bursar.domain.currencies import exponent_of
from bursar.domain.invoice_documents import Printing
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money, format_minor, total
from bursar.domain.refusals import NotExpressible
from bursar.domain.shapes.fields import decimal
from bursar.domain.taxes import AppliedTax, TaxCategory
from bursar.domain.times import Instant, Period

PROFILE: Final = "urn:cen.eu:en16931:2017"
_SPACES: Final[Mapping[str, str]] = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_VAT: Final = "VA"
_OTHER_TAX: Final = "FC"
_DECIMALS_MAX: Final = 2
_INVOICE: Final = "380"
_CREDIT_NOTE: Final = "381"
_ONE: Final = "C62"  # a piece, a unit: whatever is counted
_DISCOUNT: Final = "95"
_TRANSFER: Final = "58"  # SEPA credit transfer
_UNTAXED: Final = "O"
_EXEMPT: Final = "E"
_CODES: Final[Mapping[TaxCategory, str]] = {
    TaxCategory.STANDARD: "S",
    TaxCategory.ZERO: "Z",
    TaxCategory.EXEMPT: _EXEMPT,
    TaxCategory.REVERSE_CHARGE: "AE",
}
_REASONS: Final[Mapping[str, str]] = {
    _EXEMPT: "Exempt from tax",
    "AE": "Reverse charge",
    _UNTAXED: "Not subject to tax",
}

for _prefix, _space in _SPACES.items():
    register_namespace(_prefix, _space)


class _Duty(Struct, frozen=True):
    """A category of tax and its percentage, as the norm tells them apart."""

    code: str
    percent: str
    reason: str | None

    def put(
        self, under: Element, *, taxable: Money | None = None, amount: Money | None = None
    ) -> None:
        """As an element: on a line without amounts, on the document with them."""
        tax = _put(under, "ram:ApplicableTradeTax")
        if amount is not None:
            _put(tax, "ram:CalculatedAmount", format_minor(amount))
        _put(tax, "ram:TypeCode", "VAT")
        if taxable is not None:
            if self.reason is not None:
                _put(tax, "ram:ExemptionReason", self.reason)
            _put(tax, "ram:BasisAmount", format_minor(taxable))
        _put(tax, "ram:CategoryCode", self.code)
        if self.code != _UNTAXED:
            _put(tax, "ram:RateApplicablePercent", self.percent)


class _Item(Struct, frozen=True):
    """One line: `price` is that of all its units, before the `allowance` and without tax."""

    description: str
    quantity: int
    price: Money
    allowance: Money
    tax: Money
    duty: _Duty
    period: Period | None = None

    @property
    def net(self) -> Money:
        """What the line comes to."""
        return self.price - self.allowance


class _Paper(Struct, frozen=True, kw_only=True):
    """What an invoice and a credit note have in common, in the norm's own terms."""

    code: str
    number: str
    issued_at: Instant
    memo: str | None
    items: tuple[_Item, ...]
    tax: Money
    due: Money
    period: Period | None = None
    due_at: Instant | None = None
    terms: str | None = None
    precedent: Invoice | None = None  # the invoice that a credit note takes back


def einvoice(printing: Printing) -> bytes:
    """The document as XML, the same bytes each time.

    Raises:
        NotExpressible: the norm has no words for it.
    """
    invoice = printing.invoice
    if invoice.number is None or invoice.status is InvoiceStatus.VOID:
        raise NotExpressible(f"Invoice {invoice.id} is {invoice.status.value}: no e-invoice.")
    assert invoice.finalized_at is not None
    paper = _Paper(
        code=_INVOICE,
        number=str(invoice.number),
        issued_at=invoice.finalized_at,
        memo=invoice.memo,
        items=tuple(_item(line, invoice) for line in invoice.lines),
        tax=invoice.tax,
        due=invoice.due,
        period=invoice.period,
        due_at=invoice.due_at,
    )
    return _written(paper, printing)


def einvoice_of_note(note: CreditNote, printing: Printing) -> bytes:
    """A credit note as XML, naming the invoice that it takes back; the same bytes each time.

    Raises:
        NotExpressible: the norm has no words for it.
    """
    lines = {line.id: line for line in printing.invoice.lines}
    zero = Money.zero(note.currency)
    paper = _Paper(
        code=_CREDIT_NOTE,
        number=str(note.number),
        issued_at=note.created_at,
        memo=note.reason,
        items=tuple(
            _Item(each.description, 1, each.amount - each.tax, zero, each.tax, duty)
            for each in note.lines
            for duty in (_duty_of(lines[each.invoice_line_id], printing.invoice),)
        ),
        tax=note.tax,
        due=note.total,
        terms=f"Credited for invoice {printing.invoice.number}",
        precedent=printing.invoice,
    )
    return _written(paper, printing)


def is_expressible(printing: Printing) -> bool:
    """Whether the norm has words for it."""
    invoice = printing.invoice
    is_issued = invoice.number is not None and invoice.status is not InvoiceStatus.VOID
    is_plain = all(len(line.taxes) <= 1 for line in invoice.lines)
    return is_issued and is_plain and exponent_of(invoice.currency) <= _DECIMALS_MAX


def _item(line: InvoiceLine, invoice: Invoice) -> _Item:
    price = line.amount - line.tax_included
    duty = _duty_of(line, invoice)
    return _Item(line.description, line.quantity, price, line.discount, line.tax, duty, line.period)


def _written(paper: _Paper, printing: Printing) -> bytes:
    if exponent_of(paper.due.currency) > _DECIMALS_MAX:
        raise NotExpressible("Amounts with three decimals have no words in EN 16931.")
    root = Element(_name("rsm:CrossIndustryInvoice"))
    context = _put(root, "rsm:ExchangedDocumentContext")
    guideline = _put(context, "ram:GuidelineSpecifiedDocumentContextParameter")
    _put(guideline, "ram:ID", PROFILE)
    zone = printing.organization.timezone
    _head(_put(root, "rsm:ExchangedDocument"), paper, zone)
    trade = _put(root, "rsm:SupplyChainTradeTransaction")
    for place, item in enumerate(paper.items, start=1):
        _line(_put(trade, "ram:IncludedSupplyChainTradeLineItem"), place, item)
    is_untaxed = all(item.duty.code == _UNTAXED for item in paper.items)
    agreement = _put(trade, "ram:ApplicableHeaderTradeAgreement")
    _agreement(agreement, printing, is_untaxed=is_untaxed)
    _put(trade, "ram:ApplicableHeaderTradeDelivery")
    _settlement(_put(trade, "ram:ApplicableHeaderTradeSettlement"), paper, printing)
    body: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return body


def _head(under: Element, paper: _Paper, zone: str) -> None:
    _put(under, "ram:ID", paper.number)
    _put(under, "ram:TypeCode", paper.code)
    _day(_put(under, "ram:IssueDateTime"), paper.issued_at, zone)
    if paper.memo:
        _put(_put(under, "ram:IncludedNote"), "ram:Content", paper.memo)


def _line(under: Element, place: int, item: _Item) -> None:
    """Price and quantity are told so that their product is exact: the price of all of them."""
    sign = -1 if item.price.minor < 0 else 1
    _put(_put(under, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(place))
    _put(_put(under, "ram:SpecifiedTradeProduct"), "ram:Name", item.description)
    agreement = _put(under, "ram:SpecifiedLineTradeAgreement")
    price = _put(agreement, "ram:NetPriceProductTradePrice")
    _put(price, "ram:ChargeAmount", format_minor(item.price * sign))
    _put(price, "ram:BasisQuantity", str(item.quantity), unitCode=_ONE)
    delivery = _put(under, "ram:SpecifiedLineTradeDelivery")
    _put(delivery, "ram:BilledQuantity", str(item.quantity * sign), unitCode=_ONE)
    settlement = _put(under, "ram:SpecifiedLineTradeSettlement")
    item.duty.put(settlement)
    if item.period is not None:
        _period(settlement, item.period)
    if not item.allowance.is_zero:
        _allowance(settlement, item.allowance)
    sums = _put(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _put(sums, "ram:LineTotalAmount", format_minor(item.net))


def _agreement(under: Element, printing: Printing, *, is_untaxed: bool) -> None:
    """Who sells to whom. Where VAT has no say, nobody may show a number for it."""
    settings, customer = printing.settings, printing.customer
    seller = _put(under, "ram:SellerTradeParty")
    if is_untaxed or not settings.tax_id:
        _put(seller, "ram:ID", printing.organization.id)  # somebody must be named by a number
    _party(seller, printing.organization.name, settings.address)
    _registration(seller, settings.tax_id, scheme=_OTHER_TAX if is_untaxed else _VAT)
    buyer = _put(under, "ram:BuyerTradeParty")
    _party(buyer, customer.name, customer.address)
    _registration(buyer, None if is_untaxed else customer.tax_id, scheme=_VAT)


def _party(under: Element, name: str, address: Mapping[str, str] | None) -> None:
    _put(under, "ram:Name", name)
    parts = address or {}
    place = _put(under, "ram:PostalTradeAddress") if parts else None
    for tag, key in (
        ("ram:PostcodeCode", "postalCode"),
        ("ram:LineOne", "line1"),
        ("ram:LineTwo", "line2"),
        ("ram:CityName", "city"),
        ("ram:CountryID", "country"),
        ("ram:CountrySubDivisionName", "state"),
    ):
        if place is not None and parts.get(key):
            _put(place, tag, parts[key])


def _registration(under: Element, tax_id: str | None, *, scheme: str) -> None:
    if tax_id:
        _put(_put(under, "ram:SpecifiedTaxRegistration"), "ram:ID", tax_id, schemeID=scheme)


def _settlement(under: Element, paper: _Paper, printing: Printing) -> None:
    zone = printing.organization.timezone
    _put(under, "ram:PaymentReference", paper.number)
    _put(under, "ram:InvoiceCurrencyCode", paper.due.currency.upper())
    if printing.settings.iban and paper.code == _INVOICE:
        means = _put(under, "ram:SpecifiedTradeSettlementPaymentMeans")
        _put(means, "ram:TypeCode", _TRANSFER)
        account = _put(means, "ram:PayeePartyCreditorFinancialAccount")
        _put(account, "ram:IBANID", printing.settings.iban)
    for duty, taxable, amount in _summed(paper):
        duty.put(under, taxable=taxable, amount=amount)
    if paper.period is not None:
        _period(under, paper.period)
    _terms(under, paper, zone)
    _sums(_put(under, "ram:SpecifiedTradeSettlementHeaderMonetarySummation"), paper)
    if paper.precedent is not None:
        _precedent(_put(under, "ram:InvoiceReferencedDocument"), paper.precedent, zone)


def _terms(under: Element, paper: _Paper, zone: str) -> None:
    if paper.terms is None and paper.due_at is None:
        return
    terms = _put(under, "ram:SpecifiedTradePaymentTerms")
    if paper.terms is not None:
        _put(terms, "ram:Description", paper.terms)
    if paper.due_at is not None:
        _day(_put(terms, "ram:DueDateDateTime"), paper.due_at, zone)


def _precedent(under: Element, invoice: Invoice, zone: str) -> None:
    assert invoice.finalized_at is not None, "only what is final is taken back"
    _put(under, "ram:IssuerAssignedID", str(invoice.number))
    day = _put(under, "ram:FormattedIssueDateTime")
    _stamp(day, _civil(invoice.finalized_at, zone), space="qdt")


def _sums(under: Element, paper: _Paper) -> None:
    net = total((each.net for each in paper.items), paper.due.currency)
    grand = net + paper.tax
    tag = "ram:TaxTotalAmount"
    _put(under, "ram:LineTotalAmount", format_minor(net))
    _put(under, "ram:TaxBasisTotalAmount", format_minor(net))
    _put(under, tag, format_minor(paper.tax), currencyID=paper.due.currency.upper())
    _put(under, "ram:GrandTotalAmount", format_minor(grand))
    _put(under, "ram:TotalPrepaidAmount", format_minor(grand - paper.due))
    _put(under, "ram:DuePayableAmount", format_minor(paper.due))


def _summed(paper: _Paper) -> Iterator[tuple[_Duty, Money, Money]]:
    """Each duty with what it lies on and what it comes to."""
    code = paper.due.currency
    ordered = sorted(paper.items, key=lambda item: astuple(item.duty))
    for duty, group in groupby(ordered, key=lambda item: item.duty):
        items = list(group)
        nets, taxes = (each.net for each in items), (each.tax for each in items)
        yield duty, total(nets, code), total(taxes, code)


def _duty_of(line: InvoiceLine, invoice: Invoice) -> _Duty:
    """What lies on a line.

    Raises:
        NotExpressible: more than one tax does.
    """
    terms = {each.terms.rate_id: each for each in invoice.taxes}
    if len(line.taxes) > 1:
        raise NotExpressible("Several taxes lie on one line, for which EN 16931 has no words.")
    if not line.taxes:
        code = _EXEMPT if invoice.taxes else _UNTAXED
        return _Duty(code, "0", _REASONS[code])
    return _duty(terms[line.taxes[0].rate_id])


def _duty(applied: AppliedTax) -> _Duty:
    terms = applied.terms
    percent = decimal(terms.rate.percent)
    code = _CODES[terms.category]
    if code == "S" and percent == "0":
        code = "Z"
    reason = (terms.note or _REASONS[code]) if code in _REASONS else None
    return _Duty(code, percent, reason)


def _allowance(under: Element, amount: Money) -> None:
    allowance = _put(under, "ram:SpecifiedTradeAllowanceCharge")
    indicator = _put(allowance, "ram:ChargeIndicator")
    _put(indicator, "udt:Indicator", "false")
    _put(allowance, "ram:ActualAmount", format_minor(amount))
    _put(allowance, "ram:ReasonCode", _DISCOUNT)
    _put(allowance, "ram:Reason", "Discount")


def _period(under: Element, period: Period) -> None:
    """Days of the norm are whole ones: the period's first, and the one that its end falls into."""
    span = _put(under, "ram:BillingSpecifiedPeriod")
    _stamp(_put(span, "ram:StartDateTime"), period.start.date())
    _stamp(_put(span, "ram:EndDateTime"), period.end.date())


def _day(under: Element, at: Instant, timezone: str) -> None:
    _stamp(under, _civil(at, timezone))


def _civil(at: Instant, timezone: str) -> date:
    return at.astimezone(ZoneInfo(timezone)).date()


def _stamp(under: Element, day: date, *, space: str = "udt") -> None:
    _put(under, f"{space}:DateTimeString", f"{day:%Y%m%d}", format="102")


def _put(under: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    element = SubElement(under, _name(tag), attributes)
    element.text = text
    return element


def _name(tag: str) -> str:
    prefix, _, local = tag.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"
