"""The rounding law and the arithmetic of money, as properties over every exponent."""

from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal, localcontext
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bursar.domain.currencies import EXPONENTS, Currency, UnknownCurrency, currency, exponent_of
from bursar.domain.money import (
    AMOUNT_MAX,
    AmountOutOfRange,
    CurrencyMismatch,
    MalformedDecimal,
    Money,
    NothingToShareOver,
    Rate,
    format_minor,
    half_even,
    priced,
    rounded,
    total,
)

USD, JPY, KWD = currency("usd"), currency("jpy"), currency("kwd")
ONE = Decimal(1)
currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.one_of(
    st.integers(-AMOUNT_MAX, AMOUNT_MAX),
    st.integers(-1000, 1000),
    st.sampled_from([AMOUNT_MAX, -AMOUNT_MAX, AMOUNT_MAX - 1, 1 - AMOUNT_MAX]),
)
moneys = st.builds(Money, minors, currencies)
weights = st.lists(
    st.one_of(st.integers(0, 20), st.integers(0, AMOUNT_MAX)), min_size=1, max_size=12
)
rates = st.builds(Rate, st.decimals(0, 100, places=4))


class Small(IntEnum):
    ONE = 1


def test_the_table_holds_each_exponent_and_only_well_formed_codes() -> None:
    # One decimal point per currency, and the whole active list is there.
    assert {exponent_of(code) for code in EXPONENTS} == {0, 2, 3}
    assert all(len(code) == 3 and code.isascii() and code.islower() for code in EXPONENTS)
    assert (exponent_of(USD), exponent_of(JPY), exponent_of(KWD)) == (2, 0, 3)
    assert len(EXPONENTS) == 17 + 7 + 139
    assert sum(exponent == 0 for exponent in EXPONENTS.values()) == 17
    assert sum(exponent == 3 for exponent in EXPONENTS.values()) == 7


@pytest.mark.parametrize(
    "text", ["USD", "Usd", "us", "usdd", "", " usd", "usd ", "xxx", "xau", "clf", "uyw", "usd\n"]
)
def test_a_currency_is_spelled_one_way(text: str) -> None:
    # Anything but a lower-case code of the table is refused.
    with pytest.raises(UnknownCurrency):
        currency(text)
    with pytest.raises(UnknownCurrency):
        Money(1, Currency(text))


@pytest.mark.parametrize("minor", [True, False, 1.0, 3056.0, "1", None, Decimal(1), Small.ONE])
def test_only_an_int_is_an_amount(minor: Any) -> None:
    # A float, a boolean or a numeric string never becomes money, nor multiplies it.
    with pytest.raises(TypeError):
        Money(minor, USD)
    with pytest.raises(TypeError):
        Money(1, USD) * minor
    with pytest.raises(TypeError):
        minor * Money(1, USD)
    with pytest.raises(TypeError):
        Money(1, USD).allocate([minor])


@given(moneys, st.one_of(st.integers(), st.floats(), st.none(), st.text()))
def test_money_meets_only_money(money: Money, other: Any) -> None:
    # A bare number beside an amount is a mistake, even zero, so `sum()` cannot be used either.
    for act in (
        Money.__add__,
        Money.__sub__,
        Money.__lt__,
        Money.__ge__,
        Money.__gt__,
        Money.__le__,
    ):
        with pytest.raises(TypeError):
            act(money, other)
    assert money != other


@given(minors, minors)
def test_two_currencies_never_mix(left: int, right: int) -> None:
    # No implicit exchange: neither sums, nor comparisons, nor totals.
    dollars, yen = Money(left, USD), Money(right, JPY)
    for act in (
        Money.__add__,
        Money.__sub__,
        Money.__lt__,
        Money.__ge__,
        Money.__gt__,
        Money.__le__,
    ):
        with pytest.raises(CurrencyMismatch):
            act(dollars, yen)
    with pytest.raises(CurrencyMismatch):
        total([yen], USD)
    assert dollars != yen


@given(currencies, minors, minors)
def test_sums_are_exact_or_refused(code: Currency, left: int, right: int) -> None:
    # Every step is the integer sum, or a refusal exactly when that is out of range.
    for expected, act in ((left + right, Money.__add__), (left - right, Money.__sub__)):
        if abs(expected) <= AMOUNT_MAX:
            assert act(Money(left, code), Money(right, code)) == Money(expected, code)
        else:
            with pytest.raises(AmountOutOfRange):
                act(Money(left, code), Money(right, code))


@given(moneys, st.integers())
def test_multiplying_is_exact_or_refused(money: Money, count: int) -> None:
    # Crossing the range is never a wrap or a clamp.
    if abs(money.minor * count) <= AMOUNT_MAX:
        assert money * count == count * money == Money(money.minor * count, money.currency)
    else:
        with pytest.raises(AmountOutOfRange):
            money * count


