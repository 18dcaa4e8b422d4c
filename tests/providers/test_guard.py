"""The circuit breaker and the deadline: when nothing is sent, and when it is tried again."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bursar.domain.endpoint_health import COOLDOWN, FAILURES_TO_TRIP, TRIALS_TO_RECOVER
from bursar.domain.ids import OrgId
from bursar.domain.provider import (
    CircuitOpen,
    Closed,
    Declined,
    DeclineKind,
    PaymentProvider,
    ProviderEvent,
    ProviderEventKind,
    Unknown,
)
from bursar.providers.guard import (
    MAIL,
    PAYMENT_PROVIDER,
    BreakerState,
    CircuitBreaker,
    GuardedProvider,
)

OUTAGE = Unknown("timeout")
ANSWER = Closed("pi_1")


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A provider that gives the next answer of a list, or hangs on None."""

    name = "scripted"

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def cancel_charge(self, reference: str) -> Any:
        assert reference
        self.calls += 1
        answer = self.answers.pop(0)
        if answer is None:
            await asyncio.sleep(3_600)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def booked_charges(self, org_id: OrgId) -> Any:
        return await self.cancel_charge(org_id)

    def read_event(self, body: bytes, signature: str, now: datetime) -> ProviderEvent:
        assert not body
        return ProviderEvent("evt_1", signature, ProviderEventKind.OTHER, now, is_live=False)


def guarded(
    *answers: object, seconds: float = 25
) -> tuple[GuardedProvider, Scripted, Hands, list[BreakerState]]:
    clock = Hands()
    inner = Scripted(*answers)
    states: list[BreakerState] = []
    breaker = CircuitBreaker(PAYMENT_PROVIDER, clock, states.append)
    return GuardedProvider(cast("PaymentProvider", inner), breaker, seconds), inner, clock, states


async def fail(provider: GuardedProvider, times: int) -> None:
    for _ in range(times):
        assert await provider.cancel_charge("pi_1") == OUTAGE


async def test_five_failures_in_a_row_open_it_and_nothing_is_sent() -> None:
    # The sixth call learns at once that nothing happened and when to come back.
    provider, inner, _, states = guarded(*[OUTAGE] * 5)
    await fail(provider, 5)
    with pytest.raises(CircuitOpen) as refused:
        await provider.cancel_charge("pi_1")
    assert refused.value.retry_after_seconds == 30
    assert inner.calls == 5
    assert states == [BreakerState.CLOSED, BreakerState.OPEN]


async def test_a_success_between_failures_starts_the_count_again() -> None:
    # Four failures, a success, four failures: still closed.
    provider, inner, _, states = guarded(*[OUTAGE] * 4, ANSWER, *[OUTAGE] * 4, ANSWER)
    await fail(provider, 4)
    await provider.cancel_charge("pi_1")
    await fail(provider, 4)
    assert await provider.cancel_charge("pi_1") == ANSWER
    assert inner.calls == 10
    assert states == [BreakerState.CLOSED]


async def test_two_successes_after_the_cooldown_close_it() -> None:
    # Half open after 30 s; one success is not enough, two are.
    provider, _, clock, states = guarded(*[OUTAGE] * 5, ANSWER, ANSWER, *[OUTAGE] * 4)
    await fail(provider, 5)
    clock.now += 29.9
    with pytest.raises(CircuitOpen) as refused:
        await provider.cancel_charge("pi_1")
    assert refused.value.retry_after_seconds == 1
    clock.now += 0.1
    seen = [provider.breaker.state]
    for _ in range(2):
        await provider.cancel_charge("pi_1")
        seen.append(provider.breaker.state)
    assert seen == [BreakerState.HALF_OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]
    await fail(provider, 4)
    shut = [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]
    assert states == [BreakerState.CLOSED, *shut]


async def test_a_failed_trial_opens_it_again_for_the_whole_cooldown() -> None:
    # One failure is enough when half open.
    provider, _, clock, _ = guarded(*[OUTAGE] * 5, ANSWER, OUTAGE)
    await fail(provider, 5)
    clock.now += 30
    await provider.cancel_charge("pi_1")
    await fail(provider, 1)
    assert provider.breaker.state is BreakerState.OPEN
    with pytest.raises(CircuitOpen) as refused:
        await provider.cancel_charge("pi_1")
    assert refused.value.retry_after_seconds == 30


async def test_half_open_lets_one_call_pass_at_a_time() -> None:
    # While the trial is under way the others are refused; when it is given up, the next one tries.
    provider, inner, clock, _ = guarded(*[OUTAGE] * 5, None, ANSWER)
    await fail(provider, 5)
    clock.now += 30
    trial = asyncio.create_task(provider.cancel_charge("pi_1"))
    await asyncio.sleep(0)
    with pytest.raises(CircuitOpen):
        await provider.cancel_charge("pi_1")
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert await provider.cancel_charge("pi_1") == ANSWER
    assert inner.calls == 7


