"""The one payment provider, on Stripe's SDK: Stripe itself or anything that speaks its protocol.

Owns the order of calls and the idempotency keys, which derive from our own ids alone: whoever
repeats a request, in whatever process, sends the same key. Judging answers belongs to `translate`.
No method raises for what the wire does, and the SDK never retries on its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
import stripe
from msgspec import Struct

from bursar.domain.dispute_reports import DisputeReport
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.payout_reports import PayoutReport
from bursar.domain.provider import (
    ActionRequired,
    BookedCharge,
    ChargeRequest,
    CheckoutOpened,
    CheckoutOutcome,
    CheckoutRequest,
    CustomerOutcome,
    CustomerRequest,
    Declined,
    DeclineKind,
    Linked,
    LookupOutcome,
    LookupRequest,
    MethodAttached,
    MethodOutcome,
    NotFound,
    Outcome,
    PaymentProvider,
    ProviderEvent,
    RefundDone,
    RefundLookup,
    RefundOutcome,
    RefundQuestion,
    RefundRefused,
    RefundRequest,
    RefundUnderway,
    SetupOutcome,
    SetupRequest,
    SetupSeen,
    Unknown,
)
from bursar.domain.reconciliation import ProviderMove
from bursar.domain.times import Instant
from bursar.providers.answers import note_answer
from bursar.providers.stripe import (
    books,
    disputes,
    methods,
    movements,
    payouts,
    refunds,
    signatures,
)
from bursar.providers.stripe.amounts import AmountNotSupported
from bursar.providers.stripe.events import event_of
from bursar.providers.stripe.requests import charge_params, checkout_params
from bursar.providers.stripe.shapes import Customer, Intent, Session, id_of, read
from bursar.providers.stripe.translate import (
    Asked,
    believed,
    mismatch,
    outcome_of,
    outcome_of_session,
    refusal_of,
    trouble_of,
    unsupported,
)
from bursar.providers.stripe.wire import StripeWire

KEY_LIFE: Final = timedelta(hours=23)
_BOOKS_SECONDS: Final = 120
_NOT_UNDERSTOOD: Final = (
    msgspec.MsgspecError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
)

Answer = TypeVar("Answer")


class StripeAccount(Struct, frozen=True):
    """Where a provider is and who we are there. `webhook_secrets` has two during a rotation."""

    name: str
    api_key: str
    webhook_secrets: tuple[str, ...] = ()
    api_url: str | None = None  # None: Stripe's own
    timeout_seconds: float = 20

    def __repr__(self) -> str:
        return f"StripeAccount({self.name!r}, {self.api_url!r})"


class StripeProvider(PaymentProvider):
    """A `PaymentProvider`. One per account; close it when done."""

    def __init__(
        self, account: StripeAccount, http_client: stripe.HTTPClient | None = None
    ) -> None:
        self._account = account
        self._http = http_client or StripeWire(account.timeout_seconds)
        self._stripe = stripe.StripeClient(
            account.api_key,
            base_addresses={"api": account.api_url.rstrip("/")} if account.api_url else {},
            max_network_retries=0,
            http_client=self._http,
        ).v1

    @property
    def name(self) -> str:
        return self._account.name

    async def aclose(self) -> None:
        """Close the connections. A later call opens them again."""
        close: Callable[[], Awaitable[None]] = self._http.close_async  # the SDK leaves it untyped
        await close()

    def require_open_line(self) -> None:
        """A bare line is never known to be down: the guard around it knows."""

    async def ensure_customer(self, request: CustomerRequest) -> CustomerOutcome:
        return _for_customer(await self._effect(self._ensure_customer(request)))

    async def attach_method(
        self, customer_reference: str, *, token: str, is_default: bool = True
    ) -> MethodOutcome:
        """The answer carries the stored method's reference, which may differ from the token."""
        work = methods.attach(self._stripe, customer_reference, token=token, is_default=is_default)
        return _for_method(await self._effect(work))

    async def set_up_method(self, request: SetupRequest) -> SetupOutcome:
        return _for_setup(await self._effect(methods.set_up(self._stripe, request)))

    async def find_method(
        self, customer_reference: str, *, method: str
    ) -> MethodAttached | NotFound | Unknown:
        return await self._look(methods.find(self._stripe, customer_reference, method=method))

    async def setups_since(
        self, customer_reference: str, *, org_id: OrgId, since: Instant
    ) -> tuple[SetupSeen, ...] | Unknown:
        listing = methods.setups(self._stripe, customer_reference, org_id=org_id, since=since)
        return await self._look(listing)

    async def choose_method(self, customer_reference: str, *, method: str) -> CustomerOutcome:
        work = methods.choose(self._stripe, customer_reference, method=method)
        return _for_customer(await self._effect(work))

    async def detach_method(self, method: str) -> CustomerOutcome:
        return _for_customer(await self._effect(methods.detach(self._stripe, method)))

    async def detach_methods(self, customer_reference: str) -> CustomerOutcome:
        work = methods.detach_all(self._stripe, customer_reference)
        return _for_customer(await self._effect(work))

    async def charge(self, request: ChargeRequest) -> Outcome:
        return await self._effect(self._charge(request), Asked.by(request))

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutOutcome:
        outcome = await self._effect(self._open_checkout(request), Asked.by(request))
        if isinstance(outcome, CheckoutOpened | Declined | Unknown):
            return outcome
        # A replayed answer is as it was when first given, so this is no session we just opened.
        return mismatch("session")

    async def close_checkout(self, session_reference: str) -> Outcome:
        outcome = await self._look(self._close_checkout(session_reference))
        if isinstance(outcome, CheckoutOpened):
            return Unknown("the session is still open", is_outage=False)
        return outcome

    async def cancel_charge(self, reference: str) -> Outcome:
        return await self._look(self._cancel_charge(reference))

    async def lookup(self, request: LookupRequest) -> LookupOutcome:
        return await self._look(self._lookup(request))

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        return _for_refund(await self._effect(refunds.refund(self._stripe, request)))

    async def lookup_refund(self, question: RefundQuestion) -> RefundLookup:
        sent: RefundLookup = NotFound()
        if question.reference is None and question.age < KEY_LIFE:
            sent = await self.refund(question.resend)
            found = getattr(sent, "reference", None)
            # A replayed answer shows the past; only reading the object shows what is.
            question = replace(question, reference=found)
        seen = await self._look(refunds.found(self._stripe, question))
        return sent if isinstance(seen, NotFound) else seen

    async def dispute(self, reference: str) -> DisputeReport | Unknown:
        return await self._look(disputes.report(self._stripe, reference))

    async def owner_of(self, payment_reference: str) -> PaymentId | NotFound | Unknown:
        return await self._look(disputes.owner(self._stripe, payment_reference))

    def read_event(self, body: bytes, signature: str, now: Instant) -> ProviderEvent:
        signatures.verify(body, signature, self._account.webhook_secrets, now)
        return event_of(body)

    async def moves_since(self, since: Instant) -> tuple[ProviderMove, ...] | Unknown:
        return await self._look(movements.since(self._stripe, since), _BOOKS_SECONDS)

    async def payouts_since(self, since: Instant) -> tuple[PayoutReport, ...] | Unknown:
        return await self._look(payouts.since(self._stripe, since), _BOOKS_SECONDS)

    async def moves_of_payout(self, reference: str) -> tuple[ProviderMove, ...] | Unknown:
        return await self._look(payouts.moves_of(self._stripe, reference), _BOOKS_SECONDS)

    async def booked_charges(self, org_id: OrgId) -> tuple[BookedCharge, ...] | Unknown:
        return await self._look(books.charges_of(self._stripe, org_id), _BOOKS_SECONDS)

    async def _effect(
        self, work: Awaitable[Answer], asked: Asked | None = None
    ) -> Answer | Outcome:
        """The answer to a request that changes something there: a refusal is an answer too."""
        try:
            return await self._in_time(work)
        except AmountNotSupported as fault:
            return unsupported(fault)
        except stripe.StripeError as error:
            return self._judged(error, asked)
        except _NOT_UNDERSTOOD as fault:
            return _malformed(fault)
        except TimeoutError:
            return Unknown("timeout")

    async def _look(
        self, work: Awaitable[Answer], seconds: float | None = None
    ) -> Answer | Unknown:
        """The answer to a question about the past: a refusal says nothing about the money."""
        try:
            return await self._in_time(work, seconds)
        except stripe.StripeError as error:
            note_answer(error.json_body or error.http_body)
            return trouble_of(error)
        except _NOT_UNDERSTOOD as fault:
            return _malformed(fault)
        except TimeoutError:
            return Unknown("timeout")

    async def _in_time(self, work: Awaitable[Answer], seconds: float | None = None) -> Answer:
        async with asyncio.timeout(seconds or self._account.timeout_seconds):
            return await work

    def _judged(self, error: stripe.StripeError, asked: Asked | None) -> Outcome:
        note_answer(error.json_body or error.http_body)
        try:
            return refusal_of(error, asked)
        except _NOT_UNDERSTOOD as fault:
            return _malformed(fault)

    async def _ensure_customer(self, request: CustomerRequest) -> Linked | Unknown:
        reference = request.reference
        marks = {"org_id": request.org_id, "customer_id": request.customer_id}
        if reference is None:
            # What is sent under the key never changes, so a repetition after a change of name finds
            # the same customer instead of a conflict of keys.
            created = await self._stripe.customers.create_async(
                {"metadata": marks}, {"idempotency_key": request.customer_id}
            )
            found = read(created, Customer)
            if found.marks.get("customer_id") != request.customer_id:
                return mismatch("customer")  # its name and its cards are somebody else's
            reference = found.id
        updated = await self._stripe.customers.update_async(
            reference, {"email": request.email, "name": request.name, "metadata": marks}
        )
        return (
            Linked(reference) if read(updated, Customer).id == reference else mismatch("customer")
        )

    async def _charge(self, request: ChargeRequest) -> Outcome:
        method = request.method_reference or await self._default_method(request.customer_reference)
        if isinstance(method, Unknown):
            return method
        if method is None:
            message = "The customer has no payment method."
            return Declined("payment_method_missing", message, DeclineKind.NEW_METHOD)
        created = await self._stripe.payment_intents.create_async(
            charge_params(request, method), {"idempotency_key": f"{request.payment_id}:charge"}
        )
        intent = read(created, Intent)
        return believed(intent, Asked.by(request), outcome_of(intent))

    async def _default_method(self, customer_reference: str) -> str | Unknown | None:
        found = read(await self._stripe.customers.retrieve_async(customer_reference), Customer)
        if found.id != customer_reference:
            return mismatch("customer")
        return id_of(found.invoice_settings.default_payment_method)

    async def _open_checkout(self, request: CheckoutRequest) -> Outcome | CheckoutOpened:
        created = await self._stripe.checkout.sessions.create_async(
            checkout_params(request), {"idempotency_key": f"{request.payment_id}:checkout"}
        )
        session = read(created, Session)
        return believed(session, Asked.by(request), outcome_of_session(session))

    async def _close_checkout(self, reference: str) -> Outcome | CheckoutOpened:
        try:
            answer = await self._stripe.checkout.sessions.expire_async(reference)
        except stripe.InvalidRequestError:
            # Only an open session can be expired; this one is something else by now.
            return await self._session_state(reference)
        return _of_session(read(answer, Session), reference)

    async def _cancel_charge(self, reference: str) -> Outcome:
        try:
            answer = await self._stripe.payment_intents.cancel_async(reference)
        except stripe.InvalidRequestError:
            outcome = await self._intent_state(reference)
            return (
                Unknown("its session is still open", is_outage=False)
                if isinstance(outcome, CheckoutOpened)
                else outcome
            )
        intent = read(answer, Intent)
        return outcome_of(intent) if intent.id == reference else mismatch("intent")

    async def _lookup(self, request: LookupRequest) -> LookupOutcome:
        asked = Asked.by(request)
        if request.session_reference is not None:
            return await self._session_state(request.session_reference, asked)
        if request.reference is not None:
            return await self._intent_state(request.reference, asked)
        sent: LookupOutcome = NotFound()
        if request.resend is not None and request.now - request.created_at < KEY_LIFE:
            sent = await self._sent_again(request.resend)
            found = getattr(sent, "reference", None)
            if found is not None:
                # A replayed answer shows the past; only reading the object shows what is.
                return await self._lookup(_known(request, sent, found))
        listed = await books.attempt(self._stripe, request)
        return listed if not isinstance(listed, NotFound) else sent

    async def _sent_again(self, request: ChargeRequest | CheckoutRequest) -> LookupOutcome:
        if isinstance(request, ChargeRequest):
            return await self.charge(request)
        return await self._effect(self._open_checkout(request), Asked.by(request))

    async def _session_state(
        self, reference: str, asked: Asked | None = None
    ) -> Outcome | CheckoutOpened:
        answer = await self._stripe.checkout.sessions.retrieve_async(
            reference, {"expand": ["payment_intent"]}
        )
        return _of_session(read(answer, Session), reference, asked)

    async def _intent_state(
        self, reference: str, asked: Asked | None = None
    ) -> Outcome | CheckoutOpened:
        intent = read(await self._stripe.payment_intents.retrieve_async(reference), Intent)
        if intent.id != reference:
            return mismatch("intent")
        outcome: Outcome | CheckoutOpened = outcome_of(intent)
        if intent.is_from_checkout and intent.status.startswith("requires_"):
            outcome = await books.session_of(self._stripe, reference)
        return outcome if asked is None else believed(intent, asked, outcome)


