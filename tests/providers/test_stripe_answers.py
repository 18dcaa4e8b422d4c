"""What the adapter makes of every answer: outcomes, never exceptions, and only believed ones."""

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.providers.scripted import (
    AMOUNT,
    BROKEN,
    CUSTOMER,
    HANGING,
    INVOICE,
    ORG,
    PAYMENT,
    Answer,
    a_charge,
    a_checkout,
    a_customer,
    a_lookup,
    a_setup,
    intent,
    marks,
    provider_of,
    refused,
    session,
)

from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.provider import (
    ActionRequired,
    CheckoutOpened,
    Closed,
    Declined,
    DeclineKind,
    Linked,
    MethodAttached,
    MethodFace,
    Processing,
    Succeeded,
    Unknown,
)
from bursar.providers.guard import PAYMENT_PROVIDER, CircuitBreaker, GuardedProvider
from bursar.runtime.redaction import MASK

ACTION = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/3ds"}}
DECLINE = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (intent(), Succeeded("pi_1", AMOUNT, "pm_1")),
        (intent(payment_method={"id": "pm_2"}), Succeeded("pi_1", AMOUNT, "pm_2")),
        (intent("processing"), Processing("pi_1")),
        (intent("canceled"), Closed("pi_1")),
        (
            intent("requires_action", next_action=ACTION),
            ActionRequired("pi_1", "https://bank.example/3ds"),
        ),
    ],
)
async def test_an_intents_status_becomes_an_outcome(answer: Any, outcome: Any) -> None:
    # Each status that the SDK may answer with 200 has one meaning.
    provider, _ = provider_of(Answer(answer))
    assert await provider.charge(a_charge()) == outcome


async def test_a_charge_is_keyed_and_marked_by_our_ids() -> None:
    # The key is a function of the payment's id; organization, payment and invoice are in the marks.
    provider, wire = provider_of(Answer(intent()), Answer(intent()))
    await provider.charge(a_charge())
    await provider.charge(a_charge())
    first, second = wire.sent
    assert first.key == second.key == f"{PAYMENT}:charge"
    assert first.params == second.params
    assert first.path == "/v1/payment_intents"
    wanted = {
        "amount": "2000",
        "currency": "usd",
        "confirm": "true",
        "off_session": "true",
        "customer": "cus_1",
        "payment_method": "pm_1",
        "metadata[org_id]": ORG,
        "metadata[payment_id]": PAYMENT,
        "metadata[invoice_id]": INVOICE,
    }
    assert wanted.items() <= first.params.items()


async def test_a_checkout_is_keyed_and_marked_by_our_ids() -> None:
    # The intent behind the page carries the marks too, or its events would be nobody's.
    provider, wire = provider_of(Answer(session()))
    opened = await provider.open_checkout(a_checkout())
    assert isinstance(opened, CheckoutOpened)
    assert opened.reference == "cs_1"
    assert opened.url == "https://pay.example/cs_1"
    (sent,) = wire.sent
    assert sent.key == f"{PAYMENT}:checkout"
    wanted = {
        "mode": "payment",
        "client_reference_id": PAYMENT,
        "line_items[0][price_data][unit_amount]": "2000",
        "payment_intent_data[metadata][payment_id]": PAYMENT,
        "metadata[org_id]": ORG,
        "adaptive_pricing[enabled]": "false",
    }
    assert wanted.items() <= sent.params.items()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, DeclineKind.RETRY),
        ({"code": "card_declined", "decline_code": "generic_decline"}, DeclineKind.RETRY),
        ({"code": "expired_card", "decline_code": "expired_card"}, DeclineKind.NEW_METHOD),
        ({"code": "incorrect_cvc"}, DeclineKind.NEW_METHOD),
        ({"code": "card_declined", "decline_code": "lost_card"}, DeclineKind.NEVER),
        ({"code": "card_declined", "decline_code": "stolen_card"}, DeclineKind.NEVER),
        ({"code": "card_declined", "decline_code": "fraudulent"}, DeclineKind.NEVER),
        ({"code": "authentication_required"}, DeclineKind.AUTHENTICATION),
        ({"code": "card_declined", "decline_code": "met_by_nobody"}, DeclineKind.RETRY),
        (
            {
                "code": "card_declined",
                "decline_code": "insufficient_funds",
                "advice_code": "do_not_try_again",
            },
            DeclineKind.NEVER,
        ),
        (
            {
                "code": "card_declined",
                "decline_code": "generic_decline",
                "advice_code": "confirm_card_data",
            },
            DeclineKind.NEW_METHOD,
        ),
    ],
)
async def test_a_refused_card_is_an_answer(error: dict[str, Any], kind: Any) -> None:
    # The issuer's code is kept, and decides what retrying may do.
    failed = intent("requires_payment_method")
    provider, _ = provider_of(refused(**error, payment_intent=failed))
    outcome = await provider.charge(a_charge())
    code = error.get("decline_code") or error["code"]
    assert outcome == Declined(code, "No.", kind, "pi_1")


