"""How a line says its price and its taxes: two spellings each, of which one is meant.

Owns what rooms with lines have in common; the lines themselves are each room's own.
"""

from decimal import Decimal

from msgspec import UNSET, UnsetType

from bursar.domain.ids import TaxRateId
from bursar.domain.refusals import InvalidInput


def price_of(cents: int | UnsetType, exact: str | UnsetType, *, place: str) -> Decimal:
    """The unit price in minor units.

    Raises:
        InvalidInput: no price, or two of them.
    """
    if isinstance(cents, int) and exact is UNSET:
        return Decimal(cents)
    if isinstance(exact, str) and cents is UNSET:
        return Decimal(exact)
    message = "give either unitAmountCents or unitAmountDecimal"
    raise InvalidInput.at(f"{place}.unitAmountCents", message, "required")


def rates_of(
    one: TaxRateId | UnsetType, many: list[TaxRateId] | UnsetType, *, place: str
) -> tuple[TaxRateId, ...] | None:
    """The rates that are named, the single one first; nothing when nothing is said of rates.

    Raises:
        InvalidInput: a rate is named twice.
    """
    if isinstance(one, UnsetType) and isinstance(many, UnsetType):
        return None
    listed = [] if isinstance(many, UnsetType) else many
    if len(set(listed)) < len(listed):
        raise InvalidInput.at(f"{place}.taxRateIds", "names a rate twice", "repeated")
    first = () if isinstance(one, UnsetType) else (one,)
    return tuple(dict.fromkeys((*first, *listed)))
