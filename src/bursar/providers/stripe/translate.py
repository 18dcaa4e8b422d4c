"""Stripe's words in ours: intents, sessions and errors become outcomes.

Owns every judgement about what an answer means. An outcome is only believed when the object carries
the ids, the amount and the currency that we asked for; anything else is `Unknown`, because booking
another payment's money is worse than waiting for a person.
"""

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec
import stripe
from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.money import Money
from bursar.domain.provider import (
    ActionRequired,
    ChargeRequest,
    CheckoutOpened,
    CheckoutRequest,
    Closed,
    Declined,
    DeclineKind,
    LookupRequest,
    Outcome,
    Processing,
    Succeeded,
    Unknown,
)
from bursar.providers.stripe.amounts import AmountNotSupported, from_units, to_units
from bursar.providers.stripe.declines import DECLINES, kind_of
from bursar.providers.stripe.shapes import Intent, PaymentError, Session, SetupIntent, id_of

MESSAGE_MAX: Final = 500
_CODE_MAX: Final = 100
_RETRY_AFTER_MAX: Final = 3_600
_REDIRECTED: Final = 300
_SERVER_ERROR: Final = 500
_CONFLICT: Final = 409
_TOO_MANY: Final = 429

Judged = TypeVar("Judged")


class Asked(Struct, frozen=True):
    """What every object that answers for a payment must carry."""

    org_id: OrgId
    payment_id: PaymentId
    amount: Money

    @classmethod
    def by(cls, request: ChargeRequest | CheckoutRequest | LookupRequest) -> "Asked":
        return cls(request.org_id, request.payment_id, request.amount)


def believed(found: Intent | Session, asked: Asked, judged: Judged) -> Judged | Unknown:
    """What was judged of an object, unless the object is not the one we asked for."""
    units = found.amount if isinstance(found, Intent) else found.amount_total
    facts = (
        ("payment", found.marks.get("payment_id"), asked.payment_id),
        ("organization", found.marks.get("org_id"), asked.org_id),
        ("currency", found.currency, asked.amount.currency),
        ("amount", units, to_units(asked.amount)),
    )
    for name, theirs, ours in facts:
        if theirs != ours:
            return mismatch(name)
    if isinstance(judged, Succeeded) and judged.amount != asked.amount:
        return mismatch("amount received")
    return judged


def mismatch(what: str) -> Unknown:
    """The provider answered about something else than we asked."""
    return Unknown(f"mismatch: {what}", is_outage=False)


def outcome_of(intent: Intent) -> Outcome:
    """What an intent, taken by itself, says about the money."""
    match intent.status:
        case "succeeded":
            return Succeeded(
                intent.id, from_units(intent.amount_received, intent.currency), intent.method
            )
        case "processing":
            return Processing(intent.id)
        case "canceled":
            return Closed(intent.id)
        case "requires_payment_method":
            return _declined(intent.last_payment_error, intent.id)
        case "requires_action":
            return _action_of(intent)
        case _:
            return Unknown(f"unexpected intent status {intent.status[:40]}", is_outage=False)


def outcome_of_setup(setup: SetupIntent) -> ActionRequired | Declined | Unknown:
    """What a setup that has not succeeded says about its method."""
    match setup.status:
        case "requires_action":
            return _action_of(setup)
        case "requires_payment_method":
            return _declined(setup.last_setup_error, setup.id)
        case _:
            return Unknown(f"unexpected setup status {setup.status[:40]}", is_outage=False)


def outcome_of_session(session: Session) -> Outcome | CheckoutOpened:
    """What a hosted session says. Money first: a paid session is paid, whatever its status."""
    intent = session.payment_intent
    if isinstance(intent, Intent) and intent.status == "succeeded":
        return outcome_of(intent)
    if session.status == "open" and session.url:
        expires_at = datetime.fromtimestamp(session.expires_at, tz=UTC)
        return CheckoutOpened(session.id, session.url, expires_at)
    if session.status == "expired":
        return Closed(id_of(intent))
    if session.status == "complete" and intent is not None:
        return _completed(session, intent)
    return Unknown("unexpected state of a session", is_outage=False)


