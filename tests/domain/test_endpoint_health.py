"""An endpoint trips after ten failures in a row, is tried now and then, and recovers by three."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT

from bursar.domain.endpoint_health import (
    COOLDOWN,
    COOLDOWN_MAX,
    FAILURES_TO_TRIP,
    GIVEN_UP_AFTER,
    TRIALS_TO_RECOVER,
    Health,
)

SECOND = timedelta(seconds=1)


def failed(times: int, health: Health | None = None) -> Health:
    found = health or Health()
    for number in range(times):
        found = found.after_failure(AT + number * SECOND)
    return found


def test_ten_failures_in_a_row_trip_it() -> None:
    # Nine do not; the outage is dated from the first of them.
    assert not failed(FAILURES_TO_TRIP - 1).is_down
    down = failed(FAILURES_TO_TRIP)
    assert (down.is_down, down.went_down_at, down.first_failed_at) == (True, AT, AT)
    assert down.held_until == AT + (FAILURES_TO_TRIP - 1) * SECOND + COOLDOWN


def test_a_success_in_between_begins_anew() -> None:
    # Failures here and there do not trip anything.
    health = failed(FAILURES_TO_TRIP - 1).after_success()
    assert health == Health()
    assert not failed(FAILURES_TO_TRIP - 1, health).is_down


def test_three_trials_bring_it_back() -> None:
    # After the first it is tried again at once, but still one at a time.
    health = failed(FAILURES_TO_TRIP)
    for _ in range(TRIALS_TO_RECOVER - 1):
        health = health.after_success()
        assert health.is_down
        assert health.held_until is None
    assert health.after_success() == Health()


def test_a_trial_that_fails_waits_longer() -> None:
    # Each time twice as long, up to a bound.
    health, waits = failed(FAILURES_TO_TRIP), []
    for _ in range(12):
        assert health.held_until is not None
        waits.append(health.held_until - AT)
        health = health.after_failure(AT)
    assert all(later >= former or later == COOLDOWN_MAX for former, later in pairwise(waits[1:]))
    assert waits[-1] == COOLDOWN_MAX


def test_nothing_but_failure_for_five_days_is_given_up() -> None:
    # A single success in those days keeps it.
    failing = Health().after_failure(AT)
    assert not failing.is_given_up(AT + GIVEN_UP_AFTER - SECOND)
    assert failing.is_given_up(AT + GIVEN_UP_AFTER)
    again = failing.after_success().after_failure(AT + GIVEN_UP_AFTER)
    assert not again.is_given_up(AT + GIVEN_UP_AFTER)


def test_switched_on_again_it_is_on_trial() -> None:
    # As if down since the failing began, and free to be tried now.
    health = failed(3).on_trial(AT + SECOND)
    assert (health.went_down_at, health.held_until, health.failures) == (AT, None, 0)
    assert Health().on_trial(AT).went_down_at == AT


@given(st.lists(st.booleans(), max_size=60))
def test_whatever_comes_it_is_down_or_not_for_a_reason(outcomes: list[bool]) -> None:
    # Down only after ten failures in a row, never down after three successes in a row.
    health, row = Health(), 0
    for number, is_good in enumerate(outcomes):
        was_down = health.is_down
        at = AT + number * SECOND
        health = health.after_success() if is_good else health.after_failure(at)
        row = 0 if is_good else row + 1
        assert was_down or health.is_down == (row >= FAILURES_TO_TRIP)
        assert (health.first_failed_at is None) == (row == 0)
    if outcomes[-3:] == [True] * 3:
        assert not health.is_down
