"""Payments: one attempt to collect an invoice or to fill a wallet, and one door for its answer.

An attempt is written down before the provider is asked, so nothing that happens on the wire can be
forgotten. Whoever brings the answer (the HTTP call, the provider's event, the watchdog) goes
through `Payment.settle`. An answer may repeat, come late or out of order; the state only moves
forward, and money that arrives for an attempt already given up is booked, never dropped.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, WalletId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.payment_events import (
    PaymentFailed,
    PaymentProcessing,
    PaymentRequiresAction,
    PaymentSucceeded,
    PaymentUpdated,
)
from bursar.domain.provider import (
    ActionRequired,
    CheckoutOpened,
    Closed,
    Declined,
    LookupOutcome,
    NotFound,
    Processing,
    Succeeded,
    Unknown,
)
from bursar.domain.refusals import IllegalTransition
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet

NoMoneyYet = Declined | Closed | NotFound | ActionRequired | Processing | CheckoutOpened


class PaymentStatus(StrEnum):
    """Where an attempt is. The first three are open: one such attempt per invoice."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


TRANSITIONS: Final[dict[PaymentStatus, tuple[PaymentStatus, ...]]] = {
    PaymentStatus.PENDING: (
        PaymentStatus.REQUIRES_ACTION,
        PaymentStatus.PROCESSING,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.FAILED,
    ),
    PaymentStatus.REQUIRES_ACTION: (
        PaymentStatus.PROCESSING,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.FAILED,
    ),
    PaymentStatus.PROCESSING: (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED),
    PaymentStatus.FAILED: (PaymentStatus.SUCCEEDED,),  # money that came late
    PaymentStatus.SUCCEEDED: (
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUNDED,
        PaymentStatus.DISPUTED,
    ),
    # A refund may come back, and a dispute may be won: then it holds the money again.
    PaymentStatus.PARTIALLY_REFUNDED: (
        PaymentStatus.SUCCEEDED,
        PaymentStatus.REFUNDED,
        PaymentStatus.DISPUTED,
    ),
    PaymentStatus.REFUNDED: (
        PaymentStatus.SUCCEEDED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.DISPUTED,
    ),
    PaymentStatus.DISPUTED: (
        PaymentStatus.SUCCEEDED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUNDED,
    ),
}
OPEN: Final = frozenset(
    {PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING}
)
HOLDS_MONEY: Final = frozenset(
    {
        PaymentStatus.SUCCEEDED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUNDED,
        PaymentStatus.DISPUTED,
    }
)

REFUNDABLE: Final = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED})

# When the watchdog asks the provider about an attempt whose outcome is not known.
WATCH_STEPS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
)
# An open checkout page or a slow method is no unknown outcome; it is asked about now and then.
WATCH_WAITING: Final = timedelta(hours=1)


class PaymentMode(StrEnum):
    """How the customer pays: on a hosted page, by a stored method, or with stored money.

    Or without us: by what an accountant recorded, or out of the credit balance.
    """

    CHECKOUT = "checkout"
    CHARGE = "charge"
    WALLET = "wallet"
    MANUAL = "manual"
    CREDIT = "credit"


ASKING: Final = frozenset({PaymentMode.CHECKOUT, PaymentMode.CHARGE})
"""The modes in which a provider is asked; in the others the mode stands for the provider's name."""


class ReceiptMethod(StrEnum):
    """How money came that no provider brought."""

    BANK_TRANSFER = "bank_transfer"
    CHECK = "check"
    CASH = "cash"
    OTHER = "other"


class Receipt(Struct, frozen=True):
    """What an accountant saw: how it came, when, and what the bank calls it."""

    method: ReceiptMethod
    received_at: Instant
    reference: str | None = None


class PaymentPurpose(StrEnum):
    """What the money is for."""

    INVOICE = "invoice"
    WALLET_DEPOSIT = "wallet_deposit"


