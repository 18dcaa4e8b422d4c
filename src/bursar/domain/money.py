"""Money is an integer in minor units with its currency; every sum is exact or refused.

Owns the arithmetic and the one rounding law: a line, a rate's tax and a percentage are each rounded
once, half to even; what must be shared out is shared by largest remainder, ties to the first, and
adds up to the whole. Sub-unit prices are `Decimal`, in minor units, and live only until `priced` or
`rounded`. All of it is integer arithmetic, so no decimal context can change a result. Refuses to
exchange one currency for another, to hold anything beyond ±(2^53 − 1) at any step, and floats.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

from msgspec import Struct

from bursar.domain.currencies import EXPONENTS, Currency, UnknownCurrency, exponent_of

AMOUNT_MAX: Final = 2**53 - 1
"""The largest integer every JSON reader keeps exactly."""

PRICE_PLACES_MAX: Final = 12
RATE_PLACES_MAX: Final = 4
_PERCENT_MAX: Final = 100
_TOO_MUCH: Final = "the amount is beyond 9,007,199,254,740,991 minor units"
# A decimal with more digits than this is far out of range whatever it is multiplied by; looking at
# the exponent first keeps `1e999999999` from being written out.
_EXPONENT_MAX: Final = 40
_BEYOND_ALL: Final = 10 ** (_EXPONENT_MAX + 1)
_PLACES_MAX: Final = 2 * PRICE_PLACES_MAX


class AmountOutOfRange(ArithmeticError):
    """An amount crossed ±(2^53 − 1); nothing was wrapped or clamped."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


class NothingToShareOver(ValueError):
    """An amount was to be shared, and no part has any weight."""


class MalformedDecimal(ValueError):
    """A price, quantity or rate is not finite, or has too many places."""


class Rate(Struct, frozen=True):
    """An exact percentage from 0 to 100 with at most four places: `Rate(Decimal("8.875"))`."""

    percent: Decimal

    def __post_init__(self) -> None:
        _require_decimal(self.percent, places_max=RATE_PLACES_MAX)
        if not 0 <= self.percent <= _PERCENT_MAX:
            raise MalformedDecimal("a rate is from 0 to 100 percent")

    def of(self, minor: int) -> int:
        """This rate of an amount, rounded half to even."""
        top, bottom = self.percent.as_integer_ratio()
        return half_even(minor * top, denominator=bottom * _PERCENT_MAX)


class Money(Struct, frozen=True):
    """An exact amount: `Money(3056, usd)` is 30.56 US dollars, `Money(500, jpy)` is 500 yen."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        # `True` and `IntEnum` members pass as integers elsewhere; here they are mistakes.
        if type(self.minor) is not int:
            raise TypeError(f"an amount is an int of minor units, not {type(self.minor).__name__}")
        if self.currency not in EXPONENTS:
            raise UnknownCurrency("expected a lower-case ISO 4217 currency code such as usd")
        if not -AMOUNT_MAX <= self.minor <= AMOUNT_MAX:
            raise AmountOutOfRange(_TOO_MUCH)

    @classmethod
    def zero(cls, currency: Currency) -> "Money":
        return _zero(currency)

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    @property
    def is_positive(self) -> bool:
        return self.minor > 0

    @property
    def is_negative(self) -> bool:
        return self.minor < 0

    def __add__(self, other: "Money") -> "Money":
        minor = self.minor_of(other)
        return Money(self.minor + minor, self.currency) if minor else self

    def __sub__(self, other: "Money") -> "Money":
        minor = self.minor_of(other)
        return Money(self.minor - minor, self.currency) if minor else self

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise TypeError(f"money is multiplied by an int, not {type(count).__name__}")
        return Money(self.minor * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self.minor_of(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self.minor_of(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self.minor_of(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self.minor_of(other)

    def share(self, rate: Rate) -> "Money":
        """This percentage of the amount, rounded once, half to even."""
        return Money(rate.of(self.minor), self.currency)

    def allocate(self, weights: Sequence[int]) -> "tuple[Money, ...]":
        """Shares in proportion to the weights that add up to exactly this amount.

        Each share is within one minor unit of the exact one. Units that do not divide go to the
        largest remainders, ties to the first; a negative amount is shared as its mirror image.
        Nothing, shared over weights that are all zero, is nothing for each.

        Raises:
            NothingToShareOver: there is an amount but no weight above zero to carry it.
        """
        total_weight = _total_weight(weights)
        if total_weight == 0:
            if self.minor != 0 or not weights:
                raise NothingToShareOver("no part has a weight above zero")
            return tuple(self for _ in weights)
        if self.minor < 0:
            return tuple(-share for share in (-self).allocate(weights))
        floors, remainders = zip(
            *(divmod(self.minor * weight, total_weight) for weight in weights), strict=True
        )
        left_over = self.minor - sum(floors)
        # `sorted` is stable, so of equal remainders the first part comes first.
        lucky = sorted(range(len(weights)), key=lambda at: -remainders[at])[:left_over]
        extra = frozenset(lucky)
        return tuple(Money(floor + (at in extra), self.currency) for at, floor in enumerate(floors))

    def minor_of(self, other: "Money") -> int:
        """The other amount's minor units, once it is known to be of this currency."""
        if not isinstance(other, Money):
            raise TypeError(f"money meets money, not {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")
        return other.minor


