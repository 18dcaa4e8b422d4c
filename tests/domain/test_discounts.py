"""Coupons: never more off than there is, shared to the minor unit, for as long as was promised."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, USD, moments, the, told

from bursar.domain import discounts
from bursar.domain.calendars import months_after
from bursar.domain.currencies import Currency, currency
from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus
from bursar.domain.frozen import replace
from bursar.domain.money import Money, Rate, total
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.shapes.samples import COUPON
from bursar.domain.times import Period

CURRENCIES = st.sampled_from([currency(code) for code in ("jpy", "usd", "kwd")])
LINES = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8)
RATES = st.decimals(Decimal("0.0001"), 100, places=4).map(Rate)


def percent(rate: Rate | str) -> Coupon:
    found = rate if isinstance(rate, Rate) else Rate(Decimal(rate))
    return replace(COUPON, percent_off=found, amount_off=None)


def amount(minor: int, code: Currency = USD) -> Coupon:
    return replace(COUPON, percent_off=None, amount_off=Money(minor, code))


def moneys(minors: list[int], code: Currency = USD) -> list[Money]:
    return [Money(minor, code) for minor in minors]


@pytest.mark.parametrize(
    ("coupon", "lines", "off"),
    [
        (percent("20"), [1000], [200]),
        (percent("50"), [333, 333, 333], [167, 167, 166]),  # 499.5, half to even is 500
        (percent("100"), [1, 2, 3], [1, 2, 3]),
        (amount(100), [1, 1, 1], [1, 1, 1]),
        (amount(100), [100, 100, 100], [34, 33, 33]),
        (amount(500), [1000, -400], [500, 0]),
        (amount(900), [1000, -400], [600, 0]),
        (percent("10"), [0, 0], [0, 0]),
        (percent("10"), [-100, 50], [0, 0]),
    ],
)
def test_by_hand(coupon: Coupon, lines: list[int], off: list[int]) -> None:
    # Worked out on paper.
    assert [each.minor for each in coupon.of(moneys(lines))] == off


@given(
    st.lists(st.one_of(RATES.map(percent), st.integers(1, 10**9)), max_size=4), LINES, CURRENCIES
)
def test_lines_less_discounts_are_the_total(
    wanted: list[Coupon | int], lines: list[int], code: Currency
) -> None:
    # However many coupons: no line goes below nothing, none that gives back is touched.
    coupons = [amount(each, code) if isinstance(each, int) else each for each in wanted]
    amounts = moneys(lines, code)
    off = discounts.discounts(coupons, amounts)
    for each, less in zip(amounts, off, strict=True):
        assert 0 <= less.minor <= max(each.minor, 0)
    subtotal = total(amounts, code)
    assert total(off, code) <= Money(max(subtotal.minor, 0), code)


@given(RATES, LINES, CURRENCIES)
def test_a_percentage_is_rounded_once(rate: Rate, lines: list[int], code: Currency) -> None:
    # On the subtotal, whatever it is shared over.
    amounts = moneys([abs(each) for each in lines], code)
    off = percent(rate).of(amounts)
    assert total(off, code) == total(amounts, code).share(rate)


@pytest.mark.parametrize(
    ("duration", "months", "covered"),
    [
        (CouponDuration.ONCE, None, [True, False, False, False]),
        (CouponDuration.REPEATING, 3, [True, True, True, False]),
        (CouponDuration.FOREVER, None, [True, True, True, True]),
    ],
)
def test_for_how_long(duration: CouponDuration, months: int | None, covered: list[bool]) -> None:
    # The periods of four months, from the one in which it was given.
    coupon = replace(COUPON, duration=duration, months=months)
    starts = [datetime(2026, month, 28, tzinfo=UTC) for month in (1, 2, 3, 4, 5)]
    periods = [Period(*pair) for pair in pairwise(starts)]
    found = [coupon.covers(each, first=periods[0], timezone="UTC") for each in periods]
    assert found == covered


@given(moments(1971, 2090), st.integers(1, 120))
def test_months_later(at: datetime, months: int) -> None:
    # The same day, or the last one of a month that is too short; never the month after it.
    later = months_after(at, months, "UTC")
    assert (later.year * 12 + later.month) - (at.year * 12 + at.month) == months
    assert later.day == at.day or (later + timedelta(days=1)).day == 1
    assert later.time() == at.time()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"percent_off": None}, "percentOff"),
        ({"amount_off": Money(1, USD)}, "percentOff"),
        ({"months": None}, "months"),
        ({"duration": CouponDuration.ONCE}, "months"),
    ],
)
def test_coupons_that_make_no_sense(change: dict[str, object], field: str) -> None:
    # One thing off, and for a time that is said.
    with pytest.raises(InvalidInput) as refused:
        discounts.offer(replace(COUPON, **change))  # type: ignore[arg-type]  # fields by name
    assert refused.value.details[0].field == field


def test_an_archived_coupon_rests() -> None:
    # Once.
    change = COUPON.archive(AT)
    archived = the(Coupon, change)
    assert told(change) == ["coupon.archived"]
    assert (archived.status, archived.archived_at) == (CouponStatus.ARCHIVED, AT)
    with pytest.raises(IllegalTransition):
        archived.archive(AT)
