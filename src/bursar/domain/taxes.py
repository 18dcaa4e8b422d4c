"""Taxes on a document: which terms lie on which line, and what they come to.

A rate's tax is worked out on the sum of its lines after discounts and rounded once, half to even;
it is shared back to the lines by largest remainder, ties to the first, so the line taxes add up to
it. Included taxes are taken out of the prices first; what is left is what those on top lie on, so
that is always whole minor units. Refuses included taxes that would eat up more than the price.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final

from msgspec import Struct

from bursar.domain.currencies import Currency
from bursar.domain.ids import TaxRateId
from bursar.domain.money import Money, Rate, half_even, total
from bursar.domain.refusals import InvalidInput

RATES_PER_LINE_MAX: Final = 5
_WHOLE: Final = 100


class TaxCategory(StrEnum):
    """Why a rate is what it is; all but the standard one are of zero percent."""

    STANDARD = "standard"
    ZERO = "zero"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"


class TaxTerms(Struct, frozen=True):
    """What a document keeps of a tax rate: it stays true when the rate is long archived."""

    rate_id: TaxRateId
    name: str
    rate: Rate
    is_inclusive: bool
    category: TaxCategory
    country: str | None = None
    note: str | None = None  # what the law wants to be said on the document


class LineTax(Struct, frozen=True):
    """What one rate comes to on one line; an included one is a part of the line's amount."""

    rate_id: TaxRateId
    amount: Money
    is_inclusive: bool


class AppliedTax(Struct, frozen=True):
    """What one rate comes to on the whole document; what it lies on is without any tax."""

    terms: TaxTerms
    taxable: Money
    amount: Money


class TaxableLine(Struct, frozen=True):
    """A line after discounts, and the rates that lie on it."""

    amount: Money
    rate_ids: tuple[TaxRateId, ...]


class Taxation(Struct, frozen=True):
    """The taxes of a document: line by line, and rate by rate."""

    lines: tuple[tuple[LineTax, ...], ...]
    applied: tuple[AppliedTax, ...]


def taxation(
    lines: Sequence[TaxableLine], terms: Sequence[TaxTerms], currency: Currency
) -> Taxation:
    """What the rates come to, in the order in which lines name them.

    Raises:
        InvalidInput: the included taxes round to more than the price they are in.
        AmountOutOfRange: a tax is beyond the largest amount.
    """
    known = {each.rate_id: each for each in terms}
    used = dict.fromkeys(rate_id for each in lines for rate_id in each.rate_ids)
    if not used:
        return Taxation(((),) * len(lines), ())
    found: dict[TaxRateId, tuple[Money, ...]] = {}
    for rate_id in used:
        if known[rate_id].is_inclusive:
            found[rate_id] = _shared([_part(each, rate_id, known) for each in lines], currency)
    included = [total((column[at] for column in found.values()), currency) for at in _places(lines)]
    nets = [each.amount - part for each, part in zip(lines, included, strict=True)]
    _require_a_price_left(lines, nets)
    for rate_id in used:
        terms_of = known[rate_id]
        if not terms_of.is_inclusive:
            on_top = [
                _on_top(net, terms_of.rate) if rate_id in each.rate_ids else Fraction(0)
                for each, net in zip(lines, nets, strict=True)
            ]
            found[rate_id] = _shared(on_top, currency)
    return Taxation(_by_line(lines, known, found), _by_rate(lines, nets, known, found))


def _places(lines: Sequence[TaxableLine]) -> range:
    return range(len(lines))


def _part(line: TaxableLine, rate_id: TaxRateId, known: Mapping[TaxRateId, TaxTerms]) -> Fraction:
    """The exact share of an included tax in a price: p of (100 + all that is included)."""
    if rate_id not in line.rate_ids:
        return Fraction(0)
    inside = [known[each].rate for each in line.rate_ids if known[each].is_inclusive]
    whole = _WHOLE + sum((Fraction(rate.percent) for rate in inside), Fraction(0))
    share = Fraction(known[rate_id].rate.percent) * Fraction(whole.denominator, whole.numerator)
    return line.amount.minor * share


def _on_top(net: Money, rate: Rate) -> Fraction:
    return net.minor * Fraction(rate.percent) * Fraction(1, _WHOLE)


def _shared(exact: Sequence[Fraction], currency: Currency) -> tuple[Money, ...]:
    """The sum, rounded once, as parts of whole minor units that lie next to the exact ones."""
    whole = sum(exact, Fraction(0))
    if whole < 0:  # the mirror image, so that taking all back gives exactly what was taken
        return tuple(-each for each in _shared([-each for each in exact], currency))
    rounded = Money(half_even(whole.numerator, denominator=whole.denominator), currency)
    floors = [each.numerator // each.denominator for each in exact]
    left_over = rounded.minor - sum(floors)
    # `sorted` is stable, so of equal remainders the first line comes first.
    lucky = sorted(range(len(exact)), key=lambda at: floors[at] - exact[at])[:left_over]
    extra = frozenset(lucky)
    return tuple(Money(floor + (at in extra), currency) for at, floor in enumerate(floors))


def _require_a_price_left(lines: Sequence[TaxableLine], nets: Sequence[Money]) -> None:
    """Half a unit of each of many rates can be more than a price of few units has room for."""
    for line, net in zip(lines, nets, strict=True):
        if net.minor * line.amount.minor < 0:
            says = "the included taxes round to more than the price they are in"
            raise InvalidInput.at("lines", says, "taxes_exceed_price")


def _by_line(
    lines: Sequence[TaxableLine],
    known: Mapping[TaxRateId, TaxTerms],
    found: Mapping[TaxRateId, tuple[Money, ...]],
) -> tuple[tuple[LineTax, ...], ...]:
    return tuple(
        tuple(
            LineTax(rate_id, found[rate_id][at], known[rate_id].is_inclusive)
            for rate_id in line.rate_ids
        )
        for at, line in enumerate(lines)
    )


def _by_rate(
    lines: Sequence[TaxableLine],
    nets: Sequence[Money],
    known: Mapping[TaxRateId, TaxTerms],
    found: Mapping[TaxRateId, tuple[Money, ...]],
) -> tuple[AppliedTax, ...]:
    applied = []
    for rate_id in dict.fromkeys(each for line in lines for each in line.rate_ids):
        bearing = [net for line, net in zip(lines, nets, strict=True) if rate_id in line.rate_ids]
        zero = Money.zero(nets[0].currency)
        taxable = total(bearing, zero.currency)
        amount = total(found[rate_id], zero.currency)
        applied.append(AppliedTax(known[rate_id], taxable, amount))
    return tuple(applied)
