"""Stripe's events in our words, once their signature holds.

Events carry no question of ours to compare with, so what they say is only a claim about the payment
their metadata names; whoever settles it compares the amount, and whose a proven method is. An event
that a hosted page's customer may still overtake is no end: a decline is only noted, a pending 3-D
Secure has no outcome.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from bursar.domain.dispute_reports import DisputeNamed
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, MalformedId, OrgId, PaymentId, RefundId, parse_id
from bursar.domain.provider import (
    BadSignature,
    CheckoutOpened,
    Declined,
    DeclineKind,
    Outcome,
    ProviderEvent,
    ProviderEventKind,
    RefundDone,
    RefundOutcome,
    RefundRefused,
    RefundUnderway,
    SetupFailed,
    SetupProven,
    SetupTold,
    Unknown,
)
from bursar.providers.answers import without_people
from bursar.providers.stripe.amounts import UnreadableAmount
from bursar.providers.stripe.refunds import outcome_of_refund
from bursar.providers.stripe.shapes import (
    Dispute,
    Event,
    Intent,
    Marked,
    Refund,
    Session,
    SetupIntent,
    id_of,
)
from bursar.providers.stripe.translate import outcome_of, outcome_of_session, outcome_of_setup
from bursar.runtime.logging import get_log

BODY_MAX: Final = 1024 * 1024
_DEPTH_MAX: Final = 20
_ID_MAX: Final = 255
_STRINGS_AND_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]')
_UNFINISHED_ON_PAGE: Final = ("requires_payment_method", "requires_action")

log = get_log()

Reading = tuple[Marked, Outcome | RefundOutcome | CheckoutOpened | None]
_DISPUTES: Final = "charge.dispute."
_SETUPS: Final = (
    "setup_intent.succeeded",
    "setup_intent.setup_failed",
    "setup_intent.canceled",
)


def event_of(body: bytes) -> ProviderEvent:
    """The event in a verified body.

    Raises:
        BadSignature: it is not an event, so whoever signed it was not Stripe.
    """
    try:
        event = msgspec.json.decode(_bounded(body), type=Event)
        occurred_at = datetime.fromtimestamp(event.created, tz=UTC)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, OSError) as fault:
        raise BadSignature("the body is not an event") from fault
    if not 0 < len(event.id) <= _ID_MAX or not 0 < len(event.type) <= _ID_MAX:
        raise BadSignature("the event has no usable id or type")
    heard = ProviderEvent(
        event_id=event.id,
        type=event.type,
        kind=ProviderEventKind.OTHER,
        occurred_at=occurred_at,
        is_live=event.livemode,
    )
    if event.type.startswith(_DISPUTES):
        return _dispute_event(event, heard)
    if event.type in _SETUPS:
        return _setup_event(event, heard)
    return _payment_event(event, heard)


def _payment_event(event: Event, heard: ProviderEvent) -> ProviderEvent:
    """It names the payment, and the refund, by the marks of its object."""
    found, outcome = _read(event)
    org_id, payment_id, refund_id = _ids(found)
    kind = _kind_of(outcome)
    heard = replace(heard, org_id=org_id, payment_id=payment_id)
    if kind is None:
        return heard
    if isinstance(found, Refund) and refund_id is None:
        charge = id_of(found.payment_intent)
        return replace(heard, kind=kind, outcome=outcome, org_id=None, payment_reference=charge)
    if payment_id is None or org_id is None:
        return heard
    return replace(heard, kind=kind, outcome=outcome, refund_id=refund_id)


def _dispute_event(event: Event, heard: ProviderEvent) -> ProviderEvent:
    """It names the dispute and its charge; whose charge it is, whoever hears it finds out."""
    try:
        seen = msgspec.json.decode(event.data.object, type=Dispute)
    except msgspec.DecodeError:
        _tell_beyond_us(event)
        return heard  # the reconciler lists what its charge lost
    return replace(
        heard,
        kind=ProviderEventKind.DISPUTE,
        outcome=DisputeNamed(seen.id[:_ID_MAX]),
        payment_reference=id_of(seen.payment_intent),
    )


def _setup_event(event: Event, heard: ProviderEvent) -> ProviderEvent:
    """It names the customer by the marks of its object; one without them is nobody's here."""
    try:
        seen = msgspec.json.decode(event.data.object, type=SetupIntent)
    except msgspec.DecodeError:
        _tell_beyond_us(event)
        return heard  # the request, sent again, reads what became of it
    org_id, customer_id = seen.marks.get("org_id", ""), seen.marks.get("customer_id", "")
    told = _told_of(seen, CustomerId(customer_id))
    if told is None or not _is_id("org", org_id) or not _is_id("cust", customer_id):
        return heard
    return replace(heard, kind=ProviderEventKind.SETUP, org_id=OrgId(org_id), outcome=told)


