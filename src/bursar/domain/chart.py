"""The chart of accounts, and one template for each accounting move.

`MOVES` says which accounts a move may touch. Templates take ids and amounts, never nouns, and give
a `Posting`, or None when an invoice is of nothing. Refuses negative amounts (but of an invoice's
parts): the other direction is a move of its own.
Strict accounts (credit, wallets) have a floor on their natural balance, see `domain/ledger.py`; all
others are folded.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bursar.domain import moves
from bursar.domain.currencies import Currency
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
from bursar.domain.ledger import Account, AccountKind, Entry, Posting
from bursar.domain.money import Money, total
from bursar.domain.times import Instant

MOVES: Final = moves.MOVES
TRANSIT: Final = "transit"


class ImpossibleMove(ValueError):
    """A template was given a negative amount, or none where something must move."""


def receivable(customer_id: CustomerId, currency: Currency) -> Account:
    return Account(f"receivable:{customer_id}", AccountKind.ASSET, currency)


def processor(name: str, currency: Currency) -> Account:
    return Account(f"processor:{name}", AccountKind.ASSET, currency)


def bank(currency: Currency) -> Account:
    return Account("bank", AccountKind.ASSET, currency)


def disputed(currency: Currency) -> Account:
    return Account("disputed", AccountKind.ASSET, currency)


def revenue(currency: Currency) -> Account:
    return Account("revenue", AccountKind.REVENUE, currency)


def refunds(currency: Currency) -> Account:
    return Account("refunds", AccountKind.CONTRA_REVENUE, currency)


def tax_payable(rate_key: str, currency: Currency) -> Account:
    return Account(f"tax_payable:{rate_key}", AccountKind.LIABILITY, currency)


def credit(customer_id: CustomerId, currency: Currency) -> Account:
    """What the customer may still spend: never below zero."""
    return Account(f"credit:{customer_id}", AccountKind.LIABILITY, currency, floor_minor=0)


def wallet_code(wallet_id: WalletId) -> str:
    """The code of a wallet's account."""
    return f"wallet:{wallet_id}"


def wallet(wallet_id: WalletId, currency: Currency) -> Account:
    """Stored value: never below zero."""
    return Account(wallet_code(wallet_id), AccountKind.LIABILITY, currency, floor_minor=0)


def transit(currency: Currency) -> Account:
    return Account(TRANSIT, AccountKind.LIABILITY, currency)


def external(currency: Currency) -> Account:
    return Account("external", AccountKind.EQUITY, currency)


def bad_debt(currency: Currency) -> Account:
    return Account("bad_debt", AccountKind.EXPENSE, currency)


def fees(currency: Currency) -> Account:
    return Account("fees", AccountKind.EXPENSE, currency)


def invoice_finalized(
    invoice_id: InvoiceId,
    customer_id: CustomerId,
    net: Money,
    taxes: Sequence[tuple[str, Money]],
    at: Instant,
) -> Posting | None:
    """Receivable against revenue and tax; None for an invoice of nothing.

    The net is what was invoiced less discounts, before tax. Taxes are by rate key; two amounts of
    one rate are one entry. Each may be below zero, and so may the sum: the customer's credit then.
    """
    by_rate: dict[str, Money] = {}
    for rate_key, tax in taxes:
        by_rate[rate_key] = by_rate.get(rate_key, Money.zero(net.currency)) + tax
    owed = net + total(by_rate.values(), net.currency)
    of_customer = credit if owed.is_negative else receivable
    entries = (
        Entry.debit(of_customer(customer_id, net.currency), owed),
        Entry.credit(revenue(net.currency), net),
        *(Entry.credit(tax_payable(rate, net.currency), tax) for rate, tax in by_rate.items()),
    )
    moving = tuple(entry for entry in entries if not entry.amount.is_zero)
    kind = "excess_credited" if owed.is_negative else "invoice_finalized"
    return Posting(kind, invoice_id, at, moving) if moving else None


def invoice_voided(finalized: Posting, invoice_id: InvoiceId, at: Instant) -> Posting:
    """The reverse of what was finalized."""
    return finalized.reversed("invoice_voided", source_id=invoice_id, occurred_at=at)


def invoice_written_off(
    invoice_id: InvoiceId, customer_id: CustomerId, amount: Money, at: Instant
) -> Posting:
    """What is still due and will not come."""
    entries = (
        Entry.debit(bad_debt(amount.currency), _positive(amount)),
        Entry.credit(receivable(customer_id, amount.currency), amount),
    )
    return Posting("invoice_written_off", invoice_id, at, entries)


def payment_succeeded(
    payment_id: PaymentId, customer_id: CustomerId, provider: str, amount: Money, at: Instant
) -> Posting:
    """The part of a payment that pays for what is owed."""
    entries = (
        Entry.debit(processor(provider, amount.currency), _positive(amount)),
        Entry.credit(receivable(customer_id, amount.currency), amount),
    )
    return Posting("payment_succeeded", payment_id, at, entries)


