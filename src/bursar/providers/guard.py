"""Stands between us and a provider: a total deadline, and a circuit breaker.

Closed, calls pass and failures in a row are counted. Open, nothing is sent for a while: whoever
asks learns at once that nothing happened and when to come back. Half open, one call at a time tries
whether the provider is back. Time is monotonic, so a clock that is set never opens or shuts a line.
A refused card is an answer and no failure; only outages and missed deadlines count.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from math import ceil, inf
from typing import Final, TypeVar

from msgspec import Struct
from opentelemetry.trace import SpanKind

from bursar.domain.dispute_reports import DisputeReport
from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.payout_reports import PayoutReport
from bursar.domain.provider import (
    BookedCharge,
    ChargeRequest,
    CheckoutOutcome,
    CheckoutRequest,
    CircuitOpen,
    CustomerOutcome,
    CustomerRequest,
    LookupOutcome,
    LookupRequest,
    MethodAttached,
    MethodOutcome,
    NotFound,
    Outcome,
    PaymentProvider,
    ProviderEvent,
    RefundLookup,
    RefundOutcome,
    RefundQuestion,
    RefundRequest,
    SetupOutcome,
    SetupRequest,
    SetupSeen,
    Unknown,
)
from bursar.domain.reconciliation import ProviderMove
from bursar.domain.times import Instant
from bursar.providers.answers import last_answer, note_answer
from bursar.runtime import tracing
from bursar.runtime.logging import get_log

_LISTING_SECONDS: Final = 300
_NOT_BELIEVED: Final = ("mismatch", "malformed", "unexpected")

Answer = TypeVar("Answer")

log = get_log()


class BreakerState(StrEnum):
    """In the order of worry: a gauge may use the position."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class BreakerLimits(Struct, frozen=True):
    """So many failures in a row open it; so many successes after the cooldown close it."""

    failures_max: int
    cooldown_seconds: float
    successes_to_close: int


PAYMENT_PROVIDER: Final = BreakerLimits(5, 30, 2)
MAIL: Final = BreakerLimits(3, 60, 1)


