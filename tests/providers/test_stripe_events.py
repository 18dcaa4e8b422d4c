"""Events as they must never trouble us: malformed, enormous, unmarked, of unknown types."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.providers.scripted import (
    AMOUNT,
    CUSTOMER,
    NOW,
    ORG,
    PAYMENT,
    SECRET,
    intent,
    marks,
    provider_of,
    session,
)

from bursar.domain.provider import (
    ActionRequired,
    BadSignature,
    Closed,
    Declined,
    Processing,
    ProviderEvent,
    ProviderEventKind,
    SetupFailed,
    SetupProven,
    Succeeded,
)
from bursar.providers.stripe.signatures import sign
from bursar.runtime.redaction import MASK

CREATED = 1_780_000_000
ACTION = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example"}}
FAILURE = {"type": "card_error", "code": "expired_card"}
ON_PAGE = marks("checkout")
PROVEN = SetupProven(CUSTOMER, "cus_1", "pm_1", is_default=True)


def setup(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "id": "seti_1",
        "object": "setup_intent",
        "status": status,
        "customer": "cus_1",
        "payment_method": "pm_1",
        "metadata": {"org_id": ORG, "customer_id": CUSTOMER, "is_default": "yes"},
    }
    return parts | changes


def an_event(kind: str, what: Any, **changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": CREATED,
        "livemode": False,
        "data": {"object": what},
    }
    return parts | changes


def heard(content: Any) -> ProviderEvent:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    provider, _ = provider_of()
    return provider.read_event(body, sign(body, SECRET, NOW), NOW)


@pytest.mark.parametrize(
    ("kind", "what", "outcome"),
    [
        ("payment_intent.succeeded", intent(), Succeeded("pi_1", AMOUNT, "pm_1")),
        ("payment_intent.processing", intent("processing"), Processing("pi_1")),
        ("payment_intent.canceled", intent("canceled"), Closed("pi_1")),
        (
            "payment_intent.requires_action",
            intent("requires_action", next_action=ACTION),
            ActionRequired("pi_1", "https://bank.example"),
        ),
        (
            "checkout.session.completed",
            session("complete", "paid", payment_intent="pi_1", metadata=ON_PAGE),
            Succeeded("pi_1", AMOUNT),
        ),
        (
            "checkout.session.completed",
            session("complete", "unpaid", payment_intent="pi_1", metadata=ON_PAGE),
            Processing("pi_1"),
        ),
        (
            "checkout.session.async_payment_succeeded",
            session("complete", "paid", payment_intent="pi_1", metadata=ON_PAGE),
            Succeeded("pi_1", AMOUNT),
        ),
        ("checkout.session.expired", session("expired", metadata=ON_PAGE), Closed(None)),
    ],
)
def test_each_event_of_a_payment_has_one_meaning(kind: str, what: Any, outcome: Any) -> None:
    # In our words, for the payment and organization its marks name.
    event = heard(an_event(kind, what))
    assert (event.kind, event.outcome) == (ProviderEventKind.PAYMENT, outcome)
    assert (event.org_id, event.payment_id) == (ORG, PAYMENT)
    assert event.occurred_at == datetime.fromtimestamp(CREATED, tz=UTC)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (
            "payment_intent.payment_failed",
            intent("requires_payment_method", last_payment_error=FAILURE),
        ),
        (
            "checkout.session.async_payment_failed",
            session("complete", "unpaid", payment_intent="pi_1"),
        ),
    ],
)
def test_a_failure_is_a_decline(kind: str, what: Any) -> None:
    # For a charge at once, for a page only after it was completed.
    outcome = heard(an_event(kind, what)).outcome
    assert isinstance(outcome, Declined)
    assert outcome.reference == "pi_1"


@pytest.mark.parametrize(
    ("kind", "what", "told"),
    [
        (
            "setup_intent.succeeded",
            setup(),
            PROVEN,
        ),
        (
            "setup_intent.succeeded",
            setup(metadata={"org_id": ORG, "customer_id": CUSTOMER, "is_default": "no"}),
            SetupProven(CUSTOMER, "cus_1", "pm_1", is_default=False),
        ),
        (
            "setup_intent.setup_failed",
            setup("requires_payment_method", last_setup_error=FAILURE),
            SetupFailed(CUSTOMER, "expired_card"),
        ),
        ("setup_intent.canceled", setup("canceled"), SetupFailed(CUSTOMER, "canceled")),
    ],
)
def test_each_event_of_a_setup_has_one_meaning(kind: str, what: Any, told: Any) -> None:
    # It names the customer and the organization by its marks, and the method where one was proven.
    event = heard(an_event(kind, what))
    assert (event.kind, event.outcome) == (ProviderEventKind.SETUP, told)
    assert (event.org_id, event.payment_id) == (ORG, None)


def test_a_card_that_is_refused_on_a_page_says_why_and_ends_nothing() -> None:
    # The page takes another card: whoever settles it notes the reason and no more.
    refused = intent("requires_payment_method", metadata=ON_PAGE, last_payment_error=FAILURE)
    outcome = heard(an_event("payment_intent.payment_failed", refused)).outcome
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.is_on_page) == ("expired_card", True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("customer.created", {"id": "cus_1"}),
        ("charge.refunded", {}),
        ("met.by.nobody", None),
        ("payment_intent.succeeded", intent(metadata={})),
        ("payment_intent.succeeded", intent(metadata=marks(payment_id="1 OR 1=1"))),
        ("payment_intent.succeeded", intent(metadata=marks(org_id=PAYMENT))),
        ("payment_intent.succeeded", intent(amount_received="2000")),
        ("payment_intent.succeeded", intent(currency="xxx")),
        ("payment_intent.succeeded", "pi_1"),
        ("payment_intent.succeeded", intent("a_new_status")),
        (
            "payment_intent.payment_failed",
            intent("requires_payment_method", metadata=ON_PAGE),
        ),
        (
            "payment_intent.requires_action",
            intent("requires_action", metadata=ON_PAGE, next_action=ACTION),
        ),
        ("setup_intent.succeeded", setup(metadata={})),
        ("setup_intent.succeeded", setup(metadata={"org_id": CUSTOMER, "customer_id": CUSTOMER})),
        ("setup_intent.succeeded", setup(metadata={"org_id": ORG, "customer_id": "1 OR 1=1"})),
        ("setup_intent.succeeded", setup(customer=None)),
        ("setup_intent.succeeded", setup(payment_method=None)),
        ("setup_intent.succeeded", setup("a_new_status")),
        ("setup_intent.canceled", "seti_1"),
        ("setup_intent.requires_action", setup("requires_action", next_action=ACTION)),
        ("checkout.session.completed", session("open")),
        ("checkout.session.completed", session("complete", "no_payment_required")),
    ],
)
def test_what_says_nothing_final_is_kept_and_does_nothing(kind: str, what: Any) -> None:
    # Unknown types, strangers' objects, shapes we cannot read, tries on a page that is open.
    event = heard(an_event(kind, what))
    assert (event.event_id, event.type) == ("evt_1", kind)
    assert (event.kind, event.outcome) == (ProviderEventKind.OTHER, None)


@pytest.mark.parametrize(
    "kind", ["payment_intent.succeeded", "charge.dispute.created", "setup_intent.succeeded"]
)
def test_a_shape_that_nobody_published_is_logged_whole(kind: str) -> None:
    # Signed and beyond us: kept or let go, and a person looks at all of it but the people in it.
    about = {"id": 7, "billing_details": {"email": "ada@example.com"}, "rest": ["x"]}
    with capture_logs() as lines:
        assert heard(an_event(kind, about)).outcome is None
    (line,) = lines
    assert (line["event"], line["call"]) == ("provider.unexpected", kind)
    assert line["answer"] == {**about, "billing_details": MASK}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe{}",
        b'{"id":"evt_1"}',
        json.dumps(an_event("x", {}, id="")).encode(),
        json.dumps(an_event("x", {}, id="e" * 256)).encode(),
        json.dumps(an_event("x", {}, id=1)).encode(),
        json.dumps(an_event("", {})).encode(),
        json.dumps(an_event("x", {}, created="1")).encode(),
        json.dumps(an_event("x", {}, created=10**18)).encode(),
        json.dumps(an_event("x", {}, livemode="false")).encode(),
        json.dumps(an_event("x", {}, data=[])).encode(),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        json.dumps(an_event("x", {"text": "y" * 1024 * 1024})).encode(),
        json.dumps(an_event("x", json.loads("[" * 19 + "]" * 19))).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    # Signed or not, it cannot be Stripe's; refused without an exception of another kind.
    with pytest.raises(BadSignature):
        heard(body)


def test_brackets_inside_texts_do_not_count_as_depth() -> None:
    # A description full of brackets is an ordinary text.
    event = heard(an_event("x", {"text": '[{"\\' * 1_000}))
    assert event.type == "x"


def test_live_and_test_mode_are_told_apart() -> None:
    # The caller compares it with the organization's mode.
    assert heard(an_event("x", {}, livemode=True)).is_live
    assert not heard(an_event("x", {})).is_live
