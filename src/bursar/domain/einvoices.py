"""An invoice for machines: Cross Industry Invoice, the profile of EN 16931 (Factur-X, ZUGFeRD).

The same figures as on paper, none computed anew but by sums: a line is told without the taxes in
its price, so that taxes stand on top of it as the norm has them. Refuses what the norm cannot say:
a draft, and a line on which several taxes lie.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring
from zoneinfo import ZoneInfo

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
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_INVOICE: Final = "380"
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


@dataclass(frozen=True, slots=True, order=True)
class _Duty:
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


def einvoice(printing: Printing) -> bytes:
    """The document as XML, the same bytes each time.

    Raises:
        NotExpressible: the norm has no words for it.
    """
    invoice = printing.invoice
    if invoice.number is None or invoice.status is InvoiceStatus.VOID:
        raise NotExpressible(f"Invoice {invoice.id} is {invoice.status.value}: no e-invoice.")
    root = Element(_name("rsm:CrossIndustryInvoice"))
    context = _put(root, "rsm:ExchangedDocumentContext")
    guideline = _put(context, "ram:GuidelineSpecifiedDocumentContextParameter")
    _put(guideline, "ram:ID", PROFILE)
    _head(_put(root, "rsm:ExchangedDocument"), printing)
    trade = _put(root, "rsm:SupplyChainTradeTransaction")
    duties = [_duty_of(line, invoice) for line in invoice.lines]
    for place, (line, duty) in enumerate(zip(invoice.lines, duties, strict=True), start=1):
        _line(_put(trade, "ram:IncludedSupplyChainTradeLineItem"), place, line, duty)
    _agreement(_put(trade, "ram:ApplicableHeaderTradeAgreement"), printing)
    _put(trade, "ram:ApplicableHeaderTradeDelivery")
    _settlement(_put(trade, "ram:ApplicableHeaderTradeSettlement"), printing, duties)
    body: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return body


def is_expressible(printing: Printing) -> bool:
    """Whether the norm has words for it."""
    invoice = printing.invoice
    is_issued = invoice.number is not None and invoice.status is not InvoiceStatus.VOID
    return is_issued and all(len(line.taxes) <= 1 for line in invoice.lines)


def _head(under: Element, printing: Printing) -> None:
    invoice, zone = printing.invoice, printing.organization.timezone
    assert invoice.finalized_at is not None
    _put(under, "ram:ID", str(invoice.number))
    _put(under, "ram:TypeCode", _INVOICE)
    _day(_put(under, "ram:IssueDateTime"), invoice.finalized_at, zone)
    if invoice.memo:
        _put(_put(under, "ram:IncludedNote"), "ram:Content", invoice.memo)


def _line(under: Element, place: int, line: InvoiceLine, duty: _Duty) -> None:
    """Price and quantity are told so that their product is exact: the price of all of them."""
    net = line.amount - line.tax_included
    sign = -1 if net.minor < 0 else 1
    _put(_put(under, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(place))
    _put(_put(under, "ram:SpecifiedTradeProduct"), "ram:Name", line.description)
    agreement = _put(under, "ram:SpecifiedLineTradeAgreement")
    price = _put(agreement, "ram:NetPriceProductTradePrice")
    _put(price, "ram:ChargeAmount", format_minor(net * sign))
    _put(price, "ram:BasisQuantity", str(line.quantity), unitCode=_ONE)
    delivery = _put(under, "ram:SpecifiedLineTradeDelivery")
    _put(delivery, "ram:BilledQuantity", str(line.quantity * sign), unitCode=_ONE)
    settlement = _put(under, "ram:SpecifiedLineTradeSettlement")
    duty.put(settlement)
    if line.period is not None:
        _period(settlement, line.period)
    if not line.discount.is_zero:
        _allowance(settlement, line.discount)
    sums = _put(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _put(sums, "ram:LineTotalAmount", format_minor(_net(line)))


def _agreement(under: Element, printing: Printing) -> None:
    settings, customer = printing.settings, printing.customer
    seller = _put(under, "ram:SellerTradeParty")
    _party(seller, printing.organization.name, address=settings.address, tax_id=settings.tax_id)
    buyer = _put(under, "ram:BuyerTradeParty")
    _party(buyer, customer.name, address=customer.address, tax_id=customer.tax_id)


def _party(
    under: Element, name: str, *, address: Mapping[str, str] | None, tax_id: str | None
) -> None:
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
    if tax_id:
        _put(_put(under, "ram:SpecifiedTaxRegistration"), "ram:ID", tax_id, schemeID="VA")


def _settlement(under: Element, printing: Printing, duties: list[_Duty]) -> None:
    invoice, settings = printing.invoice, printing.settings
    _put(under, "ram:PaymentReference", str(invoice.number))
    _put(under, "ram:InvoiceCurrencyCode", invoice.currency.upper())
    if settings.iban:
        means = _put(under, "ram:SpecifiedTradeSettlementPaymentMeans")
        _put(means, "ram:TypeCode", _TRANSFER)
        account = _put(means, "ram:PayeePartyCreditorFinancialAccount")
        _put(account, "ram:IBANID", settings.iban)
    for duty, taxable, amount in _summed(invoice, duties):
        duty.put(under, taxable=taxable, amount=amount)
    if invoice.period is not None:
        _period(under, invoice.period)
    if invoice.due_at is not None:
        terms = _put(under, "ram:SpecifiedTradePaymentTerms")
        zone = printing.organization.timezone
        _day(_put(terms, "ram:DueDateDateTime"), invoice.due_at, zone)
    _sums(_put(under, "ram:SpecifiedTradeSettlementHeaderMonetarySummation"), invoice)


def _sums(under: Element, invoice: Invoice) -> None:
    net = total(map(_net, invoice.lines), invoice.currency)
    grand = net + invoice.tax
    tag = "ram:TaxTotalAmount"
    _put(under, "ram:LineTotalAmount", format_minor(net))
    _put(under, "ram:TaxBasisTotalAmount", format_minor(net))
    _put(under, tag, format_minor(invoice.tax), currencyID=invoice.currency.upper())
    _put(under, "ram:GrandTotalAmount", format_minor(grand))
    _put(under, "ram:TotalPrepaidAmount", format_minor(grand - invoice.due))
    _put(under, "ram:DuePayableAmount", format_minor(invoice.due))


def _summed(invoice: Invoice, duties: list[_Duty]) -> Iterator[tuple[_Duty, Money, Money]]:
    """Each duty with what it lies on and what it comes to."""
    code = invoice.currency
    pairs = sorted(zip(duties, invoice.lines, strict=True), key=lambda pair: pair[0])
    for duty, group in groupby(pairs, key=lambda pair: pair[0]):
        lines = [line for _, line in group]
        yield duty, total(map(_net, lines), code), total((each.tax for each in lines), code)


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


def _net(line: InvoiceLine) -> Money:
    return line.amount - line.discount - line.tax_included


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
    _stamp(under, at.astimezone(ZoneInfo(timezone)).date())


def _stamp(under: Element, day: date) -> None:
    _put(under, "udt:DateTimeString", f"{day:%Y%m%d}", format="102")


def _put(under: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    element = SubElement(under, _name(tag), attributes)
    element.text = text
    return element


def _name(tag: str) -> str:
    prefix, _, local = tag.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"
