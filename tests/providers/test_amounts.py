"""Amounts cross to Stripe's units and back exactly, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.currencies import EXPONENTS, Currency
from bursar.domain.money import AMOUNT_MAX, Money
from bursar.providers.stripe.amounts import (
    AmountNotSupported,
    UnreadableAmount,
    from_units,
    to_units,
)


@pytest.mark.parametrize(
    ("minor", "code", "units"),
    [
        (1_000, "usd", 1_000),  # ten dollars
        (1, "eur", 1),
        (500, "jpy", 500),  # no decimals on either side
        (5, "isk", 500),  # whole krónur, in hundredths that are always 00
        (12_300, "mga", 123),  # ISO writes hundredths, Stripe whole ariary
        (5_120, "kwd", 5_120),  # three decimals, ending in 0
        (0, "isk", 0),
        (AMOUNT_MAX, "usd", AMOUNT_MAX),
    ],
)
def test_the_units_are_stripes(minor: int, code: str, units: int) -> None:
    # A factor of a hundred in either direction would be a charge of the wrong amount.
    money = Money(minor, Currency(code))
    assert to_units(money) == units
    assert from_units(units, code) == money


@pytest.mark.parametrize(("minor", "code"), [(5_124, "kwd"), (12_345, "mga"), (100, "ugx")])
def test_an_amount_stripe_cannot_carry_is_refused_before_it_is_sent(minor: int, code: str) -> None:
    # Nothing is rounded and nothing is guessed.
    with pytest.raises(AmountNotSupported):
        to_units(Money(minor, Currency(code)))


@pytest.mark.parametrize(
    ("units", "code"), [(1, "xxx"), (1, "USD"), (550, "isk"), (1, ""), (2**53, "usd"), (100, "ugx")]
)
def test_an_amount_that_is_none_of_ours_is_not_read(units: int, code: str) -> None:
    # A currency or a fraction we do not know is no amount.
    with pytest.raises(UnreadableAmount):
        from_units(units, code)


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, AMOUNT_MAX // 100))
def test_what_can_be_sent_comes_back_the_same(code: Currency, minor: int) -> None:
    # Over every currency and amount: the way there and back is exact, or there is no way there.
    money = Money(minor, code)
    try:
        units = to_units(money)
    except AmountNotSupported:
        return
    assert from_units(units, code) == money
