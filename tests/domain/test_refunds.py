"""Refunds: never more than is left, one end state in any order, books that undo themselves."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, USD, an_attempt, an_open_invoice, the, told

from bursar.domain.agenda import Due, Undue
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import RefundId, WalletId
from bursar.domain.ledger import Posting, entry_sums
from bursar.domain.money import Money
from bursar.domain.payments import Payment, PaymentMode, PaymentPurpose, PaymentStatus
from bursar.domain.provider import (
    NotFound,
    RefundDone,
    RefundLookup,
    RefundRefused,
    RefundUnderway,
    Unknown,
)
from bursar.domain.refunds import Refund, RefundStatus, begin, require_refundable
from bursar.domain.refusals import IllegalTransition, NotRefundable, RefundAboveRest
from bursar.domain.shapes import samples
from bursar.domain.shapes.samples_of_payments import a_refund
from bursar.domain.wallets import Wallet

CENTS = 1_000
UNDERWAY = RefundUnderway("re_1", Money(CENTS, USD))
DONE = RefundDone("re_1", Money(CENTS, USD))
REFUSED = RefundRefused("expired_or_canceled_card", "It came back.", "re_1")


def a_payment(minor: int = 5_000, **changes: Any) -> Payment:
    invoice = an_open_invoice(minor)
    settled: dict[str, Any] = {
        "status": PaymentStatus.SUCCEEDED,
        "provider_reference": "pi_1",
        "settled_at": AT,
    }
    return an_attempt(invoice, **(settled | changes))


def begun(payment: Payment, minor: int = CENTS, number: int = 1) -> tuple[Refund, Payment, Change]:
    refund = replace(a_refund(payment, Money(minor, USD)), id=RefundId(f"rfd_{number}"))
    change = begin(refund, payment, None, AT)
    return the(Refund, change), the(Payment, change), change


def after(
    refund: Refund, payment: Payment, *answers: RefundLookup
) -> tuple[Refund, Payment, list[Posting]]:
    """Both once all of the answers have come, and what was booked."""
    booked: list[Posting] = []
    for answer in answers:
        change = refund.settle(payment, None, answer, AT)
        if change is not None:
            refund = the(Refund, change)
            payment = next((row for row in change.rows if isinstance(row, Payment)), payment)
            booked += change.postings
    return refund, payment, booked


def balances(booked: list[Posting]) -> dict[str, int]:
    return {account.code: minor for account, minor in entry_sums(booked).items() if minor}


def test_a_refund_reserves_before_anything_is_asked() -> None:
    # The amount is set aside, the watchdog is set, nothing is booked.
    refund, payment, change = begun(a_payment())
    assert (payment.refunding.minor, payment.refunded.minor) == (CENTS, 0)
    assert told(change) == ["refund.created", "payment.updated"]
    assert change.postings == ()
    assert [(item.subject_id, item.at) for item in change.agenda if isinstance(item, Due)] == [
        (refund.id, refund.created_at + timedelta(seconds=5))
    ]


@given(st.lists(st.integers(1, 5_000), max_size=12))
def test_refunds_never_reserve_more_than_there_is(wishes: list[int]) -> None:
    # Whatever is asked, in whatever order: what is refused is exactly what does not fit.
    payment = a_payment()
    for number, wish in enumerate(wishes):
        left = payment.refundable.minor
        if wish > left:
            with pytest.raises((RefundAboveRest, NotRefundable)):
                begun(payment, wish, number)
            continue
        _, payment, _ = begun(payment, wish, number)
        assert payment.refundable.minor == left - wish
    assert payment.refunding.minor + payment.refundable.minor == payment.amount.minor


@pytest.mark.parametrize(
    "status",
    [status for status in PaymentStatus if status.value not in {"succeeded", "partially_refunded"}],
)
def test_only_a_payment_that_holds_money_is_refunded(status: PaymentStatus) -> None:
    # A disputed one is the bank's to decide.
    with pytest.raises(NotRefundable) as refused:
        require_refundable(a_payment(status=status), None)
    assert refused.value.facts["refundableCents"] == 0


@pytest.mark.parametrize("answers", [*permutations([UNDERWAY, DONE, REFUSED])], ids=str)
def test_whatever_the_order_a_refund_that_came_back_has_failed(
    answers: tuple[RefundLookup, ...],
) -> None:
    # Each answer twice: the payment holds the money, and the books are where they were.
    refund, payment, _ = begun(a_payment())
    twice = [answer for answer in answers for _ in range(2)]
    refund, payment, booked = after(refund, payment, *twice)
    assert refund.status is RefundStatus.FAILED
    assert (payment.status, payment.refundable) == (PaymentStatus.SUCCEEDED, payment.amount)
    assert balances(booked) == {}


@given(st.lists(st.sampled_from([UNDERWAY, DONE, Unknown("timeout")]), max_size=6))
def test_what_was_sent_is_booked_once(answers: list[RefundLookup]) -> None:
    # As soon as the processor has taken it, and never a second time.
    refund, payment, _ = begun(a_payment())
    refund, payment, booked = after(refund, payment, *answers)
    was_sent = any(not isinstance(answer, Unknown) for answer in answers)
    assert len(booked) == was_sent
    assert payment.refunded.minor == (CENTS if was_sent else 0)
    assert payment.refunding.minor == (0 if was_sent else CENTS)
    if was_sent:
        assert balances(booked) == {"refunds": CENTS, "processor:sandbox": -CENTS}


def test_the_payment_is_refunded_when_nothing_is_left() -> None:
    # A part makes it partially refunded; the rest makes it refunded.
    first, payment, _ = begun(a_payment(), 2_000)
    _, payment, _ = after(first, payment, replace(DONE, amount=Money(2_000, USD)))
    assert payment.status is PaymentStatus.PARTIALLY_REFUNDED
    rest, payment, _ = begun(payment, 3_000, 2)
    change = rest.settle(payment, None, RefundDone("re_2", Money(3_000, USD)), AT)
    assert told(change) == ["refund.succeeded", "payment.refunded"]
    assert the(Payment, change).status is PaymentStatus.REFUNDED


def test_a_refused_refund_gives_back_what_it_reserved() -> None:
    # Nothing was booked, so nothing is reversed.
    refund, payment, _ = begun(a_payment())
    change = refund.settle(payment, None, REFUSED, AT)
    assert told(change) == ["refund.failed", "payment.updated"]
    assert the(Payment, change).refundable == payment.amount
    assert change is not None
    assert change.postings == ()
    assert [type(item) for item in change.agenda] == [Undue]


def test_books_that_know_nothing_end_only_what_was_never_there() -> None:
    # A refund that was seen once does not vanish because a listing lacks it.
    refund, payment, _ = begun(a_payment())
    lost, freed, _ = after(refund, payment, NotFound())
    assert (lost.failure_code, freed.refundable) == ("never_arrived", payment.amount)
    seen, payment, _ = after(refund, payment, UNDERWAY)
    assert seen.settle(payment, None, NotFound(), AT) is None


def test_an_answer_of_another_amount_is_not_believed() -> None:
    # It is somebody else's, or a fault: it waits for a person.
    refund, payment, _ = begun(a_payment())
    assert refund.settle(payment, None, RefundDone("re_1", Money(CENTS + 1, USD)), AT) is None


def test_a_dispute_meanwhile_stays_one() -> None:
    # The refund was begun before; its money counts, and the bank still decides.
    refund, payment, _ = begun(a_payment())
    disputed = payment.to(PaymentStatus.DISPUTED)
    _, payment, _ = after(refund, disputed, DONE)
    assert (payment.status, payment.refunded.minor) == (PaymentStatus.DISPUTED, CENTS)


def test_a_deposit_is_taken_from_the_wallet_first() -> None:
    # It could be spent meanwhile; a refusal stores it again.
    wallet = replace(samples.WALLET, id=WalletId("wal_1"), balance=Money(5_000, USD))
    payment = a_payment(purpose=PaymentPurpose.WALLET_DEPOSIT, wallet_id=wallet.id, invoice_id=None)
    change = begin(a_refund(payment, Money(CENTS, USD)), payment, wallet, AT)
    less = the(Wallet, change)
    assert less.balance.minor == 4_000
    refused = the(Refund, change).settle(the(Payment, change), less, REFUSED, AT)
    assert refused is not None
    assert the(Wallet, refused).balance.minor == 5_000
    assert balances([*change.postings, *refused.postings]) == {}


def test_a_payment_from_a_wallet_is_stored_again_at_once() -> None:
    # No processor is asked.
    wallet = replace(samples.WALLET, id=WalletId("wal_1"), balance=Money(0, USD))
    payment = a_payment(mode=PaymentMode.WALLET, provider="wallet", wallet_id=wallet.id)
    change = begin(a_refund(payment, payment.amount), payment, wallet, AT)
    assert the(Refund, change).status is RefundStatus.SUCCEEDED
    assert the(Payment, change).status is PaymentStatus.REFUNDED
    assert the(Wallet, change).balance == payment.amount
    assert balances([*change.postings]) == {"refunds": 5_000, "wallet:wal_1": -5_000}


def test_the_watchdog_takes_a_step_unless_the_line_was_down() -> None:
    # 5 seconds, a minute, 5 minutes, an hour, a day; an outage is no step.
    refund, _, _ = begun(a_payment())
    for seconds in (60, 300, 3_600, 86_400, 86_400):
        change = refund.watch(AT, technical_failure=False)
        (due,) = change.agenda
        assert isinstance(due, Due)
        assert due.at == AT + timedelta(seconds=seconds)
        refund = the(Refund, change)
    same = the(Refund, refund.watch(AT, technical_failure=True))
    assert same.watch_step == refund.watch_step


def test_a_failed_refund_stays_failed() -> None:
    # Its amount may be another refund's by now.
    refund, payment, _ = begun(a_payment())
    failed, payment, _ = after(refund, payment, REFUSED)
    assert failed.settle(payment, None, DONE, AT) is None
    with pytest.raises(IllegalTransition):
        failed.to(RefundStatus.SUCCEEDED)