@pytest.mark.parametrize(
    "answer",
    [
        Declined("card_declined", "no", DeclineKind.RETRY),
        Unknown("mismatch: amount", is_outage=False),
        Unknown("refused with 401", is_outage=False),
    ],
)
async def test_answers_that_came_are_no_failures(answer: Any) -> None:
    # A hundred refused cards, or answers we did not believe, leave the line open.
    provider, inner, _, states = guarded(*[answer] * 100)
    for _ in range(100):
        assert await provider.cancel_charge("pi_1") == answer
    assert inner.calls == 100
    assert states == [BreakerState.CLOSED]


async def test_the_providers_wish_to_be_left_alone_is_obeyed() -> None:
    # After a 429 with Retry-After nothing is sent until then.
    wish = Unknown("rate limited", retry_after_seconds=7, is_outage=False)
    provider, inner, clock, _ = guarded(wish, ANSWER)
    assert await provider.cancel_charge("pi_1") == wish
    with pytest.raises(CircuitOpen) as refused:
        await provider.cancel_charge("pi_1")
    assert refused.value.retry_after_seconds == 7
    clock.now += 7
    assert await provider.cancel_charge("pi_1") == ANSWER
    assert inner.calls == 2


async def test_a_late_success_from_before_does_not_close_it() -> None:
    # A slow call that began while all was well says nothing about now.
    breaker = CircuitBreaker(PAYMENT_PROVIDER, Hands())
    old = [breaker.admit() for _ in range(8)]
    for admission in old[:5]:
        admission.failed()
    old[5].succeeded()
    old[6].succeeded()
    old[7].failed()
    assert breaker.state is BreakerState.OPEN


async def test_a_missed_deadline_is_unknown_and_a_failure() -> None:
    # The caller waits for the deadline and no longer; five of them open the breaker.
    provider, _, _, _ = guarded(*[None] * 5, seconds=0.01)
    for _ in range(5):
        assert await provider.cancel_charge("pi_1") == Unknown("timeout")
    assert provider.breaker.state is BreakerState.OPEN


async def test_a_bug_in_the_adapter_is_not_hidden() -> None:
    # An exception is raised on, and a trial it ended is free again.
    provider, _, clock, _ = guarded(*[OUTAGE] * 5, RuntimeError("bug"), ANSWER)
    await fail(provider, 5)
    clock.now += 30
    with pytest.raises(RuntimeError):
        await provider.cancel_charge("pi_1")
    assert await provider.cancel_charge("pi_1") == ANSWER


async def test_events_are_read_while_the_line_is_shut() -> None:
    # Verifying an event asks nobody.
    provider, _, _, _ = guarded(*[OUTAGE] * 5)
    await fail(provider, 5)
    assert provider.read_event(b"", "", datetime.now(tz=UTC)).event_id == "evt_1"
    with pytest.raises(CircuitOpen):
        await provider.booked_charges(OrgId("org_1"))


async def test_a_caller_can_ask_before_it_writes_anything() -> None:
    # `require_open_line` refuses when a call would be refused, and uses up no trial.
    provider, _, clock, _ = guarded(*[OUTAGE] * 5, ANSWER)
    provider.require_open_line()
    await fail(provider, 5)
    with pytest.raises(CircuitOpen):
        provider.require_open_line()
    clock.now += 30
    provider.require_open_line()
    await provider.cancel_charge("pi_1")


def test_the_limits_are_the_documented_ones() -> None:
    # Payment provider 5/30/2, mail 3/60/1, webhooks 10/15/3.
    limits = [
        (each.failures_max, each.cooldown_seconds, each.successes_to_close)
        for each in (PAYMENT_PROVIDER, MAIL)
    ]
    limits.append((FAILURES_TO_TRIP, COOLDOWN.total_seconds(), TRIALS_TO_RECOVER))
    assert limits == [(5, 30, 2), (3, 60, 1), (10, 15, 3)]


async def test_an_answer_that_is_not_believed_is_told_apart() -> None:
    # It trips no breaker, and the metric names it, so that somebody is called.
    told: list[str] = []
    answers = (Unknown("mismatch: amount", is_outage=False), Unknown("timeout"), ANSWER)
    inner = Scripted(*answers)
    breaker = CircuitBreaker(PAYMENT_PROVIDER, Hands())
    provider = GuardedProvider(
        cast("PaymentProvider", inner),
        breaker,
        on_call=lambda _call, kind, _seconds: told.append(kind),
    )
    for _ in answers:
        await provider.cancel_charge("pi_1")
    assert told[:2] == ["unexpected", "unknown"]
    assert "unexpected" not in told[2:]