def payment_recorded(
    payment_id: PaymentId, customer_id: CustomerId, amount: Money, at: Instant
) -> Posting:
    """The part of a payment recorded by hand that pays for what is owed."""
    entries = (
        Entry.debit(bank(amount.currency), _positive(amount)),
        Entry.credit(receivable(customer_id, amount.currency), amount),
    )
    return Posting("payment_recorded", payment_id, at, entries)


def overpayment(
    payment_id: PaymentId, customer_id: CustomerId, origin: Account, amount: Money, at: Instant
) -> Posting:
    """The part of a payment that nothing was owed for: kept for the customer, never dropped."""
    entries = (
        Entry.debit(origin, _positive(amount)),
        Entry.credit(credit(customer_id, amount.currency), amount),
    )
    return Posting("overpayment", payment_id, at, entries)


def opening_balance(customer_id: CustomerId, amount: Money, at: Instant) -> Posting:
    """What a customer had to their credit elsewhere; whoever comes, comes once."""
    entries = (
        Entry.debit(external(amount.currency), _positive(amount)),
        Entry.credit(credit(customer_id, amount.currency), amount),
    )
    return Posting("opening_balance", customer_id, at, entries)


def credit_applied(source_id: str, customer_id: CustomerId, amount: Money, at: Instant) -> Posting:
    """Credit spent on an invoice; the source is the id of this one use, as there may be several."""
    entries = (
        Entry.debit(credit(customer_id, amount.currency), _positive(amount)),
        Entry.credit(receivable(customer_id, amount.currency), amount),
    )
    return Posting("credit_applied", source_id, at, entries)


class CreditedParts(Struct, frozen=True):
    """What a credit note takes back: the net, and where net and taxes go."""

    customer_id: CustomerId
    net: Money
    applied: Money  # off what is due
    credited: Money  # to the customer's credit


def credit_note_issued(
    note_id: CreditNoteId, parts: CreditedParts, taxes: Sequence[tuple[str, Money]], at: Instant
) -> Posting:
    """Revenue and tax go back; two amounts of one rate are one entry."""
    code = parts.net.currency
    _positive(parts.applied + parts.credited)
    by_rate: dict[str, Money] = {}
    for rate_key, tax in taxes:
        by_rate[rate_key] = by_rate.get(rate_key, Money.zero(code)) + tax
    entries = (
        Entry.debit(revenue(code), parts.net),
        *(Entry.debit(tax_payable(rate, code), tax) for rate, tax in by_rate.items()),
        Entry.credit(receivable(parts.customer_id, code), parts.applied),
        Entry.credit(credit(parts.customer_id, code), parts.credited),
    )
    moving = tuple(entry for entry in entries if not entry.amount.is_zero)
    return Posting("credit_note_issued", note_id, at, moving)


def wallet_deposited(
    source_id: str, wallet_id: WalletId, origin: Account, amount: Money, at: Instant
) -> Posting:
    """Money from `origin` (a processor, or the outside world) becomes stored value."""
    entries = (
        Entry.debit(origin, _positive(amount)),
        Entry.credit(wallet(wallet_id, amount.currency), amount),
    )
    return Posting("wallet_deposited", source_id, at, entries)


def wallet_withdrawn(
    source_id: str, wallet_id: WalletId, goal: Account, amount: Money, at: Instant
) -> Posting:
    """Stored value leaves for `goal`: the bank, or the outside world of a sandbox."""
    return Posting("wallet_withdrawn", source_id, at, _out_of(wallet_id, goal, amount))


def wallet_paid_invoice(
    payment_id: PaymentId, wallet_id: WalletId, customer_id: CustomerId, amount: Money, at: Instant
) -> Posting:
    """Stored value pays for what is owed."""
    goal = receivable(customer_id, amount.currency)
    return Posting("wallet_paid_invoice", payment_id, at, _out_of(wallet_id, goal, amount))


def payment_refunded(
    refund_id: RefundId, goal: Account, income: Money, credited: tuple[Account, Money], at: Instant
) -> Posting:
    """A payment goes back to `goal`: less income, the document stays; and less credit."""
    holder, excess = credited
    origins = ((refunds(income.currency), income), (holder, excess))
    taken = [Entry.debit(origin, _positive(part)) for origin, part in origins if part.minor]
    back = Entry.credit(goal, _positive(income + excess))
    return Posting("payment_refunded", refund_id, at, (*taken, back))


def deposit_refunded(
    refund_id: RefundId, wallet_id: WalletId, provider: str, amount: Money, at: Instant
) -> Posting:
    """Stored money goes back to where it came from."""
    goal = processor(provider, amount.currency)
    return Posting("deposit_refunded", refund_id, at, _out_of(wallet_id, goal, amount))


def stored_payment_refunded(
    refund_id: RefundId, goal: Account, amount: Money, at: Instant
) -> Posting:
    """What an invoice was paid with from a wallet, or from credit, is there again."""
    entries = (
        Entry.debit(refunds(amount.currency), _positive(amount)),
        Entry.credit(goal, amount),
    )
    return Posting("stored_payment_refunded", refund_id, at, entries)


