"""Every template balances, matches its row of the table, and is undone by its reverse."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain import chart
from bursar.domain.currencies import EXPONENTS, currency
from bursar.domain.ids import (
    CreditNoteId,
    CustomerId,
    HoldId,
    InvoiceId,
    PaymentId,
    PayoutId,
    RefundId,
    TransferId,
    WalletId,
)
from bursar.domain.ledger import Account, AccountKind, Posting, entry_sums
from bursar.domain.money import AMOUNT_MAX, AmountOutOfRange, CurrencyMismatch, Money

USD, JPY = currency("usd"), currency("jpy")
AT = datetime(2026, 3, 1, tzinfo=UTC)
INVOICE, CUSTOMER, PAYMENT = InvoiceId("inv_1"), CustomerId("cust_1"), PaymentId("pay_1")
WALLET, HOLD = WalletId("wal_1"), HoldId("hld_1")
TRANSFER = TransferId("txn_1")
REFUND, PAYOUT = RefundId("rfd_1"), PayoutId("po_1")
Amounts = tuple[Money, list[tuple[str, Money]]]

invoices = st.sampled_from(sorted(EXPONENTS)).flatmap(
    lambda code: st.tuples(
        st.builds(Money, st.integers(-(10**12), 10**12), st.just(code)),
        st.lists(
            st.tuples(
                st.sampled_from(["txr_1", "txr_2", "8.875"]),
                st.builds(Money, st.integers(-(10**9), 10**9), st.just(code)),
            ),
            max_size=4,
        ),
    )
)
amounts = st.builds(Money, st.integers(1, AMOUNT_MAX), st.sampled_from(sorted(EXPONENTS)))


def finalized(net: Money, taxes: list[tuple[str, Money]]) -> Posting | None:
    return chart.invoice_finalized(INVOICE, CUSTOMER, net, taxes, AT)


def voided(net: Money, taxes: list[tuple[str, Money]]) -> Posting | None:
    booked = finalized(net, taxes)
    return booked and chart.invoice_voided(booked, INVOICE, AT)


def succeeded(amount: Money) -> Posting:
    return chart.payment_succeeded(PAYMENT, CUSTOMER, "stripe", amount, AT)


def overpaid(amount: Money) -> Posting:
    return chart.overpayment(
        PAYMENT, CUSTOMER, chart.processor("stripe", amount.currency), amount, AT
    )


def recorded(amount: Money) -> Posting:
    return chart.payment_recorded(PAYMENT, CUSTOMER, amount, AT)


def credited(amount: Money) -> Posting:
    return chart.credit_applied("use_1", CUSTOMER, amount, AT)


def noted(amount: Money) -> Posting:
    parts = chart.CreditedParts(CUSTOMER, amount, amount, Money.zero(amount.currency))
    return chart.credit_note_issued(CreditNoteId("cn_1"), parts, [], AT)


def deposited(amount: Money) -> Posting:
    origin = chart.external(amount.currency)
    return chart.wallet_deposited("wal_1:2", WALLET, origin, amount, AT)


def withdrawn(amount: Money) -> Posting:
    return chart.wallet_withdrawn("wal_1:3", WALLET, chart.bank(amount.currency), amount, AT)


def paid_by_wallet(amount: Money) -> Posting:
    return chart.wallet_paid_invoice(PAYMENT, WALLET, CUSTOMER, amount, AT)


def captured(amount: Money) -> Posting:
    return chart.hold_captured(HOLD, WALLET, chart.bank(amount.currency), amount, AT)


def refunded(amount: Money, excess: Money | None = None) -> Posting:
    goal, credit = (
        chart.processor("stripe", amount.currency),
        chart.credit(CUSTOMER, amount.currency),
    )
    over = excess or Money.zero(amount.currency)
    return chart.payment_refunded(REFUND, goal, amount, (credit, over), AT)


def stored_again(amount: Money) -> Posting:
    goal = chart.wallet(WALLET, amount.currency)
    return chart.stored_payment_refunded(REFUND, goal, amount, AT)


def paid_out(amount: Money) -> Posting:
    nothing = Money.zero(amount.currency)
    return chart.payout_sent(PAYOUT, "stripe", AT, amount=amount, fee=nothing)


SIMPLE: dict[str, Callable[[Money], Posting | None]] = {
    "payment_succeeded": succeeded,
    "payment_recorded": recorded,
    "overpayment": overpaid,
    "opening_balance": lambda amount: chart.opening_balance(CUSTOMER, amount, AT),
    "credit_applied": credited,
    "invoice_written_off": lambda amount: chart.invoice_written_off(INVOICE, CUSTOMER, amount, AT),
    "credit_note_issued": noted,
    "wallet_deposited": deposited,
    "wallet_withdrawn": withdrawn,
    "wallet_paid_invoice": paid_by_wallet,
    "payment_refunded": refunded,
    "deposit_refunded": lambda amount: chart.deposit_refunded(REFUND, WALLET, "stripe", amount, AT),
    "stored_payment_refunded": stored_again,
    "refund_failed": lambda amount: chart.refund_failed(refunded(amount), REFUND, AT),
    "dispute_withdrawn": lambda amount: chart.dispute_withdrawn(
        "dsp_1:1",
        chart.processor("stripe", amount.currency),
        AT,
        amount=amount,
        fee=Money.zero(amount.currency),
    ),
    "dispute_reinstated": lambda amount: chart.dispute_reinstated(
        "dsp_1:2", chart.processor("stripe", amount.currency), amount, AT
    ),
    "dispute_lost": lambda amount: chart.dispute_lost("dsp_1:v2", amount, AT),
    "dispute_reopened": lambda amount: chart.dispute_reopened("dsp_1:v3", amount, AT),
    "payout_sent": paid_out,
    "payout_drawn": lambda amount: chart.payout_drawn(
        PAYOUT, "stripe", AT, amount=amount, fee=Money.zero(amount.currency)
    ),
    "payout_failed": lambda amount: chart.payout_failed(paid_out(amount), PAYOUT, AT),
    "hold_captured": captured,
    "invoice_finalized": lambda amount: finalized(amount, []),
    "excess_credited": lambda amount: finalized(-amount, []),
    "invoice_voided": lambda amount: voided(amount, []),
    "transfer_debited": lambda amount: chart.transfer_debited(TRANSFER, WALLET, amount, AT),
    "transfer_credited": lambda amount: chart.transfer_credited(TRANSFER, WALLET, amount, AT),
    "transfer_refunded": lambda amount: chart.transfer_refunded(TRANSFER, WALLET, amount, AT),
}


def balances(*postings: Posting | None) -> dict[str, int]:
    sums = entry_sums(posting for posting in postings if posting is not None)
    return {account.code: minor for account, minor in sums.items() if minor}


def assert_matches_its_row(posting: Posting) -> None:
    move = next(move for move in chart.MOVES if move.kind == posting.kind)
    for entry in posting.entries:
        side = move.debits if entry.amount.is_positive else move.credits
        assert entry.account.code.partition(":")[0] in side


def test_every_row_of_the_table_has_a_template_and_the_other_way_round() -> None:
    # The reference page is made from the table, so it may not lie.
    assert [move.kind for move in chart.MOVES] == list(dict.fromkeys(m.kind for m in chart.MOVES))
    assert {move.kind for move in chart.MOVES} == set(SIMPLE)


@given(invoices)
def test_finalizing_balances_and_voiding_undoes_it(invoice: Amounts) -> None:
    # The customer owes net and tax, or has what is below zero as credit; after the void every
    # account is where it was.
    net, taxes = invoice
    owed = net.minor + sum(tax.minor for _, tax in taxes)
    posting, reverse = finalized(net, taxes), voided(net, taxes)
    if posting is None or reverse is None:
        assert owed == 0
        return
    account = "credit" if owed < 0 else "receivable"
    assert balances(posting).get(f"{account}:{CUSTOMER}", 0) == owed
    assert_never_both(posting)
    assert balances(posting, reverse) == {}
    assert reverse.corrects == posting.key
    assert_matches_its_row(posting)
    assert_matches_its_row(reverse)


def assert_never_both(posting: Posting) -> None:
    touched = {entry.account.code.partition(":")[0] for entry in posting.entries}
    assert not {"credit", "receivable"} <= touched


@given(amounts, st.sampled_from(sorted(SIMPLE)))
def test_every_move_balances_for_every_amount(amount: Money, kind: str) -> None:
    # And names itself, its cause and its instant, and touches only its row's accounts.
    posting = SIMPLE[kind](amount)
    assert posting is not None
    assert sum(entry.amount.minor for entry in posting.entries) == 0
    assert (posting.kind, posting.occurred_at) == (kind, AT)
    assert_matches_its_row(posting)
    undone = posting.reversed("correction", source_id="cor_1", occurred_at=AT)
    assert balances(posting, undone) == {}


@pytest.mark.parametrize("kind", sorted(SIMPLE))
def test_nothing_moves_for_nothing_and_never_backwards(kind: str) -> None:
    # An invoice of nothing gives no posting; a payment of nothing, or less, is refused.
    if kind in {"invoice_finalized", "invoice_voided", "excess_credited"}:
        assert SIMPLE[kind](Money(0, JPY)) is None
        return
    for amount in (0, -1):
        with pytest.raises(chart.ImpossibleMove):
            SIMPLE[kind](Money(amount, JPY))


def test_a_whole_life_leaves_revenue_tax_and_cash() -> None:
    # 100.00 net, 20.00 tax, 125.00 paid: 5.00 stays the customer's.
    net, tax = Money(10_000, USD), Money(2_000, USD)
    assert balances(
        finalized(net, [("txr_1", tax)]), succeeded(net + tax), overpaid(Money(500, USD))
    ) == {
        "processor:stripe": 12_500,
        "revenue": -10_000,
        "tax_payable:txr_1": -2_000,
        f"credit:{CUSTOMER}": -500,
    }


def test_stored_value_is_owed_until_it_is_used() -> None:
    # 100.00 stored, 30.00 pays an invoice, 20.00 is captured, 15.00 is paid out: 35.00 is left.
    assert balances(
        deposited(Money(10_000, USD)),
        paid_by_wallet(Money(3_000, USD)),
        captured(Money(2_000, USD)),
        withdrawn(Money(1_500, USD)),
    ) == {
        "external": 10_000,
        "wallet:wal_1": -3_500,
        f"receivable:{CUSTOMER}": -3_000,
        "bank": -3_500,
    }


def test_a_refund_takes_income_and_credit_apart() -> None:
    # 10.00 paid an invoice, 5.00 were too much: each comes from where it went.
    posting = refunded(Money(1_000, USD), Money(500, USD))
    assert balances(posting) == {
        "refunds": 1_000,
        f"credit:{CUSTOMER}": 500,
        "processor:stripe": -1_500,
    }


def test_two_taxes_of_one_rate_are_one_entry() -> None:
    # An account appears once in a posting; a tax of nothing does not appear.
    posting = finalized(
        Money(100, USD), [("a", Money(3, USD)), ("b", Money(0, USD)), ("a", Money(4, USD))]
    )
    assert balances(posting) == {"receivable:cust_1": 107, "revenue": -100, "tax_payable:a": -7}


def test_another_currency_or_too_large_a_total_is_refused() -> None:
    # Nothing hostile becomes a posting.
    with pytest.raises(CurrencyMismatch):
        finalized(Money(100, USD), [("a", Money(1, JPY))])
    with pytest.raises(AmountOutOfRange):
        finalized(Money(AMOUNT_MAX, USD), [("a", Money(1, USD))])


def test_only_stored_value_and_credit_have_a_floor() -> None:
    # Strict accounts keep a balance row; the busy ones are folded.
    strict = [chart.credit(CUSTOMER, USD), chart.wallet(WALLET, USD)]
    folded = [
        chart.receivable(CUSTOMER, USD),
        chart.processor("stripe", USD),
        chart.tax_payable("txr_1", USD),
        *(make(USD) for make in (chart.bank, chart.disputed, chart.revenue, chart.refunds)),
        *(make(USD) for make in (chart.transit, chart.external, chart.bad_debt, chart.fees)),
    ]
    assert all(account.floor_minor == 0 for account in strict)
    assert not any(account.is_strict for account in folded)
    assert _kinds([*strict, *folded]) == {
        "asset": {"receivable", "processor", "bank", "disputed"},
        "liability": {"credit", "wallet", "tax_payable", "transit"},
        "revenue": {"revenue"},
        "contra_revenue": {"refunds"},
        "equity": {"external"},
        "expense": {"bad_debt", "fees"},
    }


def _kinds(accounts: list[Account]) -> dict[str, set[str]]:
    words = {kind.value: set[str]() for kind in AccountKind}
    for account in accounts:
        words[account.kind].add(account.code.partition(":")[0])
    return words
