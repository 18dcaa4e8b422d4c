"""Waits grow with failures, end by themselves, and are never a way to lock somebody out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.throttles import (
    ACCOUNT_FAILURES_MAX,
    FORGOTTEN_AFTER,
    FREE_FAILURES,
    WAIT_MAX,
    Tries,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def tries(
    failures: int = 0, ago: timedelta = timedelta(0), *, everywhere: int = 0, known: bool = False
) -> Tries:
    return Tries(
        failures=failures,
        begun_at=NOON - ago,
        failed_at=NOON - ago if failures else None,
        has_succeeded=known,
        account_failures=everywhere,
        account_failed_at=NOON - ago if everywhere else None,
    )


def test_five_failures_are_free_then_the_wait_doubles() -> None:
    # From a second up to a quarter of an hour, and no further.
    waits = [tries(failures).seconds_to_wait(NOON) for failures in range(18)]
    assert waits[: FREE_FAILURES + 1] == [0, 0, 0, 0, 0, 1]
    assert waits[FREE_FAILURES : FREE_FAILURES + 10] == [2**step for step in range(10)]
    assert waits[-1] == waits[-2] == 900


def test_three_hundred_tries_by_a_machine_that_never_rests() -> None:
    # It tries the moment it may: after the first five it gets a handful through in an hour, and
    # about a hundred in a day, where it could have made thousands a minute.
    now, failures, failed_at, made = NOON, 0, NOON, list[datetime]()
    while len(made) < 300:
        state = Tries(
            failures=failures,
            begun_at=NOON,
            failed_at=failed_at if failures else None,
            has_succeeded=False,
            account_failures=0,
            account_failed_at=None,
        )
        wait = state.seconds_to_wait(now)
        if wait == 0:
            failures, failed_at = state.counted(now) + 1, now
            made.append(now)
            continue
        now += wait * SECOND
    assert sum(at < NOON + timedelta(hours=1) for at in made) <= 18
    assert sum(at < NOON + timedelta(days=1) for at in made) <= 110
    assert made[-1] > NOON + timedelta(days=2)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.booleans(), st.integers(0, 172_800))
def test_nobody_waits_longer_than_a_quarter_of_an_hour(
    failures: int, everywhere: int, known: bool, seconds: int
) -> None:
    # Whatever others do: the wait is bounded, and after it the try is made.
    state = tries(failures, seconds * SECOND, everywhere=everywhere, known=known)
    wait = state.seconds_to_wait(NOON)
    assert 0 <= wait <= WAIT_MAX // SECOND
    assert state.seconds_to_wait(NOON + wait * SECOND) == 0


def test_a_besieged_account_makes_new_addresses_wait_and_known_ones_not() -> None:
    # Failures from elsewhere never count against an address that signed in before.
    assert tries(everywhere=ACCOUNT_FAILURES_MAX - 1).seconds_to_wait(NOON) == 0
    assert tries(everywhere=ACCOUNT_FAILURES_MAX).seconds_to_wait(NOON) == 900
    assert tries(everywhere=10_000, known=True).seconds_to_wait(NOON) == 0
    assert tries(4, everywhere=10_000, known=True).seconds_to_wait(NOON) == 0


def test_failures_are_forgotten() -> None:
    # A few after a quarter of an hour, many after a day.
    assert tries(5, WAIT_MAX - SECOND).counted(NOON) == 5
    assert tries(5, WAIT_MAX).counted(NOON) == 0
    assert tries(6, WAIT_MAX).counted(NOON) == 6
    assert tries(6, FORGOTTEN_AFTER).counted(NOON) == 0
    assert tries(everywhere=500, ago=FORGOTTEN_AFTER).account_counted(NOON) == 0