def trouble_of(error: stripe.StripeError) -> Unknown:
    """An error that says nothing about the money."""
    status = error.http_status
    wish = _retry_after(error)
    if isinstance(error, stripe.APIConnectionError):
        return Unknown("connection", wish)
    if isinstance(error, stripe.RateLimitError) or status == _TOO_MANY:
        return Unknown("rate limited", wish or 1, is_outage=False)
    if isinstance(error, stripe.IdempotencyError) or status == _CONFLICT:
        return Unknown("idempotency conflict", wish, is_outage=False)
    if status is None or status >= _SERVER_ERROR:
        return Unknown(f"provider error {status}", wish)
    if status < _REDIRECTED:
        return Unknown("malformed answer: no JSON", wish, is_outage=False)
    return Unknown(
        f"refused with {status} {(error.code or '')[:40]}".strip(), wish, is_outage=False
    )


def refusal_of(error: stripe.StripeError, asked: Asked | None = None) -> Outcome:
    """An error answer to a request that would have had an effect.

    A card error is the card's answer. A request Stripe finds invalid had no effect and never will:
    our fault or an unusable method, but an answer too. Everything else leaves the money unknown.
    """
    if isinstance(error, stripe.CardError):
        return _declined_by_card(error, asked)
    if type(error) is stripe.InvalidRequestError:
        return _declined_as_invalid(error)
    return trouble_of(error)


def unsupported(fault: AmountNotSupported) -> Declined:
    """Nothing was sent, for Stripe cannot carry the amount."""
    return Declined("amount_not_supported", str(fault), DeclineKind.NEVER)


def _completed(session: Session, intent: str | Intent) -> Outcome:
    match session.payment_status, intent:
        case "paid", str():
            return Succeeded(intent, from_units(session.amount_total, session.currency))
        case "unpaid", str():
            return Processing(intent)
        case "unpaid", Intent():
            judged = outcome_of(intent)
            return replace(judged, ends_page=True) if isinstance(judged, Declined) else judged
        case _:
            return Unknown("unexpected state of a completed session", is_outage=False)


def _declined_by_card(error: stripe.CardError, asked: Asked | None) -> Outcome:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    try:
        fault = msgspec.convert(body.get("error"), type=PaymentError)
    except msgspec.ValidationError:
        return Unknown("malformed card error", is_outage=False)
    intent = fault.payment_intent
    if intent is None:
        return _declined(fault, None)
    judged = (
        _declined(fault, intent.id)
        if intent.status == "requires_payment_method"
        else outcome_of(intent)
    )
    return judged if asked is None else believed(intent, asked, judged)


def _declined_as_invalid(error: stripe.InvalidRequestError) -> Declined:
    code = error.code or "invalid_request"
    about_method = code == "resource_missing" and error.param == "payment_method"
    kind = DeclineKind.NEW_METHOD if about_method else DECLINES.get(code, DeclineKind.NEVER)
    message = error.user_message or "The provider refused the request."
    return Declined(code[:_CODE_MAX], message[:MESSAGE_MAX], kind)


def _declined(fault: PaymentError | None, reference: str | None) -> Declined:
    if fault is None:
        message = "No payment method was accepted."
        return Declined("payment_method_missing", message, DeclineKind.NEW_METHOD, reference)
    code = fault.decline_code or fault.code or fault.type
    message = (fault.message or "The payment was declined.")[:MESSAGE_MAX]
    return Declined(code[:_CODE_MAX], message, kind_of(code, fault.advice_code), reference)


def _action_of(intent: Intent | SetupIntent) -> ActionRequired | Unknown:
    action = intent.next_action
    url = action.redirect_to_url.url if action and action.redirect_to_url else None
    if not url:
        # Made for a browser that runs Stripe's script; there is no page we could send anyone to.
        return Unknown("an action without a page", is_outage=False)
    return ActionRequired(intent.id, url)


def _retry_after(error: stripe.StripeError) -> int | None:
    headers = error.headers or {}
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(int(text[:6]), _RETRY_AFTER_MAX)
