"""How an attempt begins: what is written down before anybody is asked for money.

Owns what a new attempt is and when one may begin; what becomes of it is for `payments` to say, and
for `instant_payments` when nothing leaves the house.
"""

from msgspec import Struct

from bursar.domain.agenda import Due, DueKind
from bursar.domain.change import Change
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, WalletId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.payment_events import PaymentAttempted
from bursar.domain.payments import Payment, PaymentMode, PaymentPurpose, PaymentStatus, Receipt
from bursar.domain.refusals import NothingToPay
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet


class NewPayment(Struct, frozen=True, kw_only=True):
    """What is known of an attempt before it begins; `wall` is when it does, `now` business time."""

    id: PaymentId
    purpose: PaymentPurpose
    mode: PaymentMode
    amount: Money
    provider: str
    attempt_key: str
    wall: Instant
    now: Instant
    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None = None
    wallet_id: WalletId | None = None
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    receipt: Receipt | None = None

    def pending(self) -> Payment:
        """The attempt as it begins."""
        return Payment(
            id=self.id,
            purpose=self.purpose,
            invoice_id=self.invoice_id,
            customer_id=self.customer_id,
            wallet_id=self.wallet_id,
            mode=self.mode,
            status=PaymentStatus.PENDING,
            amount=self.amount,
            refunded=Money.zero(self.amount.currency),
            refunding=Money.zero(self.amount.currency),
            provider=self.provider,
            provider_reference=None,
            session_reference=None,
            method_reference=self.method_reference,
            checkout_url=None,
            next_action_url=None,
            success_url=self.success_url,
            cancel_url=self.cancel_url,
            failure_code=None,
            failure_message=None,
            decline_kind=None,
            attempt_key=self.attempt_key,
            watch_step=0,
            credited=Money.zero(self.amount.currency),
            receipt=self.receipt,
            expires_at=None,
            settled_at=None,
            version=1,
            sequence=0,
            created_at=self.wall,
            updated_at=self.now,
        )


def begin(payment: Payment, invoice: Invoice, *, wall: Instant) -> Change:
    """Write an attempt down before the provider is asked.

    Raises:
        NothingToPay: the invoice is not open, or nothing is due.
    """
    require_due(invoice)
    assert payment.amount == invoice.due
    return _begun(payment, wall)


def begin_deposit(payment: Payment, wallet: Wallet, *, wall: Instant) -> Change:
    """Write down that a wallet is about to be filled, before the provider is asked.

    Raises:
        WalletClosed, WrongCurrency, AmountTooLarge: the wallet would not take it.
    """
    assert payment.is_deposit
    wallet.with_more(payment.amount)
    return _begun(payment, wall)


def require_due(invoice: Invoice) -> None:
    """Check that something is left to pay.

    Raises:
        NothingToPay: the invoice is not open, or nothing is due.
    """
    if invoice.status is not InvoiceStatus.OPEN or not invoice.due.is_positive:
        raise NothingToPay(
            f"Invoice {invoice.id} is {invoice.status.value}; nothing is due.",
            facts={"currentStatus": invoice.status.value},
        )


def _begun(payment: Payment, wall: Instant) -> Change:
    assert payment.status is PaymentStatus.PENDING
    due = Due(DueKind.WATCH_PAYMENT, payment.id, wall + payment.watch_delay)
    return Change(rows=(payment,), events=(PaymentAttempted(payment),), agenda=(due,))
