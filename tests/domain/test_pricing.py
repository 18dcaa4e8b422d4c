"""Prices: every model at and around each edge, exact until the one rounding."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import USD

from bursar.domain.currencies import currency
from bursar.domain.ids import MeterId, PriceId
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.pricing import (
    BillingInterval,
    Part,
    Price,
    PriceTerms,
    PricingModel,
    Tier,
    price,
)
from bursar.domain.refusals import AmountTooLarge, InvalidInput

ID = PriceId("price_1")
METER = MeterId("mtr_1")
D = Decimal
TIERS = (Tier(100, D(50), D(1000)), Tier(1000, D(20)), Tier(None, D("0.5"), D(300)))
CURRENCIES = st.sampled_from([currency(code) for code in ("jpy", "usd", "kwd")])
UNIT_AMOUNTS = st.decimals(0, 10**6, places=12, allow_nan=False, allow_infinity=False)
QUANTITIES = st.integers(0, 10**6)


def of(
    model: PricingModel, *tiers: Tier, unit: str | None = None, size: int | None = None
) -> Price:
    amount = None if unit is None else D(unit)
    return price(ID, PriceTerms(model, unit_amount=amount, tiers=tiers, package_size=size))


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [(0, 1900), (1, 1900), (7, 1900), (10**12, 1900)],
)
def test_a_flat_rate_counts_nothing(quantity: int, amount: int) -> None:
    # One amount, whatever the quantity.
    assert of(PricingModel.FLAT_RATE, unit="1900").amount(quantity, USD).minor == amount


@pytest.mark.parametrize(
    ("unit", "quantity", "amount"),
    [
        ("1900", 0, 0),
        ("1900", 3, 5700),
        ("0.5", 1, 0),  # half to even
        ("0.5", 3, 2),
        ("0.5", 5, 2),
        ("0.25", 1001, 250),
        ("0.000000000001", 10**12, 1),
        ("0.000000000001", 5 * 10**11, 0),
        ("0.000000000001", 5 * 10**11 + 1, 1),
    ],
)
def test_a_unit_price_is_rounded_once(unit: str, quantity: int, amount: int) -> None:
    # The exact product, rounded half to even at the end.
    assert of(PricingModel.PER_UNIT, unit=unit).amount(quantity, USD).minor == amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [(0, 0), (1, 500), (99, 500), (100, 500), (101, 1000), (200, 1000), (201, 1500)],
)
def test_a_begun_package_is_a_package(quantity: int, amount: int) -> None:
    # At its edge a package is full; one unit more begins the next.
    assert of(PricingModel.PACKAGE, unit="500", size=100).amount(quantity, USD).minor == amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (0, 0),
        (1, 1050),
        (99, 5950),
        (100, 6000),
        (101, 6020),
        (999, 23980),
        (1000, 24000),
        (1001, 24300),  # 24000 + 300 + 0.5, half to even
        (1002, 24301),
        (1003, 24302),  # 1.5 is nearest to 2
        (10_000, 28800),
    ],
)
def test_graduated_at_each_edge(quantity: int, amount: int) -> None:
    # Each unit costs what its own tier says; a tier's fee is due with its first unit.
    assert of(PricingModel.GRADUATED, *TIERS).amount(quantity, USD).minor == amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (0, 0),
        (1, 1050),
        (99, 5950),
        (100, 6000),
        (101, 2020),
        (999, 19980),
        (1000, 20000),
        (1001, 800),  # 500.5 + 300, half to even
        (1002, 801),
        (10_000, 5300),
    ],
)
def test_volume_at_each_edge(quantity: int, amount: int) -> None:
    # All units cost what the tier of the last one says.
    assert of(PricingModel.VOLUME, *TIERS).amount(quantity, USD).minor == amount


def test_the_parts_explain_the_amount() -> None:
    # A line can be shown with its derivation, fees apart.
    parts = of(PricingModel.GRADUATED, *TIERS).parts(150)
    assert parts == (Part(100, D(50)), Part(1, D(1000)), Part(50, D(20)))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), QUANTITIES, st.data(), CURRENCIES)
def test_tiers_are_exact_until_the_line(
    widths: list[int], quantity: int, data: st.DataObject, code: str
) -> None:
    # Graduated equals counting every tier by fractions; nothing is rounded in between.
    ends = [sum(widths[: at + 1]) for at in range(len(widths))]
    tiers = [Tier(end, data.draw(UNIT_AMOUNTS)) for end in ends[:-1]]
    tiers.append(Tier(None, data.draw(UNIT_AMOUNTS)))
    exact, below = Fraction(0), 0
    for tier in tiers:
        top = quantity if tier.up_to is None else min(tier.up_to, quantity)
        exact += max(top - below, 0) * Fraction(tier.unit_amount)
        below = max(top, below)
    amount = of(PricingModel.GRADUATED, *tiers).amount(quantity, currency(code))
    assert amount.minor == round(exact)  # Python rounds a fraction half to even
    assert amount.currency == code


@given(UNIT_AMOUNTS, QUANTITIES, CURRENCIES)
def test_one_open_tier_is_a_unit_price(unit: Decimal, quantity: int, code: str) -> None:
    # Graduated, volume, packages of one and per unit agree where there is nothing to disagree on.
    one = Tier(None, unit)
    prices = [
        of(PricingModel.PER_UNIT, unit=str(unit)),
        of(PricingModel.PACKAGE, unit=str(unit), size=1),
        of(PricingModel.GRADUATED, one),
        of(PricingModel.VOLUME, one),
    ]
    assert len({each.amount(quantity, currency(code)) for each in prices}) == 1


@given(UNIT_AMOUNTS, UNIT_AMOUNTS, QUANTITIES, QUANTITIES)
def test_more_units_never_cost_less(first: Decimal, second: Decimal, fewer: int, more: int) -> None:
    # Graduated and package prices rise with the quantity.
    fewer, more = sorted((fewer, more))
    graduated = of(PricingModel.GRADUATED, Tier(500, first), Tier(None, second))
    package = of(PricingModel.PACKAGE, unit=str(first), size=7)
    for each in (graduated, package):
        assert each.amount(fewer, USD) <= each.amount(more, USD)


def test_beyond_the_exact_range_is_refused() -> None:
    # Neither wrapped nor clamped.
    dear = of(PricingModel.PER_UNIT, unit="2")
    assert dear.amount(AMOUNT_MAX // 2, USD).minor == AMOUNT_MAX - 1
    with pytest.raises(AmountTooLarge):
        dear.amount(AMOUNT_MAX // 2 + 1, USD)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (PriceTerms(PricingModel.FLAT_RATE), "amountCents"),
        (PriceTerms(PricingModel.PER_UNIT), "amountCents"),
        (PriceTerms(PricingModel.PER_UNIT, D(1), TIERS), "tiers"),
        (PriceTerms(PricingModel.PACKAGE, D(1)), "packageSize"),
        (PriceTerms(PricingModel.PER_UNIT, D(1), package_size=10), "packageSize"),
        (PriceTerms(PricingModel.FLAT_RATE, D(1), meter_id=METER), "meterId"),
        (PriceTerms(PricingModel.GRADUATED), "tiers"),
        (PriceTerms(PricingModel.VOLUME, D(1), TIERS), "amountCents"),
        (PriceTerms(PricingModel.VOLUME, None, TIERS[:1]), "tiers[0].upTo"),
        (PriceTerms(PricingModel.VOLUME, None, (TIERS[2], TIERS[2])), "tiers[0].upTo"),
        (PriceTerms(PricingModel.VOLUME, None, (TIERS[1], *TIERS)), "tiers[1].upTo"),
        (PriceTerms(PricingModel.GRADUATED, None, (TIERS[2],) * 101), "tiers"),
    ],
)
def test_terms_that_make_no_sense(terms: PriceTerms, field: str) -> None:
    # The refusal names the member, where the caller wrote it.
    with pytest.raises(InvalidInput) as refused:
        price(ID, terms, "charges[3].")
    assert [each.field for each in refused.value.details] == [f"charges[3].{field}"]


def test_a_price_knows_its_interval() -> None:
    # A month unless said otherwise.
    assert of(PricingModel.FLAT_RATE, unit="1").terms.interval is BillingInterval.MONTH