async def test_a_card_error_over_a_living_intent_is_what_the_intent_is() -> None:
    # An error whose intent still waits for the cardholder is no decline.
    waiting = intent("requires_action", next_action=ACTION)
    provider, _ = provider_of(refused(code="authentication_required", payment_intent=waiting))
    assert await provider.charge(a_charge()) == ActionRequired("pi_1", "https://bank.example/3ds")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "resource_missing", "param": "payment_method"}, DeclineKind.NEW_METHOD),
        ({"code": "resource_missing", "param": "customer"}, DeclineKind.NEVER),
        ({"code": "amount_too_small", "param": "amount"}, DeclineKind.NEVER),
        ({}, DeclineKind.NEVER),
    ],
)
async def test_a_request_found_invalid_had_no_effect(error: dict[str, Any], kind: Any) -> None:
    # 400 means that nothing happened and nothing will: declined, not unknown.
    provider, _ = provider_of(refused(400, **{"type": "invalid_request_error", **error}))
    outcome = await provider.charge(a_charge())
    assert isinstance(outcome, Declined)
    assert outcome.kind is kind


@pytest.mark.parametrize(
    ("answer", "is_outage"),
    [
        (refused(500, type="api_error"), True),
        (refused(503, type="api_error"), True),
        (Answer(b"<html>bad gateway</html>", 502), True),
        (Answer(b"", 504), True),
        (BROKEN, True),
        (refused(429, type="rate_limit_error"), False),
        (refused(400, type="idempotency_error"), False),
        (refused(409, type="invalid_request_error", code="idempotency_key_in_use"), False),
        (refused(401, type="invalid_request_error"), False),
        (refused(403, type="invalid_request_error"), False),
        (Answer(b"not json"), False),
        (Answer(b"\xff\xfe"), False),
        (Answer([]), False),
        (Answer("text"), False),
        (Answer(None), False),
        (Answer({}), False),
        (Answer({"error": "text"}, 402), False),
        (Answer({"error": []}, 402), False),
        (Answer({"error": {"type": 5}}, 402), False),
        (Answer({"id": "pi_1"}), False),
        (Answer(intent() | {"amount": "2000"}), False),
        (Answer(intent() | {"amount": 2000.5}), False),
        (Answer(intent() | {"metadata": "x"}), False),
        (Answer(intent() | {"status": None}), False),
        (Answer(intent("a_new_status")), False),
        (Answer(intent("requires_capture")), False),
        (Answer(intent("requires_action")), False),
        (Answer(intent("requires_action", next_action={"type": "use_stripe_sdk"})), False),
        (Answer({"object": "list", "data": []}), False),
        (Answer(b"{}", 302, {"Location": "https://elsewhere.example"}), False),
    ],
)
async def test_what_cannot_be_trusted_is_unknown(answer: Any, is_outage: bool) -> None:
    # Money may or may not have moved, and no exception leaves the adapter.
    provider, _ = provider_of(answer)
    outcome = await provider.charge(a_charge())
    assert isinstance(outcome, Unknown)
    assert outcome.is_outage is is_outage


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("999999", 3_600), ("9" * 300, 3_600), ("-5", 1), ("x", 1)]
)
async def test_a_rate_limit_names_when_to_come_back(header: str, seconds: int) -> None:
    # The provider's wish is kept, within bounds.
    busy = Answer({"error": {"type": "rate_limit"}}, 429, {"Retry-After": header})
    provider, _ = provider_of(busy)
    outcome = await provider.charge(a_charge())
    assert outcome == Unknown("rate limited", seconds, is_outage=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": marks(payment_id="pay_01900000-0000-7000-8000-0000000000ff")},
        {"metadata": marks(org_id="org_01900000-0000-7000-8000-0000000000ff")},
        {"metadata": {}},
        {"metadata": None},
        {"amount": 1_999, "amount_received": 1_999},
        {"amount_received": 1_999},
        {"currency": "eur"},
        {"currency": "xxx"},
    ],
)
async def test_another_payments_object_is_never_believed(changes: dict[str, Any]) -> None:
    # A success with another id, amount or currency is held as unknown, for a person to look at.
    provider, _ = provider_of(Answer(intent(**changes)))
    outcome = await provider.charge(a_charge())
    assert isinstance(outcome, Unknown)
    assert not outcome.is_outage