@cache
def _zero(currency: Currency) -> Money:
    """Nothing, of which there is one for each of the few currencies."""
    return Money(0, currency)


def total(moneys: Iterable[Money], currency: Currency) -> Money:
    """The sum, which is zero of the given currency when there is nothing to add."""
    zero = Money.zero(currency)
    minor = 0
    for money in moneys:
        # As `minor_of`, which costs more than the sum.
        is_alike = type(money) is Money and money.currency == currency
        minor += money.minor if is_alike else zero.minor_of(money)
        if not -AMOUNT_MAX <= minor <= AMOUNT_MAX:
            raise AmountOutOfRange(_TOO_MUCH)
    return Money(minor, currency) if minor else zero


def priced(quantity: Decimal | int, unit_amount: Decimal, currency: Currency) -> Money:
    """A line's amount: the exact product, rounded once, half to even.

    The unit amount is in minor units and may be below one: `Decimal("0.0025")` of a cent.

    Raises:
        MalformedDecimal: a factor is not finite or has more than 12 places.
        AmountOutOfRange: the product is beyond the largest amount.
    """
    quantity_top, quantity_bottom = _ratio(quantity, places_max=PRICE_PLACES_MAX)
    unit_top, unit_bottom = _ratio(unit_amount, places_max=PRICE_PLACES_MAX)
    top, bottom = quantity_top * unit_top, quantity_bottom * unit_bottom
    return Money(half_even(top, denominator=bottom), currency)


def sum_of_products(pairs: Iterable[tuple[int, Decimal]], currency: Currency) -> Money:
    """Quantities times unit amounts, added up exactly and rounded once, half to even.

    Raises:
        MalformedDecimal: a unit amount is not finite or has more than 12 places.
        AmountOutOfRange: the sum is beyond the largest amount.
    """
    scale = 10**PRICE_PLACES_MAX
    top = 0
    for quantity, unit_amount in pairs:
        unit_top, unit_bottom = _ratio(unit_amount, places_max=PRICE_PLACES_MAX)
        # A decimal of at most 12 places has a denominator that divides 10^12.
        top += quantity * unit_top * (scale // unit_bottom)
    return Money(half_even(top, denominator=scale), currency)


def rounded(amount: Decimal | int, currency: Currency) -> Money:
    """An exact sum of products (tiers, usage), in minor units, rounded once, half to even.

    Raises:
        MalformedDecimal: the amount is not finite or has more than 24 places.
        AmountOutOfRange: it is beyond the largest amount.
    """
    top, bottom = _ratio(amount, places_max=_PLACES_MAX)
    return Money(half_even(top, denominator=bottom), currency)


def half_even(numerator: int, *, denominator: int) -> int:
    """The integer nearest to a fraction, the even one when two are as near."""
    assert denominator > 0, "a fraction has a positive denominator"
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def format_minor(money: Money) -> str:
    """Digits for the eye only: `30.56`, `-0.05`, `500` yen, `1.000` dinar."""
    exponent = exponent_of(money.currency)
    sign = "-" if money.minor < 0 else ""
    whole, part = divmod(abs(money.minor), 10**exponent)
    return f"{sign}{whole}.{part:0{exponent}d}" if exponent else f"{sign}{whole}"


def _total_weight(weights: Sequence[int]) -> int:
    for weight in weights:
        if type(weight) is not int:
            raise TypeError(f"a weight is an int, not {type(weight).__name__}")
        if weight < 0:
            raise ValueError("a weight is not negative")
    return sum(weights)


def _ratio(value: Decimal | int, *, places_max: int) -> tuple[int, int]:
    if type(value) is int:
        if abs(value) >= _BEYOND_ALL:
            raise AmountOutOfRange("the number is beyond every amount")
        return value, 1
    _require_decimal(value, places_max=places_max)
    return value.as_integer_ratio()


def _require_decimal(value: object, *, places_max: int) -> None:
    if not isinstance(value, Decimal):
        raise TypeError(f"an exact number is a Decimal, not {type(value).__name__}")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise MalformedDecimal("the number is not finite")
    if exponent < -places_max:
        raise MalformedDecimal(f"the number has more than {places_max} decimal places")
    if value.adjusted() > _EXPONENT_MAX:
        raise AmountOutOfRange("the number is beyond every amount")