def _told_of(seen: SetupIntent, customer_id: CustomerId) -> SetupTold | None:
    if seen.status == "succeeded":
        customer, method = id_of(seen.customer), id_of(seen.payment_method)
        if customer is None or method is None:
            return None
        return SetupProven(customer_id, customer, method, seen.is_default)
    if seen.status == "canceled":
        return SetupFailed(customer_id, seen.status)
    said = outcome_of_setup(seen)
    return SetupFailed(customer_id, said.code) if isinstance(said, Declined) else None


def _tell_beyond_us(event: Event) -> None:
    """Signed, and of no shape that is published: a person looks."""
    about = without_people(msgspec.json.decode(event.data.object))
    log.error("provider.unexpected", call=event.type, reason="malformed event", answer=about)


def _bounded(body: bytes) -> bytes:
    if len(body) > BODY_MAX:
        raise ValueError("the body is too large")
    depth = 0
    for found in _STRINGS_AND_BRACKETS.finditer(body):
        token = found[0]
        depth += (token in b"[{") - (token in b"]}")
        if depth > _DEPTH_MAX:
            raise ValueError("the body is nested too deeply")
    return body


def _read(event: Event) -> tuple[Marked | None, Outcome | RefundOutcome | None]:
    reader = _READERS.get(event.type)
    if reader is None:
        return None, None
    try:
        found, outcome = reader(event.data.object)
    except (msgspec.DecodeError, UnreadableAmount):
        _tell_beyond_us(event)  # the watchdog asks the books about the payment instead
        return None, None
    if isinstance(outcome, CheckoutOpened | Unknown):
        return found, None
    return found, outcome


def _read_intent(raw: msgspec.Raw) -> Reading:
    intent = msgspec.json.decode(raw, type=Intent)
    if intent.is_from_checkout and intent.status in _UNFINISHED_ON_PAGE:
        return intent, _refused_on_page(intent)
    return intent, outcome_of(intent)


def _refused_on_page(intent: Intent) -> Declined | None:
    """A card that was refused there is told to whoever looks, and ends nothing."""
    judged = None if intent.last_payment_error is None else outcome_of(intent)
    return replace(judged, is_on_page=True) if isinstance(judged, Declined) else None


def _read_session(raw: msgspec.Raw) -> Reading:
    session = msgspec.json.decode(raw, type=Session)
    return session, outcome_of_session(session)


def _read_refund(raw: msgspec.Raw) -> Reading:
    refund = msgspec.json.decode(raw, type=Refund)
    return refund, outcome_of_refund(refund)


def _read_failed_session(raw: msgspec.Raw) -> Reading:
    session = msgspec.json.decode(raw, type=Session)
    message = "The payment was accepted at first and failed later."
    reference = id_of(session.payment_intent)
    declined = Declined(
        "async_payment_failed", message, DeclineKind.NEW_METHOD, reference, ends_page=True
    )
    return session, declined


def _kind_of(outcome: Outcome | RefundOutcome | None) -> ProviderEventKind | None:
    match outcome:
        case None:
            return None
        case RefundDone() | RefundUnderway() | RefundRefused():
            return ProviderEventKind.REFUND
        case _:
            return ProviderEventKind.PAYMENT


def _ids(found: Marked | None) -> tuple[OrgId | None, PaymentId | None, RefundId | None]:
    marks = found.marks if found else {}
    org_id, payment_id = marks.get("org_id", ""), marks.get("payment_id", "")
    refund_id = marks.get("refund_id", "")
    return (
        OrgId(org_id) if _is_id("org", org_id) else None,
        PaymentId(payment_id) if _is_id("pay", payment_id) else None,
        RefundId(refund_id) if _is_id("rfd", refund_id) else None,
    )


def _is_id(prefix: str, text: str) -> bool:
    try:
        parse_id(prefix, text=text)
    except MalformedId:
        return False
    return True


_READERS: Final[dict[str, Callable[[msgspec.Raw], Reading]]] = {
    "payment_intent.succeeded": _read_intent,
    "payment_intent.payment_failed": _read_intent,
    "payment_intent.processing": _read_intent,
    "payment_intent.requires_action": _read_intent,
    "payment_intent.canceled": _read_intent,
    "checkout.session.completed": _read_session,
    "checkout.session.expired": _read_session,
    "checkout.session.async_payment_succeeded": _read_session,
    "checkout.session.async_payment_failed": _read_failed_session,
    "refund.created": _read_refund,
    "refund.updated": _read_refund,
    "refund.failed": _read_refund,
    "charge.refund.updated": _read_refund,
}