@given(st.lists(minors), currencies)
def test_a_total_refuses_at_the_first_step_out_of_range(parts: list[int], code: Currency) -> None:
    # A sum that leaves the range and comes back is refused as well.
    steps = [sum(parts[:length]) for length in range(len(parts) + 1)]
    moneys = [Money(part, code) for part in parts]
    if all(abs(step) <= AMOUNT_MAX for step in steps):
        assert total(moneys, code).minor == steps[-1]
    else:
        with pytest.raises(AmountOutOfRange):
            total(moneys, code)


def test_one_above_the_largest_amount_is_refused() -> None:
    # The edge itself is money; one unit further is not, in either direction.
    assert Money(AMOUNT_MAX, USD).minor == 9_007_199_254_740_991
    for minor in (AMOUNT_MAX + 1, -AMOUNT_MAX - 1, 10**40):
        with pytest.raises(AmountOutOfRange):
            Money(minor, USD)


@given(moneys, moneys)
def test_order_and_signs_are_those_of_the_integers(left: Money, other: Money) -> None:
    # Comparison agrees with the minor units, and each amount has one sign.
    right = Money(other.minor, left.currency)
    assert (left < right, left <= right) == (left.minor < right.minor, left.minor <= right.minor)
    assert (left > right, left >= right) == (left.minor > right.minor, left.minor >= right.minor)
    assert [left.is_zero, left.is_positive, left.is_negative].count(True) == 1
    assert -Money(-left.minor, left.currency) == left


@given(moneys, weights)
def test_shares_add_up_and_each_is_within_one_unit(money: Money, parts: list[int]) -> None:
    # Largest remainder: nothing is lost, and no share is a unit or more away from the exact one.
    assume(sum(parts) > 0)
    shares = money.allocate(parts)
    assert sum(share.minor for share in shares) == money.minor
    for share, weight in zip(shares, parts, strict=True):
        assert abs(share.minor - Fraction(money.minor * weight, sum(parts))) < 1
        assert weight > 0 or share.is_zero
    assert (-money).allocate(parts) == tuple(-share for share in shares)


@given(moneys, weights)
def test_left_over_units_go_to_the_largest_remainders_first_ones_first(
    money: Money, parts: list[int]
) -> None:
    # Whoever got a unit more had a larger remainder, or an equal one and came earlier.
    assume(sum(parts) > 0)
    mirrored = Money(abs(money.minor), money.currency)
    exact = [Fraction(mirrored.minor * weight, sum(parts)) for weight in parts]
    ranked = [
        (-(whole - whole.__floor__()), at, share.minor - whole.__floor__())
        for at, (whole, share) in enumerate(zip(exact, mirrored.allocate(parts), strict=True))
    ]
    extras = [extra for _, _, extra in sorted(ranked)]
    assert extras == sorted(extras, reverse=True)
    assert set(extras) <= {0, 1}


def test_a_cent_over_three_equal_parts_goes_to_the_first() -> None:
    # The worked examples an accountant would check.
    assert [m.minor for m in Money(100, USD).allocate([1, 1, 1])] == [34, 33, 33]
    assert [m.minor for m in Money(-100, USD).allocate([1, 1, 1])] == [-34, -33, -33]
    assert [m.minor for m in Money(1, JPY).allocate([0, 5, 5])] == [0, 1, 0]
    assert [m.minor for m in Money(0, USD).allocate([0, 0])] == [0, 0]


@pytest.mark.parametrize("parts", [[], [0], [0, 0]])
def test_an_amount_over_no_weight_is_refused(parts: list[int]) -> None:
    # Money cannot vanish into parts that carry nothing.
    with pytest.raises(NothingToShareOver):
        Money(5, USD).allocate(parts)
    with pytest.raises(NothingToShareOver):
        Money(0, USD).allocate([])


def test_a_negative_weight_is_refused() -> None:
    # Or shares could be larger than the whole.
    with pytest.raises(ValueError, match="not negative"):
        Money(5, USD).allocate([3, -1])


@given(moneys, rates)
def test_a_share_is_the_nearest_unit_and_mirrors(money: Money, rate: Rate) -> None:
    # Half to even is symmetric, never more than half a unit off, and 0 and 100 percent are exact.
    share = money.share(rate)
    exact = Fraction(money.minor) * Fraction(rate.percent) / 100
    assert share.minor == round(exact)
    assert (-money).share(rate) == -share
    assert money.share(Rate(Decimal(0))).is_zero
    assert money.share(Rate(Decimal(100))) == money


@pytest.mark.parametrize(
    ("minor", "percent", "expected"),
    [
        (5, "50", 2),
        (15, "50", 8),
        (25, "50", 12),
        (-5, "50", -2),
        (1000, "8.875", 89),
        (1, "49", 0),
    ],
)
def test_halves_go_to_the_even_neighbour(minor: int, percent: str, expected: int) -> None:
    # The rounding law on sums worked out by hand.
    assert Money(minor, USD).share(Rate(Decimal(percent))).minor == expected


