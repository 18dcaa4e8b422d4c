"""A payment's six events in every order, in time or a month late: the same end, and booked once.

They are read as they come by wire, and settled without a database: nothing else decides.
"""

import json
from datetime import timedelta
from itertools import permutations
from math import factorial
from typing import Any, Final, cast

import pytest
from tests.domain.nouns import AT, an_attempt, an_open_invoice, an_open_page, told
from tests.providers.scripted import NOW, SECRET, intent, marks, provider_of, session

from bursar.domain.frozen import replace
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.ledger import Posting
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.provider import LookupOutcome
from bursar.domain.times import Instant
from bursar.providers.stripe.signatures import sign

SIX: Final = 6
ON_PAGE: Final = marks("checkout")
INVOICE: Final = an_open_invoice(2_000)
CHARGE: Final = an_attempt(INVOICE)
PAGE: Final = an_open_page(INVOICE)
ACTION: Final = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example"}}

Told = tuple[str, dict[str, Any]]


def step(kind: str, status: str, *, is_on_page: bool = True, **changes: Any) -> Told:
    """What happened to the intent, on a hosted page or without one."""
    about = {"metadata": ON_PAGE} if is_on_page else {}
    return f"payment_intent.{kind}", intent(status, **about, **changes)


def refused(code: str, *, is_on_page: bool = True) -> Told:
    error = {"type": "card_error", "code": code}
    return step(
        "payment_failed", "requires_payment_method", is_on_page=is_on_page, last_payment_error=error
    )


def page(kind: str, status: str, payment_status: str = "unpaid", **changes: Any) -> Told:
    """What happened to the session."""
    return f"checkout.session.{kind}", session(status, payment_status, **changes)


ASKED: Final = step("requires_action", "requires_action", next_action=ACTION)
BORN: Final = step("created", "requires_payment_method")
DONE: Final = step("succeeded", "succeeded")
UNDERWAY: Final = step("processing", "processing")
AWAITED: Final = page("completed", "complete", payment_intent="pi_1")

FLOWS: Final[dict[str, tuple[Payment, tuple[Told, ...]]]] = {
    "a charge with 3-D Secure, refused once": (
        CHARGE,
        (
            step("created", "requires_payment_method", is_on_page=False),
            step("requires_action", "requires_action", is_on_page=False, next_action=ACTION),
            step("processing", "processing", is_on_page=False),
            refused("card_declined", is_on_page=False),
            step("succeeded", "succeeded", is_on_page=False),
            ("charge.succeeded", {"id": "ch_1", "object": "charge", "metadata": marks()}),
        ),
    ),
    "a page, paid by the second card": (
        PAGE,
        (
            BORN,
            refused("expired_card"),
            ASKED,
            UNDERWAY,
            DONE,
            page("completed", "complete", "paid", payment_intent="pi_1"),
        ),
    ),
    "a page, paid by a bank that takes days": (
        PAGE,
        (
            refused("expired_card"),
            ASKED,
            UNDERWAY,
            AWAITED,
            page("async_payment_succeeded", "complete", "paid", payment_intent="pi_1"),
            DONE,
        ),
    ),
    "a page, and a bank that refuses in the end": (
        PAGE,
        (
            refused("expired_card"),
            ASKED,
            UNDERWAY,
            AWAITED,
            page("async_payment_failed", "complete", payment_intent="pi_1"),
            refused("insufficient_funds"),
        ),
    ),
    "a page that nobody pays on": (
        PAGE,
        (
            BORN,
            refused("expired_card"),
            refused("card_declined"),
            ASKED,
            page("expired", "expired"),
            step("canceled", "canceled"),
        ),
    ),
}
PAID: Final = ("payment.succeeded", "invoice.paid")


def heard(kind: str, about: dict[str, Any]) -> LookupOutcome | None:
    """What one event says, after its signature was looked at."""
    event = {"id": "evt_1", "object": "event", "type": kind, "created": 1_780_000_000}
    body = json.dumps({**event, "livemode": False, "data": {"object": about}}).encode()
    provider, _ = provider_of()
    outcome = provider.read_event(body, sign(body, SECRET, NOW), NOW).outcome
    return cast("LookupOutcome | None", outcome)  # none is of a refund, a dispute or a setup


def ended(
    payment: Payment, answers: tuple[LookupOutcome | None, ...], at: Instant
) -> tuple[Payment, Invoice, tuple[Posting, ...], tuple[str, ...]]:
    """Where payment, invoice and books are after these, and what was told of money."""
    invoice: Invoice = INVOICE
    postings: tuple[Posting, ...] = ()
    facts: list[str] = []
    for answer in answers:
        change = None if answer is None else payment.settle(invoice, answer, at)
        if change is None:
            continue
        for row in change.rows:
            if isinstance(row, Payment):
                payment = row
            if isinstance(row, Invoice):
                invoice = row
        postings += change.postings
        facts += told(change)
    of_money = tuple(fact for fact in facts if fact in PAID)
    return replace(payment, version=0), invoice, postings, of_money


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=30)], ids=["in time", "late"])
@pytest.mark.parametrize("flow", FLOWS)
def test_all_orders_of_six_events_end_alike(flow: str, late: timedelta) -> None:
    # 720 orders: one state, one set of bookings, and money told once or never.
    payment, events = FLOWS[flow]
    answers = [heard(*event) for event in events]
    assert len(answers) == SIX
    orders = [*permutations(answers)]
    assert len(orders) == factorial(SIX)
    expected = ended(payment, orders[0], AT + late)
    assert sum(ended(payment, order, AT + late) != expected for order in orders) == 0
    after, invoice, postings, facts = expected
    if any(kind == "payment_intent.succeeded" for kind, _ in events):
        assert (after.status, invoice.status) == (PaymentStatus.SUCCEEDED, InvoiceStatus.PAID)
        assert (len(postings), facts) == (1, PAID)
    else:
        assert (after.status, invoice.status) == (PaymentStatus.FAILED, InvoiceStatus.OPEN)
        assert (postings, facts) == ((), ())
