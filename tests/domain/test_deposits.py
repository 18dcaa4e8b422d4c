"""A deposit goes through the same door as every payment; stored money pays an invoice whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, USD, an_attempt, an_invoice, an_open_invoice, the, told

from bursar.domain import refusals
from bursar.domain.agenda import Undue
from bursar.domain.frozen import replace
from bursar.domain.instant_payments import pay_from_wallet
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import AMOUNT_MAX, Money
from bursar.domain.payment_beginnings import begin_deposit
from bursar.domain.payment_requests import DEPOSIT, provider_request
from bursar.domain.payments import (
    Payment,
    PaymentMode,
    PaymentPurpose,
    PaymentStatus,
)
from bursar.domain.provider import Closed, Declined, DeclineKind, Succeeded, Unknown
from bursar.domain.refusals import AmountTooLarge, InsufficientFunds, NothingToPay
from bursar.domain.shapes import samples
from bursar.domain.wallets import Wallet, WalletStatus


def a_wallet(balance: int = 0) -> Wallet:
    return replace(samples.WALLET, balance=Money(balance, USD))


def a_deposit(cents: int = 1_000, wallet: Wallet = samples.WALLET) -> Payment:
    return replace(
        an_attempt(an_open_invoice()),
        purpose=PaymentPurpose.WALLET_DEPOSIT,
        invoice_id=None,
        customer_id=wallet.customer_id,
        wallet_id=wallet.id,
        amount=Money(cents, USD),
        success_url="http://bursar.test/done",
        cancel_url="http://bursar.test/done",
    )


def by_wallet(invoice: Invoice, wallet: Wallet) -> Payment:
    return replace(an_attempt(invoice), mode=PaymentMode.WALLET, wallet_id=wallet.id)


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_deposit_that_succeeded_is_in_the_wallet(balance: int, cents: int) -> None:
    # Payment, wallet, one posting from the processor and both facts; the watchdog is let go.
    wallet, deposit = a_wallet(balance), a_deposit(cents)
    change = deposit.settle(wallet, Succeeded("pi_1", deposit.amount), AT)
    assert the(Payment, change).status is PaymentStatus.SUCCEEDED
    assert the(Wallet, change).balance.minor == balance + cents
    assert told(change) == ["payment.succeeded", "wallet.deposited"]
    assert change is not None
    (posting,) = change.postings
    assert {entry.account.code: entry.amount.minor for entry in posting.entries} == {
        "processor:sandbox": cents,
        f"wallet:{wallet.id}": -cents,
    }
    assert [type(item) for item in change.agenda] == [Undue]
    again = the(Payment, change).settle(the(Wallet, change), Succeeded("pi_1", deposit.amount), AT)
    assert again is None


def test_what_the_processor_has_is_what_is_stored() -> None:
    # Its books decide, never what was asked.
    change = a_deposit(1_000).settle(a_wallet(), Succeeded("pi_1", Money(900, USD)), AT)
    assert the(Wallet, change).balance.minor == 900
    assert the(Payment, change).amount.minor == 900


def test_late_money_for_a_closed_wallet_is_never_dropped() -> None:
    # The attempt was given up and the wallet closed: both come back.
    failed = the(Payment, a_deposit().settle(a_wallet(), Closed("pi_1"), AT))
    closed = the(Wallet, a_wallet().close(AT, open_deposits=0))
    change = failed.settle(closed, Succeeded("pi_1", failed.amount), LATER)
    opened = the(Wallet, change)
    assert (opened.status, opened.balance.minor) == (WalletStatus.OPEN, 1_000)
    assert told(change) == ["payment.succeeded", "wallet.reopened", "wallet.deposited"]


def test_an_answer_without_money_leaves_the_wallet_alone() -> None:
    # A decline ends the attempt and touches nothing else; not knowing changes nothing.
    declined = Declined("card_declined", "No.", DeclineKind.RETRY)
    change = a_deposit().settle(a_wallet(), declined, AT)
    assert (told(change), the(Payment, change).status) == (
        ["payment.failed"],
        PaymentStatus.FAILED,
    )
    assert change is not None
    assert (len(change.rows), change.postings) == (1, ())
    assert a_deposit().settle(a_wallet(), Unknown("timeout"), AT) is None


def test_a_deposit_begins_only_where_the_wallet_would_take_it() -> None:
    # Not into a closed one, not beyond exact amounts; then it is written down and watched.
    change = begin_deposit(a_deposit(), a_wallet(), wall=AT)
    assert told(change) == ["payment.attempted"]
    assert len(change.agenda) == 1
    closed = the(Wallet, a_wallet().close(AT, open_deposits=0))
    with pytest.raises(refusals.WalletClosed):
        begin_deposit(a_deposit(), closed, wall=AT)
    with pytest.raises(AmountTooLarge):
        begin_deposit(a_deposit(), a_wallet(AMOUNT_MAX), wall=AT)


def test_the_provider_is_asked_the_same_however_often() -> None:
    # Nothing in the request can be renamed meanwhile; a wallet that pays asks nobody.
    deposit = a_deposit()
    org_id = samples.ORGANIZATION.id
    first = provider_request(org_id, deposit, DEPOSIT, samples.CUSTOMER)
    assert first is not None
    assert (first.invoice_id, first.payment_id) == (None, deposit.id)
    assert first == provider_request(org_id, deposit, DEPOSIT, samples.CUSTOMER)
    internal = by_wallet(an_open_invoice(), a_wallet())
    assert provider_request(org_id, internal, "Invoice", None) is None


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_stored_money_pays_an_invoice_whole_or_not_at_all(due: int, balance: int) -> None:
    # One posting from the wallet to what is owed; less than that is available is refused.
    invoice, wallet = an_open_invoice(due), a_wallet(balance)
    payment = by_wallet(invoice, wallet)
    if balance < due:
        with pytest.raises(InsufficientFunds):
            pay_from_wallet(payment, invoice, wallet, AT)
        return
    change = pay_from_wallet(payment, invoice, wallet, AT)
    assert the(Invoice, change).status is InvoiceStatus.PAID
    assert the(Payment, change).status is PaymentStatus.SUCCEEDED
    assert told(change) == ["payment.succeeded", "invoice.paid"]
    (posting,) = change.postings
    assert {entry.account.code: entry.amount.minor for entry in posting.entries} == {
        f"wallet:{wallet.id}": due,
        f"receivable:{invoice.customer_id}": -due,
    }


@pytest.mark.parametrize(
    "status", [each for each in InvoiceStatus if each is not InvoiceStatus.OPEN]
)
def test_stored_money_pays_open_invoices_only(status: InvoiceStatus) -> None:
    # A draft, a paid, a void one: nothing is due.
    invoice, wallet = an_invoice(status), a_wallet(10**6)
    with pytest.raises(NothingToPay):
        pay_from_wallet(by_wallet(invoice, wallet), invoice, wallet, AT)
