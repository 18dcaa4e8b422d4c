"""Proration: whatever a period is split into, the parts are worth the whole."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import USD, moments

from bursar.domain.currencies import currency
from bursar.domain.money import AMOUNT_MAX, Money, total
from bursar.domain.proration import accrued, prorated
from bursar.domain.times import Period

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
CURRENCIES = st.sampled_from([currency(code) for code in ("jpy", "usd", "kwd")])
AMOUNTS = st.integers(-AMOUNT_MAX, AMOUNT_MAX)
MOMENTS = moments(1970, 2100)


@given(AMOUNTS, CURRENCIES, st.lists(MOMENTS, min_size=2, max_size=12, unique=True))
def test_any_split_adds_up_to_the_whole(minor: int, code: str, moments: list[datetime]) -> None:
    # To the minor unit, in every currency, forwards and as credits.
    edges = sorted(moments)
    amount, whole = Money(minor, currency(code)), Period(edges[0], edges[-1])
    parts = [prorated(amount, whole, part=Period(start, end)) for start, end in pairwise(edges)]
    assert total(parts, amount.currency) == amount


@given(st.integers(0, AMOUNT_MAX), MOMENTS, st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_part_is_its_share_of_time(minor: int, start: datetime, length: int, passed: int) -> None:
    # Within one minor unit of the exact share, and never more for less time.
    passed = min(passed, length)
    whole = Period(start, start + timedelta(seconds=length))
    got = accrued(Money(minor, USD), whole, start + timedelta(seconds=passed)).minor
    assert abs(got * length - minor * passed) * 2 <= length
    later = accrued(Money(minor, USD), whole, start + timedelta(seconds=min(passed + 1, length)))
    assert later.minor >= got


def test_nothing_and_everything() -> None:
    # No time is worth nothing, all of it everything.
    amount = Money(1999, USD)
    assert accrued(amount, MARCH, MARCH.start).is_zero
    assert accrued(amount, MARCH, MARCH.end) == amount
    assert prorated(amount, MARCH, part=MARCH) == amount


@given(AMOUNTS, MOMENTS)
def test_a_credit_mirrors_a_debit(minor: int, at: datetime) -> None:
    # What is given back for the rest of a period is what the rest was charged for.
    whole = Period(at, at + timedelta(days=30, seconds=7))
    rest = Period(at + timedelta(days=11, seconds=3), whole.end)
    charged = prorated(Money(minor, USD), whole, part=rest)
    assert prorated(Money(-minor, USD), whole, part=rest) == -charged
