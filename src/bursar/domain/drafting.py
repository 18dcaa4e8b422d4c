"""What a caller asks to stand on a draft, and how it gets there: lines, taxes, discounts.

Rates and coupons are named by id and looked up before; here they are applied. What was agreed is
written on the document itself, so that no later change of a coupon or a rate can touch it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct, field

from bursar.domain.currencies import Currency
from bursar.domain.customers import TaxTreatment
from bursar.domain.discounts import Coupon, CouponStatus, Reduction
from bursar.domain.ids import CouponId, InvoiceLineId, TaxRateId
from bursar.domain.invoice_lines import Charge, InvoiceLine, LineDetails, priced_line
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.money import Money, Rate, priced
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.domain.tax_rates import TaxRate, TaxRateStatus, for_customer
from bursar.domain.taxes import TaxTerms

AGREED: Final = "Discount"
PERCENT_MAX: Final = Decimal(100)


class NewDiscount(Struct, frozen=True):
    """Something off, as a caller asks for it: by a coupon, or a percentage or amount agreed.

    `place` is where the caller wrote it, for whoever has to say that it makes no sense.
    """

    coupon_id: CouponId | None = None
    name: str = AGREED
    percent_off: Decimal | None = None
    amount_off_minor: int | None = None
    place: str = "discounts"

    def require_one(self) -> None:
        """Refuse nothing off, or two things, or a percentage beyond everything.

        Raises:
            InvalidInput: so it is.
        """
        given = (self.coupon_id, self.percent_off, self.amount_off_minor)
        if sum(each is not None for each in given) != 1:
            says = "give one of couponId, percentOff and amountOffCents"
            raise InvalidInput.at(f"{self.place}.couponId", says, "required")
        if self.percent_off is not None and not 0 < self.percent_off <= PERCENT_MAX:
            says = "must be above 0, and 100 at most"
            raise InvalidInput.at(f"{self.place}.percentOff", says, "out_of_range")


class NewLine(Struct, frozen=True):
    """A line as a caller asks for it; `unit_amount` is in minor units and may be below one."""

    description: str
    quantity: int
    unit_amount: Decimal
    tax_rate_ids: tuple[TaxRateId, ...] = ()
    discounts: tuple[NewDiscount, ...] = ()


class Known(Struct, frozen=True):
    """What the lookup found, and for whom it counts."""

    rates: Mapping[TaxRateId, TaxRate] = field(default_factory=dict)
    coupons: Mapping[CouponId, Coupon] = field(default_factory=dict)
    treatment: TaxTreatment = TaxTreatment.TAXABLE

    def terms(self, rate_id: TaxRateId) -> TaxTerms:
        """What the rate is on this customer's documents.

        Raises:
            NotFound: no such rate.
            InvalidInput: it is archived.
        """
        rate = self.rates.get(rate_id)
        if rate is None:
            raise NotFound(f"No tax rate {rate_id}.")
        if rate.status is not TaxRateStatus.ACTIVE:
            says = f"tax rate {rate_id} is archived"
            raise InvalidInput.at("taxRateIds", says, "archived")
        return for_customer(rate.terms, self.treatment)

    def reduction(self, wanted: NewDiscount, currency: Currency) -> Reduction:
        """What is taken off.

        Raises:
            NotFound: no such coupon.
            InvalidInput: it is none, or archived, or an amount of another currency.
        """
        wanted.require_one()
        if wanted.coupon_id is None:
            percent, minor = wanted.percent_off, wanted.amount_off_minor
            return Reduction(
                name=wanted.name,
                percent_off=None if percent is None else Rate(percent),
                amount_off=None if minor is None else Money(minor, currency),
            )
        coupon = self.coupons.get(wanted.coupon_id)
        if coupon is None:
            raise NotFound(f"No coupon {wanted.coupon_id}.")
        if coupon.status is not CouponStatus.ACTIVE:
            raise InvalidInput.at("couponId", f"coupon {coupon.id} is archived", "archived")
        if coupon.amount_off is not None and coupon.amount_off.currency != currency:
            says = f"the coupon is of {coupon.amount_off.currency}"
            raise InvalidInput.at("couponId", says, "mismatch")
        return coupon.reduction


def rates_named(lines: Iterable[NewLine]) -> set[TaxRateId]:
    """The rates to look up."""
    return {rate_id for line in lines for rate_id in line.tax_rate_ids}


def coupons_named(lines: Iterable[NewLine], discounts: Iterable[NewDiscount]) -> set[CouponId]:
    """The coupons to look up."""
    wanted = [*discounts, *(each for line in lines for each in line.discounts)]
    return {each.coupon_id for each in wanted if each.coupon_id is not None}


def composed(
    draft: Invoice,
    wanted: Sequence[NewLine],
    discounts: Sequence[NewDiscount] | None,
    known: Known,
    new_id: Callable[[str], str],
) -> Invoice:
    """The draft with these lines; `discounts` of None leaves those of the document as they are.

    Raises:
        NotFound, InvalidInput: a rate or a coupon that is not there, or not for this document.
        AmountTooLarge: the lines leave the exact range.
    """
    terms = {rate_id: known.terms(rate_id) for rate_id in sorted(rates_named(wanted))}
    lines = [_line(each, draft.currency, known, terms, new_id) for each in wanted]
    reductions = _reductions(draft, discounts, known)
    return with_lines(draft, lines, reductions=reductions, terms=[*terms.values()])


def copied(invoice: Invoice) -> tuple[tuple[NewLine, ...], tuple[NewDiscount, ...]]:
    """What somebody would have to ask for to get the same document again.

    A line that was worked out otherwise (tiers, a part of a period) is asked for as what it came
    to. Rates are named, not kept: a new document is taxed as the table says now.
    """
    return tuple(map(_asked, invoice.lines)), tuple(
        _agreed(each.reduction, "discounts") for each in invoice.discounts
    )


def _asked(line: InvoiceLine) -> NewLine:
    rates = tuple(each.rate_id for each in line.taxes)
    discounts = tuple(_agreed(each, "lines.discounts") for each in line.reductions)
    if priced(Decimal(line.quantity), line.unit_amount, line.amount.currency) == line.amount:
        return NewLine(line.description, line.quantity, line.unit_amount, rates, discounts)
    return NewLine(line.description, 1, Decimal(line.amount.minor), rates, discounts)


def _agreed(reduction: Reduction, place: str) -> NewDiscount:
    """As it was agreed, without the coupon: whose coupon is over still gave what it gave."""
    percent, amount = reduction.percent_off, reduction.amount_off
    return NewDiscount(
        name=reduction.name,
        percent_off=None if percent is None else percent.percent,
        amount_off_minor=None if amount is None else amount.minor,
        place=place,
    )


def reduced(draft: Invoice, discounts: Sequence[NewDiscount], known: Known) -> Invoice:
    """The same lines under other discounts of the document."""
    terms = [each.terms for each in draft.taxes]
    return with_lines(
        draft, draft.lines, reductions=_reductions(draft, discounts, known), terms=terms
    )


def _reductions(
    draft: Invoice, discounts: Sequence[NewDiscount] | None, known: Known
) -> list[Reduction]:
    if discounts is None:
        return [each.reduction for each in draft.discounts]
    return [known.reduction(each, draft.currency) for each in discounts]


def _line(
    wanted: NewLine,
    currency: Currency,
    known: Known,
    terms: Mapping[TaxRateId, TaxTerms],
    new_id: Callable[[str], str],
) -> InvoiceLine:
    charge = Charge(wanted.description, wanted.quantity, wanted.unit_amount)
    line_id = InvoiceLineId(new_id("il"))
    if not (wanted.tax_rate_ids or wanted.discounts):
        return priced_line(line_id, charge, currency)
    details = LineDetails(
        terms=[terms[rate_id] for rate_id in wanted.tax_rate_ids],
        reductions=tuple(known.reduction(each, currency) for each in wanted.discounts),
    )
    return priced_line(line_id, charge, currency, details)
