"""What a subscription is worth a month, and how that moves."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import USD

from bursar.domain.catalog import Plan
from bursar.domain.discounts import Coupon, CouponDuration
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, PriceId
from bursar.domain.money import Money, Rate
from bursar.domain.mrr import Movement, monthly, movement
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier, price
from bursar.domain.shapes import samples

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR
TENTH = replace(
    samples.COUPON,
    duration=CouponDuration.FOREVER,
    percent_off=Rate(Decimal(10)),
    amount_off=None,
    months=None,
)
FIVE = replace(TENTH, percent_off=None, amount_off=Money(500, USD))
TIERS = (Tier(10, Decimal(100)), Tier(None, Decimal(50)))


def plan(*terms: PriceTerms) -> Plan:
    prices = tuple(price(PriceId(f"price_{at}"), each) for at, each in enumerate(terms))
    return replace(samples.PLAN, currency=USD, interval=terms[0].interval, prices=prices)


def flat(amount: int, interval: BillingInterval = MONTH) -> PriceTerms:
    return PriceTerms(PricingModel.FLAT_RATE, Decimal(amount), interval=interval)


METERED = PriceTerms(PricingModel.PER_UNIT, Decimal(7), meter_id=MeterId("mtr_1"))


@pytest.mark.parametrize(
    ("terms", "quantity", "coupons", "minor"),
    [
        ((flat(4_900),), 1, (), 4_900),
        ((flat(4_900), METERED), 1, (), 4_900),  # what is used does not recur
        ((METERED,), 1, (), 0),
        ((flat(10_000, YEAR),), 1, (), 833),  # 833.33
        ((flat(6, YEAR),), 1, (), 0),  # half a cent, to even
        ((flat(18, YEAR),), 1, (), 2),  # one and a half
        ((PriceTerms(PricingModel.PER_UNIT, Decimal(1_000)),), 5, (), 5_000),
        (
            (PriceTerms(PricingModel.GRADUATED, tiers=TIERS),),
            12,
            (),
            1_100,
        ),  # 10 at 1.00, 2 at 0.50
        ((PriceTerms(PricingModel.VOLUME, tiers=TIERS),), 12, (), 600),
        ((flat(4_900),), 1, (TENTH,), 4_410),
        ((flat(4_900),), 1, (FIVE,), 4_400),
        ((flat(300),), 1, (FIVE,), 0),  # never less than nothing
        ((flat(10_000, YEAR),), 1, (FIVE,), 792),  # 95.00 a year: 791.67
        ((flat(4_900),), 1, (replace(TENTH, duration=CouponDuration.ONCE),), 4_900),
        ((flat(4_900),), 1, (replace(TENTH, duration=CouponDuration.REPEATING),), 4_900),
    ],
)
def test_what_a_subscription_is_worth(
    terms: tuple[PriceTerms, ...], quantity: int, coupons: tuple[Coupon, ...], minor: int
) -> None:
    # By hand: per month, rounded once, less coupons that last for ever.
    assert monthly(plan(*terms), quantity, coupons) == Money(minor, USD)


@given(st.lists(st.integers(0, 3), max_size=20))
def test_movements_add_up(worths: list[int]) -> None:
    # Of every life: the first is new, the ways back are told as such, and the sum is what is there.
    now, was_ever, kinds = Money.zero(USD), False, []
    moved = 0
    for minor in worths:
        kind = movement(before=now, after=Money(minor, USD), was_ever_worth=was_ever)
        assert (kind is None) == (now.minor == minor)
        if kind is not None:
            kinds.append(kind)
            moved += minor - now.minor
            grows = {Movement.NEW, Movement.EXPANSION, Movement.REACTIVATION}
            assert (kind in grows) == (minor > now.minor)
            assert (kind is Movement.CHURN) == (minor == 0)
            was_ever = True
        now = Money(minor, USD)
    assert moved == now.minor
    assert kinds.count(Movement.NEW) == bool(kinds)
    assert not kinds or kinds[0] is Movement.NEW
    lost, back = kinds.count(Movement.CHURN), kinds.count(Movement.REACTIVATION)
    assert lost - back in {0, 1}
