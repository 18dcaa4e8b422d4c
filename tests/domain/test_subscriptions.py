"""Subscriptions: every pair of states, what each step tells, and the cycle from the anchor."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, USD, moments, the, told

from bursar.domain import subscriptions
from bursar.domain.frozen import replace
from bursar.domain.money import Money, total
from bursar.domain.pricing import BillingInterval
from bursar.domain.refusals import GraceIsOver, IllegalTransition
from bursar.domain.shapes.samples import SUBSCRIPTION
from bursar.domain.subscriptions import TRANSITIONS, Subscription, SubscriptionStatus
from bursar.domain.times import Period

S = SubscriptionStatus
LIVES = st.builds(
    lambda start, day: replace(SUBSCRIPTION, started_at=start, anchored_at=start, anchor_day=day),
    moments(1971, 2090),
    st.integers(1, 28),
)
NEXT = Period(SUBSCRIPTION.period.end, SUBSCRIPTION.period.end + timedelta(days=30))
# Whoever changes this has changed what may become of a subscription.
EDGES = {
    (S.TRIALING, S.ACTIVE),
    (S.TRIALING, S.CANCELED),
    (S.ACTIVE, S.PAST_DUE),
    (S.PAST_DUE, S.ACTIVE),
    (S.ACTIVE, S.PAUSED),
    (S.PAST_DUE, S.PAUSED),
    (S.PAUSED, S.ACTIVE),
    (S.PAST_DUE, S.CANCELED),
    (S.ACTIVE, S.CANCELED),
    (S.PAUSED, S.CANCELED),
    (S.CANCELED, S.ACTIVE),
}


def a_subscription(status: SubscriptionStatus = S.ACTIVE, **changes: object) -> Subscription:
    own: dict[str, object] = {"status": status}
    if status is S.PAUSED:
        own["paused_at"] = AT
    if status is S.CANCELED:
        own |= {"canceled_at": AT, "ended_at": AT}
    if status is S.TRIALING:
        own |= {"trial_end": NEXT.start, "charged": None}
    return replace(SUBSCRIPTION, **(own | changes))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("wanted", S)
@pytest.mark.parametrize("status", S)
def test_every_pair_of_states(status: S, wanted: S) -> None:
    # Eleven steps exist and no other; a refusal tells the state and what it allows.
    before = a_subscription(status)
    if (status, wanted) in EDGES:
        after = before.to(wanted)
        assert (after.status, after.version) == (wanted, before.version + 1)
        return
    with pytest.raises(IllegalTransition) as refused:
        before.to(wanted)
    assert refused.value.facts["currentStatus"] == status.value
    allowed = [to.value for frm, to in EDGES if frm is status]
    assert sorted(refused.value.facts["allowedTransitions"]) == sorted(allowed)  # type: ignore[call-overload]  # a list of words


def test_the_table_is_what_was_decided() -> None:
    # As a table of pairs.
    assert {(frm, to) for frm, tos in TRANSITIONS.items() for to in tos} == EDGES


def test_what_each_step_tells() -> None:
    # One fact for each.
    trial, paused = a_subscription(S.TRIALING), a_subscription(S.PAUSED)
    canceled = a_subscription(S.CANCELED)
    later = AT + timedelta(days=1)
    for change, name in (
        (subscriptions.subscribe(trial), "created"),
        (trial.end_trial(NEXT), "trial_ended"),
        (a_subscription().renew(NEXT), "updated"),
        (a_subscription().fall_behind(), "past_due"),
        (a_subscription(S.PAST_DUE).recover(), "updated"),
        (a_subscription().pause(AT), "paused"),
        (paused.resume(AT), "resumed"),
        (a_subscription(S.PAST_DUE).cancel(AT), "canceled"),
        (a_subscription().cancel_at_end(AT), "updated"),
        (canceled.reactivate(NEXT, AT, grace_end=later), "reactivated"),
    ):
        assert told(change) == [f"subscription.{name}"]


def test_a_cancellation() -> None:
    # Now, or with the period; the second wish is remembered with the time it was made.
    now = the(Subscription, a_subscription().cancel(AT))
    assert (now.status, now.canceled_at, now.ended_at) == (S.CANCELED, AT, AT)
    planned = the(Subscription, a_subscription().cancel_at_end(AT))
    assert (planned.status, planned.cancel_at_period_end, planned.ended_at) == (
        S.ACTIVE,
        True,
        None,
    )
    assert planned.cancel_at_end(AT) is None
    ended = the(Subscription, planned.cancel(NEXT.start))
    assert (ended.canceled_at, ended.ended_at) == (AT, NEXT.start)
    assert not ended.cancel_at_period_end
    with pytest.raises(IllegalTransition):
        ended.cancel_at_end(AT)


def test_taken_back_in_time() -> None:
    # Before it took effect always, afterwards within the grace, to the instant.
    planned = a_subscription(cancel_at_period_end=True, canceled_at=AT)
    kept = the(Subscription, planned.keep())
    assert (kept.status, kept.canceled_at, kept.period) == (S.ACTIVE, None, planned.period)
    ended = a_subscription(S.CANCELED)
    grace_end = subscriptions.grace_end(AT, 30, "Europe/Berlin")
    back = the(
        Subscription,
        ended.reactivate(NEXT, grace_end - timedelta(microseconds=1), grace_end=grace_end),
    )
    assert (back.status, back.ended_at, back.period) == (S.ACTIVE, None, NEXT)
    with pytest.raises(GraceIsOver):
        ended.reactivate(NEXT, grace_end, grace_end=grace_end)
    with pytest.raises(IllegalTransition):
        a_subscription().reactivate(NEXT, AT, grace_end=grace_end)


@pytest.mark.parametrize("status", [S.ACTIVE, S.TRIALING, S.PAST_DUE, S.CANCELED])
def test_only_what_rests_is_resumed(status: S) -> None:
    # Whatever else the table leads to active.
    with pytest.raises(IllegalTransition):
        a_subscription(status).resume(AT)


def test_a_trial_comes_before_the_cycle() -> None:
    # Periods begin where the trial ends.
    trial = a_subscription(
        S.TRIALING,
        anchor_day=16,
        anchored_at=datetime(2026, 3, 15, 23, tzinfo=UTC),  # the 16th in Berlin
    )
    period = trial.cycle(BillingInterval.MONTH, "Europe/Berlin").period_at(NEXT.start)
    assert period.start == trial.anchored_at


@given(
    LIVES,
    st.sampled_from(BillingInterval),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"]),
    st.lists(st.integers(1, 9 * 10**7), min_size=1, max_size=8),
    st.integers(0, 10**9),
)
def test_every_instant_is_paid_for_once(
    life: Subscription, interval: BillingInterval, zone: str, steps: list[int], minor: int
) -> None:
    # Cut a life into any pieces: what the pieces cost is what the periods do.
    start = life.started_at
    cycle, price = life.cycle(interval, zone), Money(minor, USD)
    end = start + timedelta(seconds=sum(steps))
    cuts, at = {start, end}, start
    for step in steps:
        at += timedelta(seconds=step)
        cuts.add(at)
    periods = []
    at = start
    while at < end:
        period = cycle.period_at(at)
        periods.append(Period(max(period.start, start), min(period.end, end)))
        cuts.add(min(period.end, end))
        at = period.end
    edges = sorted(cuts)
    pieces = [Period(*pair) for pair in pairwise(edges)]
    charged = total((subscriptions.share_of(price, cycle, each) for each in pieces), USD)
    whole = total((subscriptions.share_of(price, cycle, each) for each in periods), USD)
    assert charged == whole
    assert (periods[0].start, periods[-1].end) == (start, end)
    assert all(one.end == two.start for one, two in pairwise(periods))