class CircuitBreaker:
    """One line's breaker. `on_change` hears the first state and every new one, for the metrics."""

    def __init__(
        self,
        limits: BreakerLimits,
        clock: Callable[[], float],
        on_change: Callable[[BreakerState], None] | None = None,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._on_change = on_change
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._successes = 0
        self._shut_until = -inf
        self._is_trying = False
        if on_change is not None:
            on_change(self._state)

    @property
    def state(self) -> BreakerState:
        """The state a call made now would meet."""
        if self._state is BreakerState.OPEN and self._clock() >= self._shut_until:
            self._enter(BreakerState.HALF_OPEN)
        return self._state

    def admit(self) -> "Admission":
        """Let one call pass.

        Raises:
            CircuitOpen: nothing may be sent now.
        """
        state = self.state
        if state is BreakerState.OPEN:
            raise CircuitOpen(max(1, ceil(self._shut_until - self._clock())))
        if state is BreakerState.CLOSED:
            return Admission(self, is_trial=False)
        if self._is_trying:
            raise CircuitOpen(1)
        self._is_trying = True
        return Admission(self, is_trial=True)

    def hold(self, seconds: float) -> None:
        """Send nothing for so long. A pause is never shortened."""
        self._shut_until = max(self._shut_until, self._clock() + seconds)
        self._enter(BreakerState.OPEN)

    def count_success(self, *, is_trial: bool) -> None:
        self._failures = 0
        # Calls from before the trouble may still come home; only a trial says how things are now.
        if is_trial and self._state is BreakerState.HALF_OPEN:
            self._is_trying = False
            self._successes += 1
            if self._successes >= self._limits.successes_to_close:
                self._enter(BreakerState.CLOSED)

    def count_failure(self, *, is_trial: bool) -> None:
        self._failures += 1
        is_too_many = self._failures >= self._limits.failures_max
        if is_trial or (self._state is BreakerState.CLOSED and is_too_many):
            self.hold(self._limits.cooldown_seconds)

    def withdraw(self, *, is_trial: bool) -> None:
        """The call was given up on our side, which says nothing about the line."""
        if is_trial:
            self._is_trying = False

    def _enter(self, state: BreakerState) -> None:
        if state is self._state:
            return
        self._state = state
        self._failures = 0
        self._successes = 0
        self._is_trying = False
        if self._on_change is not None:
            self._on_change(state)


class Admission(Struct, frozen=True):
    """One admitted call, which ends in exactly one of three ways."""

    breaker: CircuitBreaker
    is_trial: bool

    def succeeded(self) -> None:
        self.breaker.count_success(is_trial=self.is_trial)

    def failed(self) -> None:
        self.breaker.count_failure(is_trial=self.is_trial)

    def withdrawn(self) -> None:
        self.breaker.withdraw(is_trial=self.is_trial)


OnCall = Callable[[str, str, float], None]
"""Hears of each call: its name, the kind of answer, and the seconds it took."""


class GuardedProvider(PaymentProvider):
    """A `PaymentProvider` that lets another one be asked only while it makes sense.

    Beside the port's answers every method that asks the provider may raise `CircuitOpen`: nothing
    was sent, and the same request may be made again.
    """

    def __init__(
        self,
        inner: PaymentProvider,
        breaker: CircuitBreaker,
        timeout_seconds: float = 25,
        on_call: OnCall | None = None,
    ) -> None:
        self._inner = inner
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._on_call = on_call

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def breaker(self) -> CircuitBreaker:
        return self._breaker

    def require_open_line(self) -> None:
        """Refuse early, before anything is written, what the breaker would refuse anyway.

        Raises:
            CircuitOpen: a call made now would not be sent.
        """
        self._breaker.admit().withdrawn()

    async def ensure_customer(self, request: CustomerRequest) -> CustomerOutcome:
        return await self._asked("ensure_customer", lambda: self._inner.ensure_customer(request))

    async def attach_method(
        self, customer_reference: str, *, token: str, is_default: bool = True
    ) -> MethodOutcome:
        return await self._asked(
            "attach_method",
            lambda: self._inner.attach_method(
                customer_reference, token=token, is_default=is_default
            ),
        )

    async def set_up_method(self, request: SetupRequest) -> SetupOutcome:
        return await self._asked("set_up_method", lambda: self._inner.set_up_method(request))

    async def find_method(
        self, customer_reference: str, *, method: str
    ) -> MethodAttached | NotFound | Unknown:
        return await self._asked(
            "find_method", lambda: self._inner.find_method(customer_reference, method=method)
        )

    async def setups_since(
        self, customer_reference: str, *, org_id: OrgId, since: Instant
    ) -> tuple[SetupSeen, ...] | Unknown:
        return await self._asked(
            "setups_since",
            lambda: self._inner.setups_since(customer_reference, org_id=org_id, since=since),
        )

    async def choose_method(self, customer_reference: str, *, method: str) -> CustomerOutcome:
        return await self._asked(
            "choose_method", lambda: self._inner.choose_method(customer_reference, method=method)
        )

    async def detach_method(self, method: str) -> CustomerOutcome:
        return await self._asked("detach_method", lambda: self._inner.detach_method(method))

    async def detach_methods(self, customer_reference: str) -> CustomerOutcome:
        return await self._asked(
            "detach_methods", lambda: self._inner.detach_methods(customer_reference)
        )

    async def charge(self, request: ChargeRequest) -> Outcome:
        return await self._asked("charge", lambda: self._inner.charge(request))

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutOutcome:
        return await self._asked("open_checkout", lambda: self._inner.open_checkout(request))

    async def close_checkout(self, session_reference: str) -> Outcome:
        return await self._asked(
            "close_checkout", lambda: self._inner.close_checkout(session_reference)
        )

    async def cancel_charge(self, reference: str) -> Outcome:
        return await self._asked("cancel_charge", lambda: self._inner.cancel_charge(reference))

    async def lookup(self, request: LookupRequest) -> LookupOutcome:
        return await self._asked("lookup", lambda: self._inner.lookup(request))

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        return await self._asked("refund", lambda: self._inner.refund(request))

    async def lookup_refund(self, question: RefundQuestion) -> RefundLookup:
        return await self._asked("lookup_refund", lambda: self._inner.lookup_refund(question))

    async def dispute(self, reference: str) -> DisputeReport | Unknown:
        return await self._asked("dispute", lambda: self._inner.dispute(reference))

    async def owner_of(self, payment_reference: str) -> PaymentId | NotFound | Unknown:
        return await self._asked("owner_of", lambda: self._inner.owner_of(payment_reference))

    def read_event(self, body: bytes, signature: str, now: Instant) -> ProviderEvent:
        return self._inner.read_event(body, signature, now)

    async def moves_since(self, since: Instant) -> tuple[ProviderMove, ...] | Unknown:
        return await self._asked(
            "moves_since", lambda: self._inner.moves_since(since), _LISTING_SECONDS
        )

    async def payouts_since(self, since: Instant) -> tuple[PayoutReport, ...] | Unknown:
        return await self._asked(
            "payouts_since", lambda: self._inner.payouts_since(since), _LISTING_SECONDS
        )

    async def moves_of_payout(self, reference: str) -> tuple[ProviderMove, ...] | Unknown:
        return await self._asked(
            "moves_of_payout", lambda: self._inner.moves_of_payout(reference), _LISTING_SECONDS
        )

    async def booked_charges(self, org_id: OrgId) -> tuple[BookedCharge, ...] | Unknown:
        # A long listing has a deadline of its own, inside.
        return await self._asked(
            "booked_charges", lambda: self._inner.booked_charges(org_id), _LISTING_SECONDS
        )

    async def _asked(
        self, call: str, ask: Callable[[], Awaitable[Answer]], seconds: float | None = None
    ) -> Answer | Unknown:
        admission = self._breaker.admit()
        began = asyncio.get_running_loop().time()
        answer: Answer | Unknown
        note_answer(None)
        try:
            with tracing.span(f"{self.name} {call}", SpanKind.CLIENT):
                answer = await self._in_time(ask, seconds)
        except TimeoutError:
            answer = Unknown("timeout")
        except BaseException:
            # Cancelled, or a bug of ours; either way the trial is free for the next call.
            admission.withdrawn()
            raise
        self._count(admission, answer)
        if self._on_call is not None:
            took = asyncio.get_running_loop().time() - began
            self._on_call(call, _name_of(answer), took)
        if _is_unexpected(answer):
            assert isinstance(answer, Unknown)
            # Held and never guessed: a person looks, at all of it but whom it is about.
            log.error(
                "provider.unexpected",
                call=call,
                provider=self.name,
                reason=answer.reason,
                answer=last_answer(),
            )
        return answer

    async def _in_time(self, ask: Callable[[], Awaitable[Answer]], seconds: float | None) -> Answer:
        async with asyncio.timeout(seconds or self._timeout_seconds):
            return await ask()

    def _count(self, admission: Admission, answer: object) -> None:
        if not isinstance(answer, Unknown):
            admission.succeeded()
        elif answer.is_outage:
            admission.failed()
        else:
            admission.withdrawn()
        if isinstance(answer, Unknown) and answer.retry_after_seconds:
            self._breaker.hold(answer.retry_after_seconds)


def _is_unexpected(answer: object) -> bool:
    """An answer that came in time and was not believed: another shape, or about something else."""
    return isinstance(answer, Unknown) and answer.reason.startswith(_NOT_BELIEVED)


def _name_of(answer: object) -> str:
    return "unexpected" if _is_unexpected(answer) else type(answer).__name__.lower()