def refund_failed(sent: Posting, refund_id: RefundId, at: Instant) -> Posting:
    """The reverse of what was booked when the refund was sent, or began."""
    return sent.reversed("refund_failed", source_id=refund_id, occurred_at=at)


def dispute_withdrawn(
    source_id: str, holder: Account, at: Instant, *, amount: Money, fee: Money
) -> Posting:
    """A bank took this much back, and the processor, `holder`, kept a fee for it."""
    parts = ((disputed(amount.currency), _positive(amount)), (fees(fee.currency), fee))
    taken = [Entry.debit(account, _positive(part)) for account, part in parts if part.minor]
    back = Entry.credit(holder, amount + fee)
    return Posting("dispute_withdrawn", source_id, at, (*taken, back))


def dispute_reinstated(source_id: str, holder: Account, amount: Money, at: Instant) -> Posting:
    """The bank gave this much again."""
    entries = (
        Entry.debit(holder, _positive(amount)),
        Entry.credit(disputed(amount.currency), amount),
    )
    return Posting("dispute_reinstated", source_id, at, entries)


def dispute_lost(source_id: str, amount: Money, at: Instant) -> Posting:
    """What the bank has is a loss."""
    entries = (
        Entry.debit(bad_debt(amount.currency), _positive(amount)),
        Entry.credit(disputed(amount.currency), amount),
    )
    return Posting("dispute_lost", source_id, at, entries)


def dispute_reopened(source_id: str, amount: Money, at: Instant) -> Posting:
    """A loss that is not decided any more."""
    entries = (
        Entry.debit(disputed(amount.currency), _positive(amount)),
        Entry.credit(bad_debt(amount.currency), amount),
    )
    return Posting("dispute_reopened", source_id, at, entries)


def payout_sent(
    payout_id: PayoutId, provider: str, at: Instant, *, amount: Money, fee: Money
) -> Posting:
    """The processor sends this much to the bank, and keeps its fee; a fee may be all there is."""
    if amount.is_negative or not (amount + fee).is_positive:
        raise ImpossibleMove("a payout is of something")
    gone = processor(provider, amount.currency)
    parts = ((bank(amount.currency), amount), (fees(fee.currency), fee), (gone, -(amount + fee)))
    return Posting("payout_sent", payout_id, at, _moving(parts))


def payout_drawn(
    payout_id: PayoutId, provider: str, at: Instant, *, amount: Money, fee: Money
) -> Posting:
    """More was given back than came: the bank gives this much to the processor."""
    filled = processor(provider, amount.currency)
    parts = (
        (filled, _positive(amount) - fee),
        (fees(fee.currency), fee),
        (bank(amount.currency), -amount),
    )
    return Posting("payout_drawn", payout_id, at, _moving(parts))


def payout_failed(sent: Posting, payout_id: PayoutId, at: Instant) -> Posting:
    """The reverse of what was booked when the payout was first seen."""
    return sent.reversed("payout_failed", source_id=payout_id, occurred_at=at)


def _moving(parts: Sequence[tuple[Account, Money]]) -> tuple[Entry, ...]:
    return tuple(Entry(account, part) for account, part in parts if not part.is_zero)


def hold_captured(
    hold_id: HoldId, wallet_id: WalletId, goal: Account, amount: Money, at: Instant
) -> Posting:
    """What a hold had set aside leaves by the same door as a withdrawal."""
    return Posting("hold_captured", hold_id, at, _out_of(wallet_id, goal, amount))


def _out_of(wallet_id: WalletId, goal: Account, amount: Money) -> tuple[Entry, Entry]:
    taken = Entry.debit(wallet(wallet_id, amount.currency), _positive(amount))
    return taken, Entry.credit(goal, amount)


def transfer_debited(
    transfer_id: TransferId, sender_id: WalletId, amount: Money, at: Instant
) -> Posting:
    """The first half of a transfer: out of the sender's wallet, into nobody's."""
    entries = _out_of(sender_id, transit(amount.currency), amount)
    return Posting("transfer_debited", transfer_id, at, entries)


def transfer_credited(
    transfer_id: TransferId, receiver_id: WalletId, amount: Money, at: Instant
) -> Posting:
    """The second half: into the receiver's wallet."""
    return _out_of_transit("transfer_credited", transfer_id, receiver_id, amount, at)


def transfer_refunded(
    transfer_id: TransferId, sender_id: WalletId, amount: Money, at: Instant
) -> Posting:
    """The second half when the credit was refused: back into the sender's wallet."""
    return _out_of_transit("transfer_refunded", transfer_id, sender_id, amount, at)


def _out_of_transit(
    kind: str, transfer_id: TransferId, wallet_id: WalletId, amount: Money, at: Instant
) -> Posting:
    entries = (
        Entry.debit(transit(amount.currency), _positive(amount)),
        Entry.credit(wallet(wallet_id, amount.currency), amount),
    )
    return Posting(kind, transfer_id, at, entries)


def _positive(amount: Money) -> Money:
    if not amount.is_positive:
        raise ImpossibleMove("a move takes an amount above zero")
    return amount