@pytest.mark.parametrize("changes", [{"amount_total": 1}, {"currency": "eur"}, {"metadata": {}}])
async def test_another_payments_session_is_never_believed(changes: dict[str, Any]) -> None:
    # Nobody is sent to a page that asks for another amount.
    provider, _ = provider_of(Answer(session(**changes)))
    assert isinstance(await provider.open_checkout(a_checkout()), Unknown)


async def test_a_wrong_decline_is_not_believed_either() -> None:
    # A decline of somebody else's payment says nothing about ours.
    foreign = intent("requires_payment_method", metadata=marks(payment_id="pay_x"))
    provider, _ = provider_of(refused(code="card_declined", payment_intent=foreign))
    assert isinstance(await provider.charge(a_charge()), Unknown)


async def test_an_amount_the_provider_cannot_carry_is_refused_before_it_is_sent() -> None:
    # Nothing goes out, and the answer says so.
    provider, wire = provider_of()
    outcome = await provider.charge(a_charge(amount=Money(5_124, Currency("kwd"))))
    assert isinstance(outcome, Declined)
    assert outcome.code == "amount_not_supported"
    assert wire.sent == []


async def test_the_default_method_is_charged_when_none_is_named() -> None:
    # The customer's own default, asked from the provider, or a decline when there is none.
    defaults = {"default_payment_method": "pm_9"}
    customer = {"id": "cus_1", "object": "customer", "invoice_settings": defaults}
    provider, wire = provider_of(Answer(customer), Answer(intent()))
    assert isinstance(await provider.charge(a_charge(method_reference=None)), Succeeded)
    assert wire.sent[1].params["payment_method"] == "pm_9"
    bare = {"id": "cus_1", "object": "customer", "invoice_settings": {}}
    provider, wire = provider_of(Answer(bare))
    outcome = await provider.charge(a_charge(method_reference=None))
    assert isinstance(outcome, Declined)
    assert outcome.kind is DeclineKind.NEW_METHOD
    assert len(wire.sent) == 1


async def test_a_customer_is_created_under_its_own_id_and_found_again() -> None:
    # What is sent under the key is constant; name and address follow in an update.
    ours = {"org_id": ORG, "customer_id": CUSTOMER}
    known = Answer({"id": "cus_7", "object": "customer", "metadata": ours})
    provider, wire = provider_of(known, known)
    assert await provider.ensure_customer(a_customer()) == Linked("cus_7")
    created, updated = wire.sent
    assert created.key == CUSTOMER
    assert "email" not in created.params
    assert updated.path == "/v1/customers/cus_7"
    assert updated.params["email"] == "ada@example.com"
    provider, wire = provider_of(known)
    assert await provider.ensure_customer(a_customer(reference="cus_7")) == Linked("cus_7")
    assert len(wire.sent) == 1


