"""Amounts in Stripe's units, which for a few currencies are not ISO 4217's minor units.

Seen in Stripe's currency pages on 2026-11-20: krónur are sent in hundredths that are always 00,
ariary in whole units, and amounts of three decimals end in 0. Ugandan shillings are listed both as
zero-decimal and as hundredths; a factor of a hundred is no place to guess, so they are refused.
An amount is converted exactly or not at all.
"""

from typing import Final

from bursar.domain.currencies import UnknownCurrency, currency, exponent_of
from bursar.domain.money import AmountOutOfRange, Money

_EXPONENTS: Final = {"isk": 2, "mga": 0}
_CONTRADICTED: Final = frozenset({"ugx"})
_THREE_DECIMALS: Final = 3


class AmountNotSupported(ValueError):
    """Stripe cannot carry this amount exactly; found out before anything is sent."""


class UnreadableAmount(ValueError):
    """Stripe named an amount that cannot be one of ours."""


def to_units(amount: Money) -> int:
    """The integer Stripe wants for this amount.

    Raises:
        AmountNotSupported: no integer means exactly this amount.
    """
    ours = exponent_of(amount.currency)
    if ours == _THREE_DECIMALS and amount.minor % 10:
        raise AmountNotSupported(f"{amount.currency} amounts must end in 0 at this provider")
    return _shifted(amount.minor, _exponent(amount.currency) - ours)


def from_units(units: int, code: str) -> Money:
    """The amount Stripe means by this integer.

    Raises:
        UnreadableAmount: the currency or the amount cannot be one of ours.
    """
    try:
        known = currency(code)
        return Money(_shifted(units, exponent_of(known) - _exponent(known)), known)
    except (AmountNotSupported, UnknownCurrency, AmountOutOfRange) as fault:
        raise UnreadableAmount(f"not an amount of ours: {units} {code[:8]}") from fault


def _exponent(code: str) -> int:
    if code in _CONTRADICTED:
        raise AmountNotSupported(f"{code} amounts are ambiguous at this provider")
    return _EXPONENTS.get(code, exponent_of(currency(code)))


def _shifted(number: int, places: int) -> int:
    """The number times ten to the power of `places`, exactly."""
    factor = int(10 ** abs(places))
    if places >= 0:
        return number * factor
    quotient, remainder = divmod(number, factor)
    if remainder:
        raise AmountNotSupported("the amount has fractions this provider cannot carry")
    return quotient