@pytest.mark.parametrize("percent", ["-0.0001", "100.0001", "1.00001", "NaN", "sNaN", "Infinity"])
def test_a_rate_is_a_plain_percentage(percent: str) -> None:
    # Outside 0 to 100, beyond four places, or not a number: refused.
    with pytest.raises(MalformedDecimal):
        Rate(Decimal(percent))


@pytest.mark.parametrize("percent", [20, 20.0, "20", True, None])
def test_a_rate_is_a_decimal(percent: Any) -> None:
    # A float never reaches a rate.
    with pytest.raises(TypeError):
        Rate(percent)


factors = st.decimals(-1_000_000, 1_000_000, places=12)


@given(factors, factors, currencies)
def test_a_line_is_the_exact_product_rounded_once(
    quantity: Decimal, unit: Decimal, code: Currency
) -> None:
    # Never more than half a unit off, half to even, and the sign of a factor mirrors it.
    exact = Fraction(quantity) * Fraction(unit)
    line = priced(quantity, unit, code)
    assert line.minor == round(exact)
    assert abs(line.minor - exact) <= Fraction(1, 2)
    assert priced(-quantity, unit, code) == -line
    assert line == rounded(_exact_product(quantity, unit), code)


@given(factors, factors)
def test_a_hostile_decimal_context_changes_nothing(quantity: Decimal, unit: Decimal) -> None:
    # The sum is done in integers, so neither precision nor rounding mode can leak in.
    expected = priced(quantity, unit, USD)
    with localcontext(prec=1, rounding=ROUND_UP):
        assert priced(quantity, unit, USD) == expected


def test_plain_prices_and_prices_below_a_cent() -> None:
    # 3 × 10.00, 1,000 calls at a quarter of a cent, and a half that goes to even.
    assert priced(3, Decimal(1000), USD) == Money(3000, USD)
    assert priced(1000, Decimal("0.25"), USD) == Money(250, USD)
    assert priced(Decimal("2.5"), ONE, JPY) == Money(2, JPY)
    assert priced(Decimal("3.5"), ONE, KWD) == Money(4, KWD)
    assert priced(10**12, Decimal("0.000000000001"), USD) == Money(1, USD)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E-13"])
def test_a_price_is_finite_and_has_at_most_twelve_places(text: str) -> None:
    # What could not be multiplied exactly is refused before it is multiplied.
    with pytest.raises(MalformedDecimal):
        priced(Decimal(text), ONE, USD)
    with pytest.raises(MalformedDecimal):
        priced(1, Decimal(text), USD)


@pytest.mark.parametrize("value", [1.5, True, "1", None])
def test_a_price_is_never_a_float(value: Any) -> None:
    # Nor a boolean, a string or nothing.
    with pytest.raises(TypeError):
        priced(value, ONE, USD)
    with pytest.raises(TypeError):
        rounded(value, USD)


@pytest.mark.parametrize("text", ["1E+41", "1E+999999999999999999", "9" * 5000])
def test_a_number_too_large_to_write_out_is_refused_at_once(text: str) -> None:
    # An exponent is looked at before the number is expanded: no memory is spent on it.
    with pytest.raises(AmountOutOfRange):
        priced(1, Decimal(text), USD)


@given(st.integers(AMOUNT_MAX + 1, 10**30), st.sampled_from([1, -1]))
def test_a_product_out_of_range_is_refused(minor: int, sign: int) -> None:
    # The edge is the same for a product as for a sum.
    with pytest.raises(AmountOutOfRange):
        priced(sign * minor, ONE, USD)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_half_even_is_the_rounding_of_exact_fractions(top: int, bottom: int) -> None:
    # Against Python's own exact rounding of a fraction.
    assert half_even(top, denominator=bottom) == round(Fraction(top, bottom))


@given(moneys)
def test_the_printed_digits_are_the_amount(money: Money) -> None:
    # Reading the digits back gives the minor units, with the currency's number of decimals.
    text = format_minor(money)
    exponent = exponent_of(money.currency)
    assert Decimal(text).scaleb(exponent, Context(prec=40)) == money.minor
    assert len(text.partition(".")[2]) == exponent


def test_printed_amounts() -> None:
    # Cents, yen, fils, and a negative below one.
    assert format_minor(Money(3056, USD)) == "30.56"
    assert format_minor(Money(-5, USD)) == "-0.05"
    assert format_minor(Money(500, JPY)) == "500"
    assert format_minor(Money(1000, KWD)) == "1.000"


def _exact_product(quantity: Decimal, unit: Decimal) -> Decimal:
    return Context(prec=200, rounding=ROUND_HALF_EVEN).multiply(quantity, unit)