async def test_another_customers_answer_is_never_believed() -> None:
    # A line that gives answers to the wrong question links nobody and charges nobody's card.
    other = {"id": "cus_8", "object": "customer", "metadata": {"customer_id": "cust_other"}}
    provider, wire = provider_of(Answer(other))
    assert isinstance(await provider.ensure_customer(a_customer()), Unknown)
    assert len(wire.sent) == 1
    provider, _ = provider_of(Answer(other))
    assert isinstance(await provider.ensure_customer(a_customer(reference="cus_7")), Unknown)
    card = {"id": "pm_8", "object": "payment_method", "type": "card", "customer": "cus_8"}
    provider, wire = provider_of(Answer(card))
    assert isinstance(await provider.attach_method("cus_1", token="pm_card_visa"), Unknown)
    assert len(wire.sent) == 1
    provider, wire = provider_of(Answer(other))
    assert isinstance(await provider.charge(a_charge(method_reference=None)), Unknown)
    assert len(wire.sent) == 1


async def test_a_method_is_attached_and_made_the_default() -> None:
    # The stored method's id, not the token's, is what later charges name.
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
    kind = {"object": "payment_method", "type": "card", "customer": "cus_1"}
    body = {"id": "pm_real", **kind, "card": card}
    attached = Answer(body)
    updated = Answer({"id": "cus_1", "object": "customer"})
    provider, wire = provider_of(attached, updated)
    kept = await provider.attach_method("cus_1", token="pm_card_visa")
    assert kept == MethodAttached("pm_real", MethodFace("card", "visa", "4242", 12, 2034))
    default = wire.sent[1].params["invoice_settings[default_payment_method]"]
    assert default == "pm_real"
    provider, _ = provider_of(refused(code="card_declined", decline_code="expired_card"))
    assert isinstance(await provider.attach_method("cus_1", token="pm_x"), Declined)


async def test_another_customers_proof_is_never_believed() -> None:
    # A setup of somebody else keeps nothing; nor does a proven one whose card is somebody else's.
    proof: dict[str, Any] = {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "succeeded",
        "customer": "cus_1",
    }
    proof |= {"payment_method": "pm_1", "metadata": {"org_id": ORG}}
    for wrong in ({"customer": "cus_8"}, {"metadata": {"org_id": "org_other"}}):
        provider, wire = provider_of(Answer(proof | wrong))
        assert isinstance(await provider.set_up_method(a_setup()), Unknown)
        assert len(wire.sent) == 1
    card = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": "cus_8"}
    provider, wire = provider_of(Answer(proof), Answer(card))
    assert isinstance(await provider.set_up_method(a_setup()), Unknown)
    assert len(wire.sent) == 2


async def test_an_unknown_state_of_a_setup_is_held() -> None:
    # A status that nobody published is no answer; one that waits is read again, as it is now.
    waits: dict[str, Any] = {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "processing",
        "customer": "cus_1",
    }
    waits |= {"metadata": {"org_id": ORG}}
    provider, wire = provider_of(Answer(waits), Answer(waits))
    said = await provider.set_up_method(a_setup())
    assert said == Unknown("unexpected setup status processing", is_outage=False)
    assert [each.method for each in wire.sent] == ["post", "get"]


def told(lines: list[Any]) -> list[tuple[Any, Any]]:
    """Why each answer was held, and what it was."""
    held = [each for each in lines if each["event"] == "provider.unexpected"]
    return [(each["reason"], each["answer"]) for each in held]


