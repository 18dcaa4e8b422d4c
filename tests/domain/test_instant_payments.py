"""Payments that are over when they begin: recorded by hand, or out of the credit balance."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, USD, a_draft, an_attempt, an_invoice, an_open_invoice, the
from tests.domain.test_worked_examples import table

from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.instant_payments import record, spend_credit
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.ledger import entry_sums
from bursar.domain.money import Money
from bursar.domain.payments import Payment, PaymentMode, Receipt, ReceiptMethod, part_due
from bursar.domain.provider import Succeeded
from bursar.domain.refusals import IllegalTransition, InvalidInput, NothingToPay

DAY = AT - timedelta(days=3)
CENTS = st.integers(1, 10**12)


def by_hand(invoice: Invoice, cents: int, number: int = 1) -> Payment:
    receipt = Receipt(ReceiptMethod.CHECK, DAY, "no. 7")
    new = an_attempt(invoice, number, mode=PaymentMode.MANUAL, receipt=receipt)
    return replace(new, amount=Money(cents, USD))


def sums(change: Change) -> dict[str, int]:
    return {each.code: minor for each, minor in entry_sums(change.postings).items() if minor}


@given(CENTS, st.lists(CENTS, min_size=1, max_size=5))
def test_every_cent_pays_or_becomes_credit(due: int, parts: list[int]) -> None:
    # However it comes: the bank has all of it, the invoice takes what is due, the rest is credit.
    invoice, paid, credited = an_open_invoice(due), 0, 0
    for number, cents in enumerate(parts, 1):
        change = record(by_hand(invoice, cents, number), invoice, AT)
        payment = the(Payment, change)
        paid += (payment.amount - payment.credited).minor
        credited += payment.credited.minor
        kinds = {"payment_recorded": "receivable", "overpayment": "credit"}
        assert {posting.kind for posting in change.postings} <= kinds.keys()
        assert all(posting.occurred_at == DAY for posting in change.postings)
        assert sums(change)["bank"] == cents
        rows = [row for row in change.rows if isinstance(row, Invoice)]
        invoice = rows[0] if rows else invoice
    assert (paid, credited) == (min(due, sum(parts)), max(0, sum(parts) - due))
    assert (invoice.paid.minor, invoice.due.minor) == (paid, due - paid)
    is_paid = invoice.status is InvoiceStatus.PAID
    assert is_paid == (sum(parts) >= due)
    assert invoice.paid_at == (DAY if is_paid else None)


@given(CENTS, CENTS)
def test_money_for_an_attempt_pays_what_is_still_due(due: int, recorded: int) -> None:
    # While a page was open an accountant recorded something: the rest of it becomes credit.
    invoice = an_open_invoice(due)
    attempt = an_attempt(invoice)
    change = record(by_hand(invoice, recorded, 2), invoice, AT)
    after = the(Invoice, change)
    settled = attempt.settle(after, Succeeded("pi_1", attempt.amount), LATER)
    assert settled is not None
    assert the(Payment, settled).credited.minor == min(recorded, due)
    assert sums(settled)["processor:sandbox"] == due
    assert -sums(settled).get(f"credit:{invoice.customer_id}", 0) == min(recorded, due)


@pytest.mark.parametrize(
    "status", [InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE]
)
def test_money_for_an_invoice_that_is_over_is_credit(status: InvoiceStatus) -> None:
    # A transfer that was sent twice is money too; the document stays as it is.
    invoice = an_invoice(status)
    change = record(by_hand(invoice, 700), invoice, AT)
    assert [type(row) for row in change.rows] == [Payment]
    assert [posting.kind for posting in change.postings] == ["overpayment"]


def test_a_draft_takes_none_and_tomorrow_has_not_come() -> None:
    # Nothing is due on a draft, and nobody has seen money that comes later.
    draft, opened = a_draft(1000), an_open_invoice(1000)
    with pytest.raises(NothingToPay):
        record(by_hand(draft, 700), draft, AT)
    with pytest.raises(InvalidInput) as refused:
        record(by_hand(opened, 700), opened, DAY - timedelta(seconds=1))
    assert refused.value.details[0].field == "receivedAt"


def test_what_is_paid_in_part_is_not_voided() -> None:
    # Its booking would be reversed and the money would hang in the air.
    change = record(by_hand(an_open_invoice(1000), 700), an_open_invoice(1000), AT)
    with pytest.raises(IllegalTransition):
        the(Invoice, change).void(AT)


@pytest.mark.parametrize(
    "row",
    [
        *table(
            "payments.md",
            *("10,000 are due and the customer has", "paid from credit", "still due", "invoice"),
            "credit left",
        )
    ],
)
def test_credit_pays_first(row: tuple[str, ...]) -> None:
    # Each line of the page: finalized and paid in one row, told as what it is.
    held, paid, due, status, left = (cell.replace(",", "") for cell in row)
    draft = a_draft(10_000)
    finalized = draft.finalize(InvoiceNumber("INV-2026", 1), due_at=LATER, at=AT)
    opened = the(Invoice, finalized)
    amount = part_due(opened, Money(int(held), USD))
    assert amount.minor == int(paid)
    assert int(held) - amount.minor == int(left)
    if amount.is_zero:
        assert (opened.due.minor, opened.status.value) == (int(due), status)
        return
    credit = an_attempt(opened, mode=PaymentMode.CREDIT, amount=amount)
    change = spend_credit(finalized, credit, AT)
    after = the(Invoice, change)
    assert (after.due.minor, after.status.value) == (int(due), status)
    assert after.version == opened.version == draft.version + 1
    told = "invoice.paid" if status == "paid" else "invoice.partially_paid"
    assert [event.name for event in change.events] == [
        *("invoice.finalized", "payment.succeeded", told)
    ]
    assert [posting.kind for posting in change.postings] == ["invoice_finalized", "credit_applied"]


@pytest.mark.parametrize(
    "row",
    [
        *table(
            "payments.md",
            *("10,000 are due and so much is recorded", "pays", "becomes credit", "invoice"),
        )
    ],
)
def test_recorded_in_full_in_part_and_above(row: tuple[str, ...]) -> None:
    # Each line of the page.
    cents, pays, credited, status = (cell.replace(",", "") for cell in row)
    invoice = an_open_invoice(10_000)
    change = record(by_hand(invoice, int(cents)), invoice, AT)
    after, payment = the(Invoice, change), the(Payment, change)
    assert (after.paid.minor, after.status.value) == (int(pays), status)
    assert payment.credited.minor == int(credited)