def _of_session(
    session: Session, reference: str, asked: Asked | None = None
) -> Outcome | CheckoutOpened:
    if session.id != reference:
        return mismatch("session")
    outcome = outcome_of_session(session)
    return outcome if asked is None else believed(session, asked, outcome)


def _known(request: LookupRequest, sent: LookupOutcome, reference: str) -> LookupRequest:
    """The same question, now that a reference is known."""
    if isinstance(request.resend, CheckoutRequest) and isinstance(sent, CheckoutOpened):
        return replace(request, session_reference=reference)
    return replace(request, reference=reference)


def _for_customer(outcome: Linked | Outcome) -> CustomerOutcome:
    if isinstance(outcome, Linked | Declined | Unknown):
        return outcome
    return Unknown("unexpected answer about a customer", is_outage=False)


def _for_method(outcome: MethodAttached | Outcome) -> MethodOutcome:
    if isinstance(outcome, MethodAttached | Declined | Unknown):
        return outcome
    return Unknown("unexpected answer about a payment method", is_outage=False)


def _for_setup(outcome: SetupOutcome | Outcome) -> SetupOutcome:
    if isinstance(outcome, MethodAttached | ActionRequired | Declined | Unknown):
        return outcome
    return Unknown("unexpected answer about a payment method", is_outage=False)


def _for_refund(outcome: RefundOutcome | Outcome) -> RefundOutcome:
    """A refusal to refund comes as any refusal of a request does."""
    match outcome:
        case Declined(code=code, message=message):
            return RefundRefused(code, message)
        case RefundDone() | RefundUnderway() | RefundRefused() | Unknown():
            return outcome
        case _:
            return Unknown("unexpected answer about a refund", is_outage=False)


def _malformed(fault: Exception) -> Unknown:
    return Unknown(f"malformed answer: {type(fault).__name__}", is_outage=False)