class Payment(Struct, frozen=True):
    """One attempt. `attempt_key` names the request that began it: only that request rejoins it.

    A deposit has no invoice, and no customer either when the wallet is nobody's who is billed.
    `wallet_id` is the wallet that it fills, or that pays the invoice. What refunds gave back, and
    what they have reserved, is never more than `amount` together.
    """

    id: PaymentId
    purpose: PaymentPurpose
    invoice_id: InvoiceId | None
    customer_id: CustomerId | None
    wallet_id: WalletId | None
    mode: PaymentMode
    status: PaymentStatus
    amount: Money
    refunded: Money
    refunding: Money  # reserved by refunds whose answer is not there yet
    provider: str
    provider_reference: str | None
    session_reference: str | None
    method_reference: str | None
    checkout_url: str | None
    next_action_url: str | None
    success_url: str | None
    cancel_url: str | None
    failure_code: str | None
    failure_message: str | None
    decline_kind: str | None
    attempt_key: str
    watch_step: int
    credited: Money  # what of it went to the customer's credit balance, not to the invoice
    receipt: Receipt | None
    expires_at: Instant | None
    settled_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def is_credited(self) -> bool:
        """The money, or a part of it, became the customer's credit."""
        return self.credited.is_positive

    @property
    def is_open(self) -> bool:
        """Money may still move for this attempt."""
        return self.status in OPEN

    def has_open_page(self, at: Instant) -> bool:
        """The customer may still be on the hosted page: nothing was decided there for good."""
        if self.session_reference is None or self.status is not PaymentStatus.PENDING:
            return False
        return self.expires_at is None or at < self.expires_at

    def to(self, status: PaymentStatus) -> "Payment":
        """The same attempt in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Payment {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    @property
    def refundable(self) -> Money:
        """What no refund has given back or reserved."""
        return self.amount - self.refunded - self.refunding

    @property
    def is_deposit(self) -> bool:
        """Whether it fills a wallet."""
        return self.purpose is PaymentPurpose.WALLET_DEPOSIT

    def settle(
        self, target: Invoice | Wallet, outcome: LookupOutcome, at: Instant
    ) -> Change | None:
        """What an answer makes true; nothing, when it says nothing new.

        `target` is what the money is for: the invoice, or the wallet of a deposit. `at` is the
        transaction's business time. The caller holds the customer's lock, or the wallet's.
        """
        if self.status in HOLDS_MONEY or isinstance(outcome, Unknown):
            return None  # known already, or still open: the watchdog asks again
        if isinstance(outcome, Succeeded):
            return _received(self, target, outcome, at)
        # An attempt that was given up hears of nothing but money.
        return _advanced(self, outcome, at) if self.is_open else None

    def watch(self, at: Instant, technical_failure: bool) -> Change:
        """The watchdog asked and nothing changed: when it asks again.

        A lookup that failed for technical reasons is repeated and is no step.
        """
        step = self.watch_step if technical_failure else self.watch_step + 1
        after = replace(self, watch_step=step, version=self.version + 1)
        due = Due(DueKind.WATCH_PAYMENT, self.id, at + after.watch_delay)
        return Change(rows=(after,), events=(PaymentUpdated(after, self),), agenda=(due,))

    @property
    def watch_delay(self) -> timedelta:
        """How long the watchdog waits before it asks (again)."""
        if self.status is not PaymentStatus.PENDING or self.session_reference is not None:
            return WATCH_WAITING
        return WATCH_STEPS[min(self.watch_step, len(WATCH_STEPS) - 1)]


class Deposit(Struct, frozen=True):
    """A wallet, and the attempt that fills it; without one it was filled at once."""

    wallet: Wallet
    payment: Payment | None = None


def _advanced(payment: Payment, outcome: NoMoneyYet, at: Instant) -> Change | None:
    match outcome:
        case Declined(is_on_page=True):
            return _noted(payment, outcome) if payment.status is PaymentStatus.PENDING else None
        case Declined():
            return _declined(payment, outcome, at)
        case Closed() | NotFound():
            return _failed(payment, "expired", "The attempt ended without a payment.", at)
        case ActionRequired(reference, url):
            return _awaiting_action(payment, reference, url)
        case Processing(reference):
            return _processing(payment, reference)
        case CheckoutOpened():
            return _checkout_opened(payment, outcome)
        case _:
            assert_never(outcome)


def _received(
    payment: Payment, target: Invoice | Wallet, outcome: Succeeded, at: Instant
) -> Change:
    settled = replace(
        payment.to(PaymentStatus.SUCCEEDED),
        provider_reference=outcome.reference,
        amount=outcome.amount,
        next_action_url=None,
        failure_code=None,
        failure_message=None,
        decline_kind=None,
        settled_at=at,
    )
    unwatch = Undue(DueKind.WATCH_PAYMENT, payment.id)
    change = (
        _stored(payment, settled, target, at)
        if isinstance(target, Wallet)
        else _collected(payment, settled, target, at)
    )
    return replace(change, agenda=(unwatch,))


def _stored(payment: Payment, settled: Payment, wallet: Wallet, at: Instant) -> Change:
    """The wallet takes it, even if it was closed meanwhile: the money is there."""
    assert payment.wallet_id == wallet.id
    amount = settled.amount
    filled, told = wallet.receive(amount)
    origin = chart.processor(payment.provider, amount.currency)
    posting = chart.wallet_deposited(payment.id, wallet.id, origin, amount, at)
    return Change((settled, filled), (posting,), (PaymentSucceeded(settled, payment), *told))


def _collected(payment: Payment, settled: Payment, invoice: Invoice, at: Instant) -> Change:
    amount, owner = settled.amount, invoice.customer_id
    # The invoice may have gone another way meanwhile, or a part of it. The money is real: what
    # nothing is due for becomes the customer's credit; so does an amount nobody asked for.
    applied = part_due(invoice, amount) if amount == payment.amount else amount - amount
    settled = replace(settled, credited=amount - applied)
    change = Change((settled,), events=(PaymentSucceeded(settled, payment),))
    if settled.is_credited:
        origin = chart.processor(payment.provider, amount.currency)
        over = chart.overpayment(payment.id, owner, origin, settled.credited, at)
        change = replace(change, postings=(over,))
    if applied.is_zero:
        return change
    paid = invoice.pay(applied, at)
    booked = chart.payment_succeeded(payment.id, owner, payment.provider, applied, at)
    return replace(
        change,
        rows=(settled, paid),
        postings=(booked, *change.postings),
        events=(*change.events, paid.told_paid(invoice)),
    )


def part_due(invoice: Invoice, amount: Money) -> Money:
    """What of an amount the invoice takes."""
    if invoice.status is not InvoiceStatus.OPEN:
        return Money.zero(amount.currency)
    return min(amount, invoice.due)


def _declined(payment: Payment, outcome: Declined, at: Instant) -> Change | None:
    if payment.has_open_page(at) and not outcome.ends_page:
        # It takes another card; only its expiry, or its completion, ends the attempt.
        return _noted(payment, outcome)
    failed = _failed(payment, outcome.code, outcome.message, at)
    (row,) = failed.rows
    assert isinstance(row, Payment)
    after = replace(
        row,
        decline_kind=outcome.kind.value,
        provider_reference=outcome.reference or payment.provider_reference,
    )
    return replace(failed, rows=(after,), events=(PaymentFailed(after, payment),))


def _noted(payment: Payment, outcome: Declined) -> Change | None:
    after = replace(
        payment,
        failure_code=outcome.code[:100],
        failure_message=outcome.message[:500],
        decline_kind=outcome.kind.value,
    )
    if after == payment:
        return None
    after = replace(after, version=payment.version + 1)
    return Change(rows=(after,), events=(PaymentUpdated(after, payment),))


def _failed(payment: Payment, code: str, message: str, at: Instant) -> Change:
    after = replace(
        payment.to(PaymentStatus.FAILED),
        failure_code=code[:100],
        failure_message=message[:500],
        decline_kind=None,  # what a card was refused for on the page is not why the attempt ended
        next_action_url=None,
        settled_at=at,
    )
    return Change(
        rows=(after,),
        events=(PaymentFailed(after, payment),),
        agenda=(Undue(DueKind.WATCH_PAYMENT, payment.id),),
    )


def _awaiting_action(payment: Payment, reference: str, url: str) -> Change | None:
    if payment.status is not PaymentStatus.PENDING:
        return None  # older than what is known
    if payment.session_reference is not None:
        return None  # the checkout page leads through it
    after = replace(
        payment.to(PaymentStatus.REQUIRES_ACTION), provider_reference=reference, next_action_url=url
    )
    return Change(rows=(after,), events=(PaymentRequiresAction(after, payment),))


def _processing(payment: Payment, reference: str) -> Change | None:
    if payment.status is PaymentStatus.PROCESSING:
        return None
    after = replace(
        payment.to(PaymentStatus.PROCESSING), provider_reference=reference, next_action_url=None
    )
    return Change(rows=(after,), events=(PaymentProcessing(after, payment),))


def _checkout_opened(payment: Payment, outcome: CheckoutOpened) -> Change | None:
    assert payment.mode is PaymentMode.CHECKOUT
    if payment.session_reference is not None:
        return None
    after = replace(
        payment,
        session_reference=outcome.reference,
        checkout_url=outcome.url,
        expires_at=outcome.expires_at,
        version=payment.version + 1,
    )
    return Change(rows=(after,), events=(PaymentUpdated(after, payment),))
