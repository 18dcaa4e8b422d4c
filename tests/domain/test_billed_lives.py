"""Whatever happens in a life, whenever billing comes by: each instant is billed exactly once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.domain.billed_lives import BilledLife
from tests.domain.lives import YEAR, a_plan, a_wish, some
from tests.domain.nouns import USD, moments

from bursar.domain.agreements import Proration
from bursar.domain.catalog import Plan
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, PriceId
from bursar.domain.money import total
from bursar.domain.pricing import PriceTerms, PricingModel, price
from bursar.domain.refusals import GraceIsOver, IllegalTransition
from bursar.domain.shapes.samples import METER
from bursar.domain.subscriptions import SubscriptionStatus, grace_end

S = SubscriptionStatus
ZONES = ["UTC", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kathmandu"]
GRACE_DAYS: Final = 30
CALLS, SEATS = MeterId(METER.id), MeterId("mtr_2")
METERS = {CALLS: METER, SEATS: replace(METER, id=SEATS, key="seats")}


def metered(plan: Plan, number: int, *meter_ids: MeterId) -> Plan:
    """A plan that counts something besides its own fee."""
    charges = [
        price(
            PriceId(f"price_{number}{place}"),
            PriceTerms(PricingModel.PER_UNIT, Decimal(number), meter_id=meter_id),
        )
        for place, meter_id in enumerate(meter_ids)
    ]
    return replace(plan, prices=(*plan.prices, *charges))


PLANS = [
    metered(a_plan(3_100), 1, CALLS),
    metered(a_plan(6_200, number=2), 2, CALLS, SEATS),
    a_plan(900, number=3),
    metered(a_plan(50_000, YEAR, number=4), 4, SEATS),
]
ACTS = st.lists(
    st.tuples(
        st.integers(0, 40 * 24 * 3600),
        st.sampled_from(
            ["change", "change", "none", "later", "pause", "resume", "end", "stop", "stop and pay"]
            + ["regret"] * 3
        ),
        st.integers(1, 3),
        st.integers(0, len(PLANS) - 1),
        st.booleans(),
    ),
    max_size=12,
)
MODES = {
    "change": Proration.CREATE,
    "none": Proration.NONE,
    "later": Proration.AT_PERIOD_END,
}


def act(life: BilledLife, what: str, quantity: int, which: int) -> None:
    """What a customer does; what their state refuses does not happen."""
    agreement, at = life.agreement, life.agreement.moment(life.now)
    subscription = life.subscription
    try:
        if what in MODES:
            life.take(agreement.change(some(PLANS[which], quantity), MODES[what], at), at)
        elif what == "pause":
            life.take(agreement.pause(at), at)
        elif what == "resume":
            life.take(agreement.resume(at), at)
        elif what == "end":
            change = subscription.cancel_at_end(life.now)
            life.take(change, at) if change else None
        elif what == "regret":
            ended_at = subscription.ended_at or life.now
            until = grace_end(ended_at, GRACE_DAYS, agreement.timezone)
            life.take(agreement.reactivate(at, grace_end=until), at)
        else:
            life.take(agreement.cancel(at, None, is_credited=what != "stop"), at)
    except (IllegalTransition, GraceIsOver):
        pass


Act = tuple[int, str, int, int, bool]
LIVES = st.tuples(
    moments(2000, 2060),
    st.sampled_from(ZONES),
    st.integers(-40, 40),
    st.none() | st.integers(1, 40),
    ACTS,
)


JANUARY: Final = datetime(2000, 1, 1, tzinfo=UTC)
DAY: Final = 24 * 3600
# Periods of another length begin with their day, and still come after what was agreed on that day.
ANOTHER_LENGTH: Final = [(0, "change", 1, 1, False), (DAY + 1, "change", 1, 0, False)]
# What is agreed to in a trial that has not begun holds when it begins.
BEFORE_THE_TRIAL: Final = [(0, "change", 1, 1, False)]
# The last rest is covered as well, though nothing begins after it.
ENDED_AT_REST: Final = [(0, "pause", 1, 0, False), (31 * DAY + 1, "stop", 1, 0, False)]


@settings(max_examples=60, deadline=None)
@given(LIVES)
@example((JANUARY, "UTC", 0, None, [*ANOTHER_LENGTH, (0, "change", 1, 3, False)]))
@example((JANUARY, "UTC", 5, 3, BEFORE_THE_TRIAL))
@example((JANUARY, "UTC", 0, None, ENDED_AT_REST))
def test_every_instant_is_billed_exactly_once(
    life: tuple[datetime, str, int, int | None, list[Act]],
) -> None:
    # Fees and meters alike, whenever billing comes by: no gap, no overlap, no line twice or never.
    require_whole(lived(*life))


@pytest.mark.proof
@settings(max_examples=1_000, deadline=None)
@given(LIVES)
def test_every_instant_is_billed_exactly_once_at_length(
    life: tuple[datetime, str, int, int | None, list[Act]],
) -> None:
    # The same, as often as half a minute has room for.
    require_whole(lived(*life))


JUMPS: Final = st.lists(
    st.one_of(
        st.sampled_from([-1, 1, -3600, 3600, -DAY, DAY]),
        st.integers(-400 * DAY, 400 * DAY),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(LIVES, JUMPS)
def test_a_clock_that_jumps_bills_nothing_twice(
    life: tuple[datetime, str, int, int | None, list[Act]], jumps: list[int]
) -> None:
    # Wherever the clock jumps to and back from, what it was ahead of is billed, once, and no more.
    require_whole(jumped(life, jumps))


@pytest.mark.proof
@settings(max_examples=1_000, deadline=None)
@given(LIVES, st.lists(st.integers(-3_660 * DAY, 3_660 * DAY), min_size=10, max_size=12))
def test_ten_thousand_jumps_bill_nothing_twice(
    life: tuple[datetime, str, int, int | None, list[Act]], jumps: list[int]
) -> None:
    # The same for ten thousand jumps of up to ten years, to both sides.
    require_whole(jumped(life, jumps))


def jumped(life: tuple[datetime, str, int, int | None, list[Act]], jumps: list[int]) -> BilledLife:
    """A life whose clock is put wrong again and again, while billing and customers go by it."""
    start, zone, days_ahead, trial_days, acts = life
    # What has not begun by the right time can be called off, whatever a wrong clock has billed.
    lived_so_far = born(start, zone, min(days_ahead, 0), trial_days)
    right = lived_so_far.now
    for place, jump in enumerate(jumps):
        lived_so_far.now = right + timedelta(seconds=jump)
        lived_so_far.bill()
        lived_so_far.now = right
        if place < len(acts):
            seconds, what, quantity, which, _ = acts[place]
            right = lived_so_far.now = right + timedelta(seconds=seconds)
            lived_so_far.reach(right)
            act(lived_so_far, what, quantity, which)
        lived_so_far.bill()
    ahead = max([0, *jumps])
    lived_so_far.now = max(right, start) + timedelta(days=800, seconds=ahead)
    lived_so_far.bill()
    return lived_so_far


def born(start: datetime, zone: str, days_ahead: int, trial_days: int | None) -> BilledLife:
    """A life that has just begun."""
    trial_end = None if trial_days is None else start + timedelta(days=trial_days)
    wish = a_wish(PLANS[0], start, zone, trial_end=trial_end)
    return BilledLife.open(wish, start - timedelta(days=days_ahead), PLANS, METERS)


def lived(
    start: datetime, zone: str, days_ahead: int, trial_days: int | None, acts: list[Act]
) -> BilledLife:
    """A whole life, billed to the end."""
    life = born(start, zone, days_ahead, trial_days)
    for seconds, what, quantity, which, is_billed in acts:
        life.now += timedelta(seconds=seconds)
        if is_billed:
            life.bill()
        life.reach(life.now)
        act(life, what, quantity, which)
    life.now = max(life.now, start) + timedelta(days=800)
    life.bill()
    return life


def require_whole(life: BilledLife) -> None:
    """Everything was taken up, and what is covered has neither gap nor overlap."""
    subscription = life.subscription
    assert life.waiting == []
    taken, left = ([each.amount for each in lines] for lines in (life.taken, life.lines))
    assert (len(taken), total(taken, USD)) == (len(left), total(left, USD))
    for meter_id, chain in life.chains.items():
        periods = [each.period for each in chain.covers]
        assert all(one.end == two.start for one, two in pairwise(periods))
        until = subscription.ended_at or subscription.period.end
        if meter_id is None:
            assert periods[0].start == subscription.started_at
            assert chain.end >= until
        elif subscription.is_running and _counts(life, meter_id):
            assert chain.end > life.now - timedelta(days=366)
    if subscription.is_running:
        assert None in life.chains
        assert life.now in subscription.period


def _counts(life: BilledLife, meter_id: MeterId) -> bool:
    return meter_id in {each.terms.meter_id for each in life.agreement.plan.metered}
