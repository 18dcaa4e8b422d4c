"""How a quantity becomes an amount: five models, exact until the one rounding at the line.

A price is worked out as parts (so many, at so much), and a line is their exact sum, rounded once,
half to even. So every amount can be shown with its derivation. Quantities are whole; prices may
have twelve places below the minor unit.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from bursar.domain.currencies import Currency
from bursar.domain.ids import MeterId, PriceId
from bursar.domain.money import AMOUNT_MAX, AmountOutOfRange, Money, sum_of_products
from bursar.domain.refusals import AmountTooLarge, InvalidInput

TIERS_MAX: Final = 100
QUANTITY_MAX: Final = AMOUNT_MAX
NOTHING: Final = Decimal(0)


class PricingModel(StrEnum):
    """How the price of a quantity is found."""

    FLAT_RATE = "flat_rate"  # one amount, whatever the quantity
    PER_UNIT = "per_unit"  # each unit costs the same
    GRADUATED = "graduated"  # each unit costs what its own tier says
    VOLUME = "volume"  # all units cost what the tier of the last one says
    PACKAGE = "package"  # begun packages are counted


class BillingInterval(StrEnum):
    """How long a period is."""

    MONTH = "month"
    YEAR = "year"


TIERED: Final = frozenset({PricingModel.GRADUATED, PricingModel.VOLUME})


class Tier(Struct, frozen=True):
    """Units up to and including `up_to` (None: all further ones), and what they cost.

    `flat_amount` is charged once when the tier is used. Both are in minor units.
    """

    up_to: int | None
    unit_amount: Decimal
    flat_amount: Decimal = NOTHING


class Part(Struct, frozen=True):
    """So many at so much: one term of the sum that a line is."""

    quantity: int
    unit_amount: Decimal


class PriceTerms(Struct, frozen=True):
    """What a price is to be; `unit_amount` is in minor units, and absent where tiers say it.

    With a meter the quantity is what was used; without one it is the subscription's own.
    """

    model: PricingModel
    unit_amount: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    package_size: int | None = None
    meter_id: MeterId | None = None
    interval: BillingInterval = BillingInterval.MONTH
    name: str | None = None


class Price(Struct, frozen=True):
    """One charge of a plan: terms that were checked, under an id that never changes meaning."""

    id: PriceId
    terms: PriceTerms

    @property
    def is_metered(self) -> bool:
        return self.terms.meter_id is not None

    def parts(self, quantity: int) -> tuple[Part, ...]:
        """The derivation: nothing used is nothing charged, except for a flat rate."""
        assert quantity >= 0, "nobody uses less than nothing"
        return tuple(_parts(self.terms, quantity))

    def amount(self, quantity: int, currency: Currency) -> Money:
        """What the quantity costs, rounded once.

        Raises:
            AmountTooLarge: more than the exact range holds.
        """
        pairs = [(part.quantity, part.unit_amount) for part in self.parts(quantity)]
        try:
            return sum_of_products(pairs, currency)
        except AmountOutOfRange as exceeded:
            raise AmountTooLarge(str(exceeded)) from exceeded


def price(price_id: PriceId, terms: PriceTerms, place: str = "") -> Price:
    """Terms that make sense, as a price; `place` is where a caller wrote them.

    Raises:
        InvalidInput: a member of the terms is missing, does not belong there, or is out of order.
    """
    if terms.model in TIERED:
        _require_tiers(terms, place)
    else:
        _require_unit_amount(terms, place)
    if (terms.package_size is not None) != (terms.model is PricingModel.PACKAGE):
        says = "is needed by package prices, and by no others"
        raise InvalidInput.at(f"{place}packageSize", says, "pricing_model")
    if terms.model is PricingModel.FLAT_RATE and terms.meter_id is not None:
        raise InvalidInput.at(f"{place}meterId", "a flat rate counts nothing", "pricing_model")
    return Price(price_id, terms)


def _require_unit_amount(terms: PriceTerms, place: str) -> None:
    if terms.tiers:
        raise InvalidInput.at(f"{place}tiers", "belong to graduated and volume", "pricing_model")
    if terms.unit_amount is None:
        says = "give either amountCents or unitAmountDecimal"
        raise InvalidInput.at(f"{place}amountCents", says, "required")


def _require_tiers(terms: PriceTerms, place: str) -> None:
    if terms.unit_amount is not None:
        says = "tiers say what a unit costs"
        raise InvalidInput.at(f"{place}amountCents", says, "pricing_model")
    if not 0 < len(terms.tiers) <= TIERS_MAX:
        raise InvalidInput.at(f"{place}tiers", f"expected 1 to {TIERS_MAX} tiers", "required")
    last = 0
    for position, tier in enumerate(terms.tiers):
        is_last = position == len(terms.tiers) - 1
        if is_last != (tier.up_to is None):
            says = "is null in the last tier, and there only"
            raise InvalidInput.at(f"{place}tiers[{position}].upTo", says, "tier_open")
        if tier.up_to is not None and tier.up_to <= last:
            says = f"must be above {last}, where the tier before ends"
            raise InvalidInput.at(f"{place}tiers[{position}].upTo", says, "tier_order")
        last = tier.up_to or last


def _parts(terms: PriceTerms, quantity: int) -> Iterator[Part]:
    unit_amount = terms.unit_amount or NOTHING
    match terms.model:
        case PricingModel.FLAT_RATE:
            yield Part(1, unit_amount)
        case PricingModel.PER_UNIT:
            yield Part(quantity, unit_amount)
        case PricingModel.PACKAGE:
            assert terms.package_size is not None
            yield Part(-(-quantity // terms.package_size), unit_amount)
        case PricingModel.GRADUATED:
            yield from _graduated(terms.tiers, quantity)
        case PricingModel.VOLUME:
            yield from _volume(terms.tiers, quantity)
        case _:
            assert_never(terms.model)


def _graduated(tiers: tuple[Tier, ...], quantity: int) -> Iterator[Part]:
    below = 0
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if top <= below:
            return
        yield from _in_tier(tier, top - below)
        below = top


def _volume(tiers: tuple[Tier, ...], quantity: int) -> Iterator[Part]:
    if quantity == 0:
        return
    tier = next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)
    yield from _in_tier(tier, quantity)


def _in_tier(tier: Tier, quantity: int) -> Iterator[Part]:
    yield Part(quantity, tier.unit_amount)
    if tier.flat_amount:
        yield Part(1, tier.flat_amount)
