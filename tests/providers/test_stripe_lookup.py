"""What became of an attempt: asked from the provider's books, in the order that cannot lie."""

from datetime import timedelta
from typing import Any

import pytest
from tests.providers.scripted import (
    AMOUNT,
    NOW,
    ORG,
    PAYMENT,
    Answer,
    a_charge,
    a_checkout,
    a_lookup,
    intent,
    listed,
    marks,
    provider_of,
    refused,
    session,
)

from bursar.domain.currencies import Currency
from bursar.domain.ids import OrgId
from bursar.domain.money import Money
from bursar.domain.provider import (
    BookedCharge,
    CheckoutOpened,
    Closed,
    Declined,
    NotFound,
    Processing,
    Succeeded,
    Unknown,
)

FAILURE = {"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}
PAID = Succeeded("pi_1", AMOUNT, "pm_1")
OLD = NOW + timedelta(hours=23)
MISSING = refused(404, type="invalid_request_error", code="resource_missing")
ON_PAGE = marks("checkout")


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (intent(), Succeeded),
        (intent("processing"), Processing),
        (intent("canceled"), Closed),
        (intent("requires_payment_method", last_payment_error=FAILURE), Declined),
        (intent(metadata={}), Unknown),
        (intent(id="pi_2"), Unknown),
        (intent(amount=1), Unknown),
    ],
)
async def test_a_known_intent_is_read(found: dict[str, Any], kind: Any) -> None:
    # One GET, compared with what was asked.
    provider, wire = provider_of(Answer(found))
    assert isinstance(await provider.lookup(a_lookup(reference="pi_1")), kind)
    assert [sent.method for sent in wire.sent] == ["get"]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (session(), CheckoutOpened),
        (
            session(payment_intent=intent("requires_payment_method", metadata=ON_PAGE)),
            CheckoutOpened,
        ),
        (session(payment_intent=intent(metadata=ON_PAGE)), Succeeded),
        (session("complete", "paid", payment_intent=intent(metadata=ON_PAGE)), Succeeded),
        (session("complete", payment_intent=intent("processing", metadata=ON_PAGE)), Processing),
        (
            session("complete", payment_intent=intent("requires_payment_method", metadata=ON_PAGE)),
            Declined,
        ),
        (session("expired"), Closed),
        (session("expired", payment_intent=intent("canceled", metadata=ON_PAGE)), Closed),
        (session("complete", "no_payment_required"), Unknown),
        (session("complete", "paid", payment_intent=intent("processing")), Unknown),
        (session(id="cs_2"), Unknown),
        (session(metadata={}), Unknown),
        (session(status="new"), Unknown),
    ],
)
async def test_a_known_session_is_read_with_its_intent(found: dict[str, Any], kind: Any) -> None:
    # A failed try on an open page is not the end of the attempt; a paid intent always is.
    provider, wire = provider_of(Answer(found))
    assert isinstance(await provider.lookup(a_lookup(session_reference="cs_1")), kind)
    assert wire.sent[0].params == {"expand[0]": "payment_intent"}


async def test_a_reference_the_books_do_not_know_is_no_proof_of_absence() -> None:
    # The wrong account or mode must not let the money be taken a second time.
    for asked in (a_lookup(reference="pi_1"), a_lookup(session_reference="cs_1")):
        provider, _ = provider_of(MISSING)
        assert isinstance(await provider.lookup(asked), Unknown)


async def test_an_intent_of_a_page_is_asked_through_its_session() -> None:
    # Declined on a page that is still open: the customer may try another card.
    failed = intent("requires_payment_method", metadata=ON_PAGE)
    provider, wire = provider_of(Answer(failed), Answer(listed(session(payment_intent=failed))))
    assert isinstance(await provider.lookup(a_lookup(reference="pi_1")), CheckoutOpened)
    assert wire.sent[1].params["payment_intent"] == "pi_1"
    provider, _ = provider_of(Answer(failed), Answer(listed()))
    assert isinstance(await provider.lookup(a_lookup(reference="pi_1")), Unknown)


async def test_without_a_reference_the_same_request_goes_out_again_with_the_same_key() -> None:
    # Stripe replays the first answer, which may be stale, so the object is read as well.
    provider, wire = provider_of(Answer(intent("processing")), Answer(intent()))
    assert await provider.lookup(a_lookup(resend=a_charge())) == PAID
    resent, read = wire.sent
    assert resent.key == f"{PAYMENT}:charge"
    assert (read.method, read.path) == ("get", "/v1/payment_intents/pi_1")


async def test_a_replayed_session_is_read_as_it_is_now() -> None:
    # Opened then, paid since.
    paid = session("complete", "paid", payment_intent=intent(metadata=ON_PAGE))
    provider, wire = provider_of(Answer(session()), Answer(paid))
    assert await provider.lookup(a_lookup(resend=a_checkout())) == PAID
    assert wire.sent[0].key == f"{PAYMENT}:checkout"
    assert wire.sent[1].path == "/v1/checkout/sessions/cs_1"


