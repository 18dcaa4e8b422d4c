"""The law of dunning: what comes when, what the bank's word does, and that a case always ends."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, the

from bursar.domain.agenda import Due, Undue
from bursar.domain.change import Change
from bursar.domain.dunning import (
    TECHNICAL_WAIT,
    Decline,
    DunningCase,
    NewCase,
    Resolution,
    begin,
    begin_again,
)
from bursar.domain.dunning_policies import ESCALATION, DunningAction, DunningPolicy, DunningStep
from bursar.domain.ids import CustomerId, DunningCaseId, InvoiceId
from bursar.domain.provider import DeclineKind
from bursar.domain.refusals import IllegalTransition

USUAL: Final = DunningPolicy((60, 300, 1_800, 7_200, 43_200))
BROKE: Final = Decline(DeclineKind.RETRY, "insufficient_funds", "pm_1")
EXPIRED: Final = Decline(DeclineKind.NEW_METHOD, "expired_card", "pm_1")
STOLEN: Final = Decline(DeclineKind.NEVER, "stolen_card", "pm_1")
ASKING: Final = Decline(DeclineKind.AUTHENTICATION, "authentication_required", "pm_1")
WAITS = st.integers(1, 50_000)
POLICIES = st.builds(
    DunningPolicy,
    st.lists(WAITS, max_size=6).map(tuple),
    st.lists(
        st.builds(
            DunningStep,
            st.sampled_from([each for each in DunningAction if each is not DunningAction.RETRY]),
            st.integers(0, 5_000),
        ),
        max_size=4,
    ).map(tuple),
)
DECLINES = st.sampled_from([BROKE, EXPIRED, STOLEN, ASKING])


def begun(policy: DunningPolicy = USUAL, decline: Decline = BROKE) -> Change:
    new = NewCase(DunningCaseId("dun_1"), InvoiceId("inv_1"), CustomerId("cust_1"), None, policy)
    return begin(new, decline, AT)


def a_case(policy: DunningPolicy = USUAL, decline: Decline = BROKE) -> DunningCase:
    return the(DunningCase, begun(policy, decline))


def told(change: Change) -> list[str]:
    return [event.name for event in change.events]


def test_the_usual_policy_takes_39_and_a_half_days() -> None:
    # Tries after 1 h, 5 h, 30 h, 5 d and 30 d, each counted from the one before; then a notice,
    # and a day later each the pause, the end, and the loss.
    case, at, seen = a_case(), AT, []
    while case.is_open:
        assert case.next_at is not None
        at = case.next_at
        seen.append((case.current_action.value, (at - AT) / timedelta(hours=1)))
        is_try = case.current_action is DunningAction.RETRY
        case = the(DunningCase, case.fail(BROKE, at) if is_try else case.act(at))
    assert seen == [
        *(("retry", 1), ("retry", 6), ("retry", 36), ("retry", 156), ("retry", 876)),
        *(("notify", 876), ("pause", 900), ("cancel", 924), ("mark_uncollectible", 948)),
    ]
    assert (case.retry_count, case.resolution) == (5, Resolution.EXHAUSTED)


def test_the_first_failure_begins_it() -> None:
    # Told as what it is, with the first try on the agenda.
    change = begun()
    case = the(DunningCase, change)
    assert told(change) == ["dunning.started", "dunning.retry_scheduled"]
    assert (case.version, case.retry_count, case.policy.retries_max) == (1, 0, 5)
    (due,) = change.agenda
    assert due == Due(due.kind, case.invoice_id, AT + timedelta(hours=1))
    assert case.is_due(AT + timedelta(hours=1))
    assert not case.is_due(AT)


@pytest.mark.parametrize("decline", [EXPIRED, ASKING])
def test_a_method_that_cannot_pay_is_not_charged_again(decline: Decline) -> None:
    # At the time of each try the customer is asked instead, until there is another method.
    case = a_case(decline=decline)
    assert case.current_action is DunningAction.NOTIFY
    assert not case.may_charge("pm_1")
    assert case.may_charge("pm_2")
    asked = case.ask(LATER)
    assert told(asked) == ["dunning.notified", "dunning.retry_scheduled"]
    after = the(DunningCase, asked)
    assert (after.step, after.retry_count, after.current_action) == (1, 0, DunningAction.NOTIFY)
    hurried = the(DunningCase, after.hurry(LATER))
    assert (hurried.current_action, hurried.next_at) == (DunningAction.RETRY, LATER)
    assert hurried.may_charge("pm_2")


def test_never_means_never() -> None:
    # No try is left; what follows the last one comes next.
    change = begun(decline=STOLEN)
    case = the(DunningCase, change)
    assert told(change) == ["dunning.started", "dunning.escalated"]
    assert (case.step, case.current_action) == (5, DunningAction.NOTIFY)
    later = the(DunningCase, a_case().fail(STOLEN, LATER))
    assert (later.step, later.retry_count) == (5, 1)


def test_what_is_technical_is_no_step() -> None:
    # The same try, a little later; nothing is counted, and another key names the attempt.
    case = a_case()
    again = the(DunningCase, case.again(LATER))
    assert (again.step, again.retry_count) == (case.step, case.retry_count)
    assert again.next_at == LATER + TECHNICAL_WAIT
    assert again.attempt_key != case.attempt_key


def test_what_never_reached_the_bank_begins_no_plan() -> None:
    # The automatic payment is made again; its first decline only begins the plan.
    new = NewCase(DunningCaseId("dun_1"), InvoiceId("inv_1"), CustomerId("cust_1"), None, USUAL)
    change = begin_again(new, AT)
    case = the(DunningCase, change)
    assert told(change) == ["dunning.started"]
    assert (case.current_action, case.next_at) == (DunningAction.RETRY, AT + TECHNICAL_WAIT)
    declined = the(DunningCase, case.fail(BROKE, LATER))
    assert (declined.step, declined.retry_count) == (0, 0)
    assert declined.next_at == LATER + timedelta(hours=1)


def test_a_pause_stops_everything_and_nothing_is_lost() -> None:
    # Off the agenda; resumed after its time, the step is due at once.
    case = a_case()
    change = case.pause("on holiday", AT)
    assert change is not None
    paused = the(DunningCase, change)
    assert isinstance(change.agenda[0], Undue)
    assert not paused.is_due(LATER + timedelta(days=99))
    assert paused.pause("again", AT) is None
    late = AT + timedelta(days=3)
    assert the(DunningCase, paused.resume(late)).next_at == late
    with pytest.raises(IllegalTransition):
        case.resume(AT)


@pytest.mark.parametrize("verb", ["hurry", "resume", "pause", "resolve"])
def test_what_is_over_stays_over(verb: str) -> None:
    # Nobody steers a case that has ended.
    change = a_case().resolve(Resolution.PAID, LATER)
    over = the(DunningCase, change)
    assert told(change) == ["dunning.resolved"]
    assert isinstance(change.agenda[0], Undue)
    words = {"pause": ("why", AT), "resolve": (Resolution.BY_HAND, AT)}
    with pytest.raises(IllegalTransition):
        getattr(over, verb)(*words.get(verb, (AT,)))


@settings(max_examples=100)
@given(POLICIES, st.lists(DECLINES, min_size=30, max_size=30), DECLINES)
def test_every_case_ends_and_never_goes_back(
    policy: DunningPolicy, answers: list[Decline], first: Decline
) -> None:
    # Whatever the bank says: no more tries than planned, time and steps only forward, one look at
    # the agenda for each open case, and a method that is blocked is never charged.
    change, at, tries = begun(policy, first), AT, 0
    for answer in answers:
        case = the(DunningCase, change)
        assert change.agenda == (case.look,)
        if not case.is_open:
            assert case.next_at is None
            break
        assert case.next_at is not None
        assert case.next_at >= at
        at = case.next_at
        before = case
        if case.current_action is DunningAction.RETRY:
            assert case.may_charge("pm_1")
            tries += 1
            change = case.fail(answer, at)
        elif case.current_action is DunningAction.NOTIFY:
            change = case.ask(at)
        else:
            change = case.act(at)
        after = the(DunningCase, change)
        assert after.step > before.step
        assert after.version == before.version + 1
    else:
        raise AssertionError("it does not end")
    assert tries == case.retry_count <= policy.retries_max


def test_the_escalation_lasts_three_days() -> None:
    # What the page says: a notice, then a day between two steps.
    assert [(step.action.value, step.after_minutes) for step in ESCALATION] == [
        *(("notify", 0), ("pause", 1_440), ("cancel", 1_440), ("mark_uncollectible", 1_440)),
    ]