@pytest.mark.parametrize(
    ("answer", "reason", "shown"),
    [
        (
            intent(amount="2000", receipt_email="ada@example.com", new={"name": "Ada", "n": [1]}),
            "malformed answer: ValidationError",
            intent(amount="2000", receipt_email=MASK, new={"name": MASK, "n": [1]}),
        ),
        (intent("teleported"), "unexpected intent status teleported", intent("teleported")),
        (intent(currency="eur"), "mismatch: currency", intent(currency="eur")),
        (b"not json", "malformed answer: no JSON", "not json"),
        ({"error": {"type": 5}}, "malformed card error", {"error": {"type": 5}}),
    ],
)
async def test_what_is_held_is_logged_whole(answer: Any, reason: str, shown: Any) -> None:
    # Every field as it came, for whoever has to judge it, but nobody's name or address.
    status = 402 if isinstance(answer, dict) and "error" in answer else 200
    inner, _ = provider_of(Answer(answer, status), Answer(intent()))
    guard = GuardedProvider(inner, CircuitBreaker(PAYMENT_PROVIDER, time.monotonic))
    with capture_logs() as lines:
        assert isinstance(await guard.charge(a_charge()), Unknown)
        assert isinstance(await guard.charge(a_charge()), Succeeded)
    assert told(lines) == [(reason, shown)]


async def test_a_hanging_provider_is_given_up() -> None:
    # The total deadline covers every call of a method.
    provider, _ = provider_of(HANGING, HANGING)
    async with asyncio.timeout(10):
        assert await provider.charge(a_charge()) == Unknown("timeout")
        assert await provider.lookup(a_lookup(reference="pi_1")) == Unknown("timeout")


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([Answer(session("expired"))], Closed(None)),
        (
            [
                refused(400, type="invalid_request_error"),
                Answer(session("complete", "paid", payment_intent=intent())),
            ],
            Succeeded("pi_1", AMOUNT, "pm_1"),
        ),
        (
            [
                refused(400, type="invalid_request_error"),
                Answer(session("complete", "unpaid", payment_intent=intent("processing"))),
            ],
            Processing("pi_1"),
        ),
        ([refused(400, type="invalid_request_error"), Answer(session("expired"))], Closed(None)),
    ],
)
async def test_closing_a_session_tells_what_happened_instead(
    answers: list[Answer], outcome: Any
) -> None:
    # Expired by us, expired before, or paid in the meantime.
    provider, _ = provider_of(*answers)
    assert await provider.close_checkout("cs_1") == outcome


@pytest.mark.parametrize(
    "answers",
    [
        [refused(400, type="invalid_request_error"), Answer(session())],
        [refused(404, type="invalid_request_error", code="resource_missing")] * 2,
        [Answer(session("expired", id="cs_2"))],
        [refused(500, type="api_error")],
    ],
)
async def test_a_session_that_may_be_open_is_not_closed(answers: list[Answer]) -> None:
    # Only a session known to be over lets another attempt begin.
    provider, _ = provider_of(*answers)
    assert isinstance(await provider.close_checkout("cs_1"), Unknown)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([Answer(intent("canceled"))], Closed("pi_1")),
        ([refused(400, type="invalid_request_error"), Answer(intent())], Succeeded),
        ([refused(400, type="invalid_request_error"), Answer(intent("processing"))], Processing),
        ([refused(400, type="invalid_request_error"), Answer(intent("canceled"))], Closed),
        ([Answer(intent("canceled", id="pi_2"))], Unknown),
        ([refused(404, type="invalid_request_error")] * 2, Unknown),
    ],
)
async def test_canceling_a_charge_tells_what_happened_instead(
    answers: list[Answer], outcome: Any
) -> None:
    # Canceled, already canceled, or too late.
    provider, _ = provider_of(*answers)
    found = await provider.cancel_charge("pi_1")
    assert found == outcome if not isinstance(outcome, type) else isinstance(found, outcome)


async def test_secrets_are_not_printed() -> None:
    # A log line of an account shows neither key nor webhook secret.
    provider, _ = provider_of()
    assert "sk_test" not in repr(provider._account)
    assert "whsec" not in repr(provider._account)