@pytest.mark.parametrize(
    "first",
    [
        refused(500, type="api_error"),
        refused(400, type="idempotency_error"),
        refused(409, type="invalid_request_error"),
        refused(400, type="invalid_request_error", code="resource_missing", param="payment_method"),
    ],
)
async def test_a_resend_that_tells_nothing_is_followed_by_the_list(first: Answer) -> None:
    # A stored 500, another spelling of the request, a method gone since: the books still know.
    provider, wire = provider_of(first, Answer(listed(intent())))
    assert await provider.lookup(a_lookup(resend=a_charge())) == PAID
    assert wire.sent[1].params["customer"] == "cus_1"


async def test_a_method_that_is_gone_does_not_hide_a_charge_that_was_made() -> None:
    # No default method now says nothing about the charge that was sent when there was one.
    bare = Answer({"id": "cus_1", "object": "customer", "invoice_settings": {}})
    provider, _ = provider_of(bare, Answer(listed(intent())))
    assert await provider.lookup(a_lookup(resend=a_charge(method_reference=None))) == PAID


async def test_an_unknown_resend_and_an_empty_list_stay_unknown() -> None:
    # While the key lives the first request may still be on its way: absence proves nothing.
    empty = Answer(listed())
    provider, _ = provider_of(refused(500, type="api_error"), empty, empty)
    assert isinstance(await provider.lookup(a_lookup(resend=a_charge())), Unknown)


async def test_after_23_hours_nothing_is_ever_sent_again() -> None:
    # The key may be forgotten: the books are listed, by customer and time, and nothing is posted.
    empty = Answer(listed())
    provider, wire = provider_of(empty, empty)
    asked = a_lookup(resend=a_charge(), now=OLD)
    assert await provider.lookup(asked) == NotFound()
    assert {sent.method for sent in wire.sent} == {"get"}
    window = wire.sent[0].params
    assert int(window["created[gte]"]) <= int(NOW.timestamp()) - 300
    assert int(window["created[lte]"]) >= int((NOW + timedelta(hours=24)).timestamp())
    assert "search" not in wire.sent[0].path


async def test_the_list_is_matched_by_our_marks_over_all_pages() -> None:
    # The payment's own intent is found on the second page among the customer's others.
    others = [intent(id=f"pi_{n}", metadata=marks(payment_id="pay_other")) for n in range(2, 5)]
    provider, wire = provider_of(
        Answer(listed(*others, has_more=True)), Answer(listed(others[0], intent()))
    )
    assert await provider.lookup(a_lookup(now=OLD)) == PAID
    assert wire.sent[1].params["starting_after"] == "pi_4"


async def test_of_several_objects_the_one_with_money_speaks() -> None:
    # A canceled and a paid intent of one payment: paid.
    provider, _ = provider_of(Answer(listed(intent("canceled", id="pi_2"), intent())))
    assert await provider.lookup(a_lookup(now=OLD)) == PAID


async def test_a_listed_object_with_another_amount_is_held() -> None:
    # Our mark on another amount is a mismatch, not an absence.
    provider, _ = provider_of(Answer(listed(intent(amount=1))))
    assert isinstance(await provider.lookup(a_lookup(now=OLD)), Unknown)


async def test_a_checkout_is_found_by_listing_sessions() -> None:
    # A page nobody used has no intent, so the sessions are listed.
    asked = a_lookup(resend=a_checkout(), now=OLD)
    provider, wire = provider_of(Answer(listed(session("expired"))))
    assert await provider.lookup(asked) == Closed(None)
    assert wire.sent[0].path == "/v1/checkout/sessions"


async def test_a_listing_without_end_is_unknown() -> None:
    # Half a listing is no answer.
    page = Answer(listed(intent(metadata={}), has_more=True))
    provider, _ = provider_of(*[page] * 101)
    assert isinstance(await provider.lookup(a_lookup(now=OLD)), Unknown)


def charge(**changes: object) -> dict[str, object]:
    parts: dict[str, object] = {
        "id": "ch_1",
        "object": "charge",
        "status": "succeeded",
        "captured": True,
        "currency": "usd",
        "amount_captured": 2_000,
        "amount_refunded": 500,
        "metadata": marks(),
        "payment_intent": "pi_1",
    }
    return parts | changes


async def test_booked_charges_are_the_organizations_own_and_succeeded() -> None:
    # Another organization's, a failed and an uncaptured charge are left out.
    others = [
        charge(id="ch_2", metadata=marks(org_id="org_other")),
        charge(id="ch_3", status="failed"),
        charge(id="ch_4", captured=False),
        charge(id="ch_5", metadata={}),
    ]
    provider, wire = provider_of(Answer(listed(*others, has_more=True)), Answer(listed(charge())))
    usd = Currency("usd")
    booked = BookedCharge("pi_1", PAYMENT, ORG, Money(2_000, usd), Money(500, usd))
    assert await provider.booked_charges(ORG) == (booked,)
    assert wire.sent[1].params["starting_after"] == "ch_5"


async def test_books_that_cannot_be_read_are_unknown() -> None:
    # An outage in the middle gives no half of the books.
    page = Answer(listed(charge(), has_more=True))
    provider, _ = provider_of(page, refused(500, type="api_error"))
    assert isinstance(await provider.booked_charges(OrgId("org_x")), Unknown)
