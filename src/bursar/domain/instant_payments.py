"""Payments that are over when they begin: stored money, credit, and what an accountant recorded.

No provider is asked, so an attempt is written down as succeeded, in the transaction that books it.
What comes in above what is due is the customer's credit; what a document has due is never below
zero.
"""

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.ledger import Posting
from bursar.domain.payment_beginnings import require_due
from bursar.domain.payment_events import PaymentSucceeded
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus, part_due
from bursar.domain.refusals import InvalidInput, NothingToPay
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet


def pay_from_wallet(payment: Payment, invoice: Invoice, wallet: Wallet, at: Instant) -> Change:
    """Stored money pays what is due.

    Raises:
        NothingToPay: the invoice is not open, or nothing is due.
        WalletClosed, WrongCurrency, InsufficientFunds: the wallet has not got it.
    """
    require_due(invoice)
    wallet.with_less(invoice.due)
    assert (payment.wallet_id, payment.amount) == (wallet.id, invoice.due)
    posting = chart.wallet_paid_invoice(payment.id, wallet.id, invoice.customer_id, invoice.due, at)
    return _paid(_succeeded(payment, at), invoice, (posting,), at)


def record(payment: Payment, invoice: Invoice, at: Instant) -> Change:
    """What an accountant saw come in pays what is due; the rest is the customer's credit.

    It is booked on the day it came, and it may have come for an invoice that is over.

    Raises:
        NothingToPay: the invoice is a draft.
        InvalidInput: it would have come after now.
    """
    receipt, owner = payment.receipt, invoice.customer_id
    assert receipt is not None
    if invoice.status is InvoiceStatus.DRAFT:
        facts = {"currentStatus": invoice.status.value}
        raise NothingToPay(f"Invoice {invoice.id} is a draft; nothing is due.", facts=facts)
    if receipt.received_at > at:
        raise InvalidInput.at("receivedAt", "must not lie in the future", "in_the_future")
    applied = part_due(invoice, payment.amount)
    settled = replace(_succeeded(payment, at), credited=payment.amount - applied)
    postings: tuple[Posting, ...] = ()
    if settled.is_credited:
        origin, day = chart.bank(payment.amount.currency), receipt.received_at
        postings = (chart.overpayment(payment.id, owner, origin, settled.credited, day),)
    if applied.is_zero:
        return Change((settled,), postings, (PaymentSucceeded(settled),))
    booked = chart.payment_recorded(payment.id, owner, applied, receipt.received_at)
    return _paid(settled, invoice, (booked, *postings), receipt.received_at)


def spend_credit(finalized: Change, payment: Payment, at: Instant) -> Change:
    """The customer's credit pays a document in the change that finalizes it.

    Told as facts of their own, and written as the one row that the document has after all of it.
    """
    (opened,) = finalized.rows
    assert isinstance(opened, Invoice)
    assert payment.mode is PaymentMode.CREDIT
    posting = chart.credit_applied(payment.id, opened.customer_id, payment.amount, at)
    spent = _paid(_succeeded(payment, at), opened, (posting,), at)
    settled, paid = spent.rows
    assert isinstance(paid, Invoice)
    paid = replace(paid, version=opened.version)
    return replace(
        finalized,
        rows=(settled, paid),
        postings=(*finalized.postings, posting),
        events=(*finalized.events, PaymentSucceeded(settled), paid.told_paid(opened)),
    )


def _succeeded(payment: Payment, at: Instant) -> Payment:
    return replace(payment.to(PaymentStatus.SUCCEEDED), version=payment.version, settled_at=at)


def _paid(settled: Payment, invoice: Invoice, postings: tuple[Posting, ...], at: Instant) -> Change:
    paid = invoice.pay(settled.amount - settled.credited, at)
    return Change((settled, paid), postings, (PaymentSucceeded(settled), paid.told_paid(invoice)))
