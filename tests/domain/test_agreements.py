"""What the steps of a subscription cost: whatever happens in a life, each instant is paid once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.lives import YEAR, Life, a_plan, a_wish, some
from tests.domain.nouns import AT, USD, moments, the, told

from bursar.domain.agenda import Due, DueKind
from bursar.domain.agreements import Proration, recurring
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.discounts import Coupon, CouponDuration
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId, PlanId, PriceId
from bursar.domain.money import Money, Rate, total
from bursar.domain.pending_lines import PendingKind
from bursar.domain.pricing import PriceTerms, PricingModel, price
from bursar.domain.proration import prorated
from bursar.domain.refusals import GraceIsOver, IllegalTransition
from bursar.domain.shapes.samples import COUPON, PLAN, SUBSCRIPTION
from bursar.domain.subscriptions import (
    Subscription,
    SubscriptionStatus,
    share_of,
)
from bursar.domain.times import Instant, Period

S = SubscriptionStatus
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
ZONES = ["UTC", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kathmandu"]


def expected(life: Life, plans: dict[PlanId, Plan], percent: int) -> Money:
    """By the definition: each piece of each period, at what was held, less the percentage."""
    sums = []
    for period in life.periods:
        cuts = sorted({period.start, period.end, *(at for at, _ in life.held if at in period)})
        for piece in (Period(*pair) for pair in pairwise(cuts)):
            held = [agreed for at, agreed in life.held if at <= piece.start][-1]
            if held is None:
                continue
            plan = plans[held.plan_id]
            cycle = life.subscription.cycle(plan.interval, life.agreement.timezone)
            gross = share_of(recurring(plan, held.quantity), cycle, period)
            net = gross - gross.share(Rate(Decimal(percent)))
            sums.append(prorated(net, period, part=piece))
    return total(sums, USD)


ACTS = st.lists(
    st.tuples(
        st.integers(0, 50 * 24 * 3600),
        st.sampled_from(["change", "change", "later", "pause", "resume", "nothing"]),
        st.integers(1, 5),
        st.integers(0, 1),
    ),
    max_size=12,
)


@settings(max_examples=80)
@given(
    st.tuples(moments(2000, 2060), st.sampled_from(ZONES), st.integers(1, 28)),
    st.sampled_from([0, 20, 50, 100]),
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
    ACTS,
)
def test_every_instant_is_paid_for_once(
    place: tuple[Instant, str, int],
    percent: int,
    cents: tuple[int, int],
    acts: list[tuple[int, str, int, int]],
) -> None:
    # Whatever happens in whatever order: all lines together are what was held, piece by piece.
    start, zone, anchor_day = place
    plans = [a_plan(cents[0]), a_plan(cents[1], number=2)]
    coupons: tuple[Coupon, ...] = ()
    if percent:
        forever = replace(
            COUPON, percent_off=Rate(Decimal(percent)), duration=CouponDuration.FOREVER, months=None
        )
        coupons = (forever,)
    wish = a_wish(
        plans[0], start, zone, anchor_day=anchor_day, coupon_ids=tuple(c.id for c in coupons)
    )
    life = Life.begin(wish, start, plans, coupons)
    for seconds, act, quantity, which in acts:
        life.reach(life.now + timedelta(seconds=seconds))
        is_paused = life.subscription.status is S.PAUSED
        if act == "pause" and not is_paused:
            life.take(life.agreement.pause(life.now), life.now)
        elif act == "resume" and is_paused:
            life.take(life.agreement.resume(life.now), life.now)
        elif act in {"change", "later"} and not is_paused:
            mode = Proration.CREATE if act == "change" else Proration.AT_PERIOD_END
            life.change(some(plans[which], quantity), mode)
    assert all(one.end == two.start for one, two in pairwise(life.periods))
    assert life.periods[0].start == start
    assert life.now in life.periods[-1]
    assert life.billed() == expected(life, {each.id: each for each in plans}, percent)


@given(st.integers(0, 10**9), st.integers(1, 9), st.integers(0, 30 * 86_400))
def test_a_change_and_its_regret_cost_nothing(cents: int, quantity: int, seconds: int) -> None:
    # At one instant, there and back: the lines cancel each other to the cent.
    plan = a_plan(cents)
    life = Life.begin(a_wish(plan, MARCH.start), MARCH.start, [plan])
    life.reach(MARCH.start + timedelta(seconds=seconds))
    there, back = life.change(some(plan, quantity)), life.change(some(plan, 1))
    assert sum(there) + sum(back) == 0


def a_life(*plans: Plan, coupons: tuple[Coupon, ...] = (), **more: Any) -> Life:
    """A life that began with March, in the middle of it now."""
    wish = a_wish(plans[0], MARCH.start, coupon_ids=tuple(each.id for each in coupons), **more)
    life = Life.begin(wish, MARCH.start, list(plans), coupons)
    life.reach(datetime(2026, 3, 16, tzinfo=UTC))
    return life


def test_an_upgrade_in_the_middle() -> None:
    # The rest of the old comes back, the rest of the new is due; nothing is invoiced at once.
    small, large = a_plan(3100), a_plan(6200, number=2)
    life = a_life(small, large)
    looks = list(life.looks)
    assert life.change(some(large)) == [-1600, 3200]
    assert [line.description for line in life.lines[1:]] == [
        "Unused time on Plan 1",
        "Remaining time on Plan 2",
    ]
    assert life.looks == looks


def test_a_derivation_explains_a_proration() -> None:
    # The terms, the whole, the part, and what coupons took off.
    small = a_plan(3100)
    fifth = replace(COUPON, percent_off=Rate(Decimal(20)))
    life = a_life(small, coupons=(fifth,))
    life.change(some(small, 2))
    assert life.lines[-1].amount.minor == 2560
    assert life.lines[-1].derivation == {
        "planId": "plan_1",
        "priceVersion": 1,
        "pricingModel": "per_unit",
        "billingInterval": "month",
        "quantity": 2,
        "parts": [{"quantity": 2, "unitAmount": "3100"}],
        "recurringCents": 6200,
        "whole": {"start": "2026-03-01T00:00:00.000Z", "end": "2026-04-01T00:00:00.000Z"},
        "part": {"start": "2026-03-16T00:00:00.000Z", "end": "2026-04-01T00:00:00.000Z"},
        "period": {"start": "2026-03-01T00:00:00.000Z", "end": "2026-04-01T00:00:00.000Z"},
        "discountCents": 1240,
        "netCents": 4960,
    }


def test_a_credit_never_exceeds_what_was_paid() -> None:
    # An amount off is counted on both sides of a change; a once-coupon in its own period only.
    small, large = a_plan(3100), a_plan(6200, number=2)
    once = replace(
        COUPON,
        percent_off=None,
        amount_off=Money(1550, USD),
        duration=CouponDuration.ONCE,
        months=None,
    )
    life = a_life(small, large, coupons=(once,))
    assert life.change(some(large)) == [-800, 2400]
    life.reach(datetime(2026, 4, 16, tzinfo=UTC))
    assert life.change(some(small)) == [-3100, 1550]


def test_a_change_without_proration() -> None:
    # It costs nothing now; a later change gives back what was charged, not what was agreed.
    small, large = a_plan(3100), a_plan(6200, number=2)
    life = a_life(small, large)
    assert life.change(some(large), Proration.NONE) == []
    assert life.change(some(large, 2)) == [-1600, 6400]
    life.reach(MARCH.end)
    assert life.lines[-1].amount.minor == 12_400


def test_a_change_at_the_end_of_the_period() -> None:
    # What was scheduled begins with the next period, and another interval with it.
    monthly, yearly = a_plan(3100), a_plan(30_000, YEAR, number=2)
    life = a_life(monthly, yearly)
    assert life.change(some(yearly), Proration.AT_PERIOD_END) == []
    life.reach(MARCH.end)
    assert life.subscription.period == Period(MARCH.end, datetime(2027, 4, 1, tzinfo=UTC))
    assert (life.lines[-1].amount.minor, life.subscription.scheduled) == (30_000, None)
    life.reach(datetime(2027, 4, 1, tzinfo=UTC))
    assert life.subscription.period.end == datetime(2028, 4, 1, tzinfo=UTC)


def test_another_interval_begins_with_today() -> None:
    # The rest of the month comes back, the year is charged whole and looked at at once.
    monthly, yearly = a_plan(3100), a_plan(30_000, YEAR, number=2)
    life = a_life(monthly, yearly)
    life.reach(life.now + timedelta(hours=9))
    assert life.change(some(yearly)) == [-1600, 30_000]
    today = datetime(2026, 3, 16, tzinfo=UTC)
    assert life.subscription.period == Period(today, datetime(2027, 3, 16, tzinfo=UTC))
    assert life.looks[-1] == life.now
    assert life.subscription.anchor_day == 16
    back = a_life(monthly, yearly)
    assert back.change(some(yearly), Proration.NONE) == [30_000]


def test_a_trial_costs_nothing_until_it_ends() -> None:
    # Changes in it are free; the first period that is paid for begins where it ends.
    small, large = a_plan(3100), a_plan(6200, number=2)
    end = datetime(2026, 3, 20, tzinfo=UTC)
    life = a_life(small, large, trial_end=end)
    assert (life.subscription.status, life.lines) == (S.TRIALING, [])
    assert life.looks == [end]
    assert life.change(some(large)) == []
    life.reach(end)
    assert life.subscription.status is S.ACTIVE
    assert [line.amount.minor for line in life.lines] == [6200]
    assert life.subscription.period == Period(end, datetime(2026, 4, 20, tzinfo=UTC))


def test_a_trial_that_is_canceled_ends_with_itself() -> None:
    # Nothing was due, nothing is.
    life = a_life(a_plan(3100), trial_end=datetime(2026, 3, 20, tzinfo=UTC))
    life.take(life.subscription.cancel_at_end(life.now) or Change(), life.now)
    life.reach(datetime(2026, 3, 25, tzinfo=UTC))
    assert life.subscription.status is S.CANCELED
    assert life.subscription.ended_at == datetime(2026, 3, 20, tzinfo=UTC)
    assert life.lines == []


def test_a_pause_over_the_end_of_a_period() -> None:
    # Half of March back, April free up to the 11th, the rest of it due.
    plan = a_plan(3000)
    life = a_life(plan)
    assert life.amounts(life.agreement.pause(life.now)) == [-1548]
    life.reach(datetime(2026, 4, 11, tzinfo=UTC))
    assert life.subscription.period.start == MARCH.end
    assert life.subscription.paused_at == datetime(2026, 3, 16, tzinfo=UTC)
    assert life.amounts(life.agreement.resume(life.now)) == [2000]
    assert life.looks[-1] == life.now


def test_an_end_now() -> None:
    # As it is; or with what is left of the period given back.
    plan = a_plan(3100)
    kept, credited = a_life(plan), a_life(plan)
    assert kept.amounts(kept.agreement.cancel(kept.now, "r", is_credited=False)) == []
    amounts = credited.amounts(credited.agreement.cancel(credited.now, None, is_credited=True))
    assert amounts == [-1600]
    assert kept.subscription.cancel_reason == "r"
    assert kept.looks[-1] == kept.now


@pytest.mark.parametrize(
    ("is_credited", "days", "amounts", "start"),
    [
        (False, 5, [], "2026-03-01"),  # in the period that is paid for
        (True, 5, [1100], "2026-03-21"),  # in the period that was given back: what is left of it
        (False, 31, [1550], "2026-04-16"),  # in a later one: from that day on
    ],
)
def test_an_end_that_is_regretted(
    *, is_credited: bool, days: int, amounts: list[int], start: str
) -> None:
    # What is paid for goes on; anything else is charged from now on.
    plan = a_plan(3100)
    life = a_life(plan)
    life.take(life.agreement.cancel(life.now, None, is_credited=is_credited), life.now)
    life.now += timedelta(days=days)
    until = life.now + timedelta(days=1)
    assert life.amounts(life.agreement.reactivate(life.now, grace_end=until)) == amounts
    assert life.subscription.period.start.date().isoformat() == start
    ended = replace(life.subscription, status=S.CANCELED, ended_at=AT, canceled_at=AT)
    gone = replace(life.agreement, subscription=ended)
    with pytest.raises(GraceIsOver):
        gone.reactivate(life.now, grace_end=life.now)


def test_a_cancellation_taken_back_costs_nothing() -> None:
    # Before it took effect, it never was.
    life = a_life(a_plan(3100))
    life.take(life.subscription.cancel_at_end(life.now, "r") or Change(), life.now)
    change = life.agreement.reactivate(life.now, grace_end=life.now)
    assert (told(change), change.pending) == (["subscription.reactivated"], ())
    assert the(Subscription, change).cancel_reason is None


def test_what_has_not_begun() -> None:
    # Its line waits for its day; a change replaces it, an end forgets it, and it cannot be paused.
    small, yearly = a_plan(3100), a_plan(30_000, YEAR, number=2)
    now = MARCH.start - timedelta(days=10)
    life = Life.begin(a_wish(small, MARCH.start), now, [small, yearly])
    assert [line.due_at for line in life.lines] == [MARCH.start] == life.looks
    assert life.change(some(yearly)) == [30_000]
    assert len(life.lines) == 1
    assert life.subscription.period == Period(MARCH.start, datetime(2027, 3, 1, tzinfo=UTC))
    with pytest.raises(IllegalTransition):
        life.agreement.pause(now)
    life.take(life.agreement.cancel(now, None, is_credited=False), now)
    assert life.lines == []
    until = now + timedelta(days=1)
    assert life.amounts(life.agreement.reactivate(now, grace_end=until)) == [30_000]


def test_a_start_in_the_past() -> None:
    # Each period that has begun is a line of its own, due at once.
    plan, now = a_plan(3100), datetime(2026, 5, 20, tzinfo=UTC)
    life = Life.begin(a_wish(plan, datetime(2026, 3, 16, tzinfo=UTC), anchor_day=1), now, [plan])
    assert [line.amount.minor for line in life.lines] == [1600, 3100, 3100]
    assert {line.due_at for line in life.lines} == {now} == {*life.looks}
    assert life.subscription.period == Period(
        datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    )


def test_a_line_says_how_many_at_how_much() -> None:
    # A whole period of units does; a part of one, and tiers, are one at the amount.
    plan = a_plan(3100)
    life = a_life(plan, agreed=some(plan, 3))
    (line,) = life.lines
    assert (line.quantity, line.unit_amount, line.amount.minor) == (3, Decimal(3100), 9300)
    assert (line.kind, line.description) == (PendingKind.SUBSCRIPTION, "3 × Plan 1")
    part = Life.begin(a_wish(plan, MARCH.start, anchor_day=16), MARCH.start, [plan]).lines[0]
    assert (part.quantity, part.unit_amount) == (1, Decimal(part.amount.minor))


def test_usage_alone_leaves_no_line() -> None:
    # A plan whose own price counts usage is billed by what was used.
    meter = PLAN.charges[0].terms.meter_id
    own = price(PriceId("price_9"), PriceTerms(PricingModel.PER_UNIT, Decimal(5), meter_id=meter))
    plan = replace(a_plan(0), prices=(own,))
    life = a_life(plan)
    life.reach(MARCH.end)
    assert life.lines == []
    assert recurring(plan, 7).is_zero
    assert life.change(some(plan, 2)) == []


def test_which_coupons_cover_a_period() -> None:
    # From the period each was given for, as long as it lasts, in order.
    plan = a_plan(3100)
    months = replace(COUPON, id=CouponId("cpn_1"), months=2)
    once = replace(COUPON, id=CouponId("cpn_2"), duration=CouponDuration.ONCE, months=None)
    life = a_life(plan, coupons=(months, once))
    seen = []
    for _ in range(3):
        seen.append([each.id for each in life.agreement.covering(life.subscription.period)])
        life.reach(life.subscription.period.end)
    assert seen == [["cpn_1", "cpn_2"], ["cpn_1"], []]


def test_a_coupon_taken_away_stays_for_what_is_charged() -> None:
    # Nobody gets back more than they paid: the half that was off stays off until the period ends.
    plan = a_plan(3100)
    half = replace(
        COUPON, percent_off=Rate(Decimal(50)), duration=CouponDuration.FOREVER, months=None
    )
    life = a_life(plan, coupons=(half,))
    life.take(life.subscription.edit(life.subscription.give((), life.now)) or Change(), life.now)
    assert [each.until for each in life.subscription.coupons] == [MARCH.end]
    assert life.change(some(plan, 2)) == [-800, 1600]
    life.reach(datetime(2026, 4, 16, tzinfo=UTC))
    assert life.change(some(plan, 1)) == [-3100, 1550]


def test_a_period_that_begins_anew_has_the_coupons_of_now() -> None:
    # One that was taken away is over with the month; one given for the next period is for the year.
    monthly, yearly = a_plan(3100), a_plan(30_000, YEAR, number=2)
    old, new = (
        replace(
            COUPON,
            id=CouponId(f"cpn_{percent}"),
            percent_off=Rate(Decimal(percent)),
            duration=CouponDuration.FOREVER,
            months=None,
        )
        for percent in (50, 10)
    )
    life = a_life(monthly, yearly, coupons=(old,))
    life.agreement = replace(life.agreement, coupons={old.id: old, new.id: new})
    life.take(
        life.subscription.edit(life.subscription.give((new.id,), life.now)) or Change(), life.now
    )
    assert life.change(some(yearly)) == [-800, 30_000]
    assert life.agreement.covering(life.subscription.period) == (new,)


def test_which_coupons_are_given() -> None:
    # Those it keeps in their order, then new ones, for what is not charged yet.
    plan = a_plan(3100)
    one, two, three = (CouponId(f"cpn_{number}") for number in (1, 2, 3))
    life = a_life(plan, coupons=(replace(COUPON, id=one), replace(COUPON, id=two)))
    now, end = life.now, MARCH.end
    swapped = life.subscription.give((three, two), now)
    assert [(each.coupon_id, each.since, each.until) for each in swapped.coupons] == [
        (one, MARCH.start, end),
        (two, MARCH.start, None),
        (three, end, None),
    ]
    back = swapped.give((one, two), now)
    assert [(each.coupon_id, each.until) for each in back.coupons] == [(one, None), (two, None)]
    later = replace(swapped, period=Period(end, datetime(2026, 5, 1, tzinfo=UTC)))
    assert [each.coupon_id for each in later.give((two,), end).coupons] == [two, three]
    ahead = replace(life.subscription, coupons=())
    (first,) = ahead.give((one,), MARCH.start - timedelta(days=1)).coupons
    assert first.since == MARCH.start


def test_billing_looks_where_a_period_ends() -> None:
    # At once for what is due, else at the end; the end of all is looked at too.
    life = a_life(a_plan(3100))
    assert life.looks == [MARCH.start]
    change = life.agreement.turn()
    assert change.agenda == (Due(DueKind.BILL_SUBSCRIPTION, SUBSCRIPTION.id, MARCH.end),)


def test_a_new_time_zone_moves_the_next_boundary_only() -> None:
    # The period that runs keeps its end; the next one is shorter, and costs its part.
    plan = a_plan(3100)
    life = a_life(plan)
    life.agreement = replace(life.agreement, timezone="America/New_York")
    life.reach(MARCH.end)
    assert life.subscription.period == Period(MARCH.end, datetime(2026, 4, 1, 4, tzinfo=UTC))
    assert life.lines[-1].amount.minor == 17
    life.reach(datetime(2026, 4, 1, 4, tzinfo=UTC))
    assert life.lines[-1].amount.minor == 3100
