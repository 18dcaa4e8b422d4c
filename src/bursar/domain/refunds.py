"""Refunds: a payment given back, in part or whole, never more than is left of it.

A refund reserves its amount on the payment before the provider is asked, so two that would together
be too much cannot both begin. Whoever brings the answer goes through `Refund.settle`: it may
repeat, come late or out of order, and the state only moves forward. A refund that comes back days
later is booked back, and its amount may be refunded again.

Where the money comes from is where the payment went: what an invoice was paid with is a loss of
income; credit and stored money are taken when the refund begins, or they could be spent meanwhile.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.events import Event, WalletWithdrawn
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, RefundId
from bursar.domain.ledger import Posting
from bursar.domain.money import Money
from bursar.domain.payment_events import (
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentUpdated,
    RefundCreated,
    RefundFailed,
    RefundProcessing,
    RefundSucceeded,
    RefundUpdated,
)
from bursar.domain.payments import (
    ASKING,
    REFUNDABLE,
    WATCH_STEPS,
    WATCH_WAITING,
    Payment,
    PaymentMode,
    PaymentStatus,
)
from bursar.domain.provider import (
    NotFound,
    RefundDone,
    RefundLookup,
    RefundRefused,
    RefundUnderway,
    Unknown,
)
from bursar.domain.refusals import IllegalTransition, NotRefundable, RefundAboveRest
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet


class RefundStatus(StrEnum):
    """Where a refund is. A pending one waits for the provider's answer."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


TRANSITIONS: Final[dict[RefundStatus, tuple[RefundStatus, ...]]] = {
    RefundStatus.PENDING: (
        RefundStatus.PROCESSING,
        RefundStatus.SUCCEEDED,
        RefundStatus.FAILED,
    ),
    RefundStatus.PROCESSING: (RefundStatus.SUCCEEDED, RefundStatus.FAILED),
    RefundStatus.SUCCEEDED: (RefundStatus.FAILED,),  # the payer's bank sent it back
    RefundStatus.FAILED: (),
}
WATCHED: Final = frozenset({RefundStatus.PENDING, RefundStatus.PROCESSING})
SENT: Final = frozenset({RefundStatus.PROCESSING, RefundStatus.SUCCEEDED})
"""The provider has taken the money out of what it holds for us."""
_ADOPTED: Final = "provider:"  # what a caller's own key is turned into never begins like this


class Refund(Struct, frozen=True):
    """One refund. `attempt_key` names the request that began it: only that request rejoins it."""

    id: RefundId
    payment_id: PaymentId
    invoice_id: InvoiceId | None
    customer_id: CustomerId | None
    status: RefundStatus
    amount: Money
    credit: Money  # what of it is taken from the customer's credit
    reason: str | None
    provider: str
    provider_reference: str | None
    failure_code: str | None
    failure_message: str | None
    attempt_key: str
    watch_step: int
    settled_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def is_open(self) -> bool:
        """The provider may still decide either way."""
        return self.status in WATCHED

    @property
    def is_adopted(self) -> bool:
        """It was made at the provider, which has it without a mark of ours."""
        return self.attempt_key.startswith(_ADOPTED)

    def to(self, status: RefundStatus) -> "Refund":
        """The same refund in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Refund {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def settle(
        self, payment: Payment, wallet: Wallet | None, outcome: RefundLookup, at: Instant
    ) -> Change | None:
        """What an answer makes true; nothing, when it says nothing new.

        `wallet` is the one that a deposit had filled. The caller holds the customer's lock, or the
        wallet's.
        """
        assert payment.id == self.payment_id
        match outcome:
            case Unknown():
                return None
            case RefundUnderway() | RefundDone():
                if outcome.amount != self.amount:
                    return None  # not the refund we asked for: it waits for a person
                return _sent(self, payment, outcome, at)
            case RefundRefused():
                return _failed(self, payment, wallet, outcome, at)
            case NotFound():
                if self.status is not RefundStatus.PENDING:
                    return None  # it was there once; a listing that lacks it proves nothing
                lost = RefundRefused("never_arrived", "The provider never received the refund.")
                return _failed(self, payment, wallet, lost, at)
            case _:
                assert_never(outcome)

    def watch(self, wall: Instant, *, technical_failure: bool) -> Change:
        """The watchdog asked and nothing changed: when it asks again."""
        step = self.watch_step if technical_failure else self.watch_step + 1
        after = replace(self, watch_step=step, version=self.version + 1)
        due = Due(DueKind.WATCH_REFUND, self.id, wall + _watch_delay(after))
        return Change(rows=(after,), events=(RefundUpdated(after, self),), agenda=(due,))


def adoption_key(reference: str) -> str:
    """The key of a refund that no request of ours began: one record for each of theirs."""
    return _ADOPTED + reference


def require_refundable(payment: Payment, amount: Money | None) -> Money:
    """The amount that is given back: all that is left, unless one is named.

    Raises:
        NotRefundable: the payment holds nothing to give back.
        RefundAboveRest: more than is left.
    """
    left = payment.refundable
    if payment.status not in REFUNDABLE or not left.is_positive:
        raise NotRefundable(
            f"Payment {payment.id} is {payment.status.value}; nothing of it can be refunded.",
            facts={"currentStatus": payment.status.value, "refundableCents": 0},
        )
    if amount is not None and amount > left:
        raise RefundAboveRest(
            f"Of payment {payment.id} {left.minor} can still be refunded.",
            facts={"refundableCents": left.minor, "currency": left.currency},
        )
    return left if amount is None else amount


def begin(refund: Refund, payment: Payment, wallet: Wallet | None, at: Instant) -> Change:
    """Reserve the amount, and write the refund down before the provider is asked.

    Where no provider is asked, it is done as it begins: a wallet or the credit balance has the
    money again, or an accountant gives it back by hand. `wallet` is the one that paid, or the one
    that a deposit had filled. The refund's own `created_at` is on the wall clock.

    Raises:
        NotRefundable, RefundAboveRest: it is not there to be given back.
        InsufficientFunds, WalletClosed: the deposit was spent.
    """
    assert refund.amount == require_refundable(payment, refund.amount)
    if payment.mode not in ASKING:
        return _given_back(refund, payment, wallet, at)
    reserved = replace(
        payment, refunding=payment.refunding + refund.amount, version=payment.version + 1
    )
    due = Due(DueKind.WATCH_REFUND, refund.id, refund.created_at + WATCH_STEPS[0])
    change = Change(
        rows=(refund, reserved),
        events=(RefundCreated(refund), PaymentUpdated(reserved, payment)),
        agenda=(due,),
    )
    if payment.is_deposit:
        assert wallet is not None
        less = replace(wallet.with_less(refund.amount), version=wallet.version + 1)
        change = replace(
            change,
            rows=(*change.rows, less),
            events=(*change.events, WalletWithdrawn(less, wallet)),
        )
    if _is_taken_first(refund, payment):
        change = replace(change, postings=(_posting(refund, payment, at),))
    return change


def _given_back(refund: Refund, payment: Payment, wallet: Wallet | None, at: Instant) -> Change:
    done = replace(refund.to(RefundStatus.SUCCEEDED), version=refund.version, settled_at=at)
    returned = _returned(replace(payment, refunded=payment.refunded + refund.amount))
    change = Change(
        rows=(done, returned),
        postings=(_posting(refund, payment, at),),
        events=(RefundSucceeded(done), _told_of(returned, payment)),
    )
    if wallet is None:
        return change
    filled, told = wallet.receive(refund.amount)
    return replace(change, rows=(*change.rows, filled), events=(*change.events, *told))


def _sent(
    refund: Refund, payment: Payment, outcome: RefundUnderway | RefundDone, at: Instant
) -> Change | None:
    is_over = isinstance(outcome, RefundDone)
    status = RefundStatus.SUCCEEDED if is_over else RefundStatus.PROCESSING
    if status not in TRANSITIONS[refund.status]:
        return None  # known already, or older than what is known
    after = replace(
        refund.to(status),
        provider_reference=outcome.reference,
        settled_at=at if is_over else None,
    )
    event: Event = RefundSucceeded(after, refund) if is_over else RefundProcessing(after, refund)
    watch = Undue(DueKind.WATCH_REFUND, refund.id)
    later = Due(DueKind.WATCH_REFUND, refund.id, refund.created_at + WATCH_WAITING)
    change = Change(rows=(after,), events=(event,), agenda=(watch if is_over else later,))
    if refund.status in SENT:
        return change  # its money left before
    returned = _returned(
        replace(
            payment,
            refunding=payment.refunding - refund.amount,
            refunded=payment.refunded + refund.amount,
        )
    )
    postings = () if _is_taken_first(refund, payment) else (_posting(refund, payment, at),)
    return replace(
        change,
        rows=(after, returned),
        postings=postings,
        events=(event, _told_of(returned, payment)),
    )


def _failed(
    refund: Refund, payment: Payment, wallet: Wallet | None, refused: RefundRefused, at: Instant
) -> Change | None:
    if refund.status is RefundStatus.FAILED:
        return None
    after = replace(
        refund.to(RefundStatus.FAILED),
        provider_reference=refused.reference or refund.provider_reference,
        failure_code=refused.code[:100],
        failure_message=refused.message[:500],
        settled_at=at,
    )
    was_sent = refund.status in SENT
    freed = _freed(payment, refund.amount, was_sent=was_sent)
    told: Event = (PaymentRefundFailed if was_sent else PaymentUpdated)(freed, payment)
    change = Change(
        rows=(after, freed),
        events=(RefundFailed(after, refund), told),
        agenda=(Undue(DueKind.WATCH_REFUND, refund.id),),
    )
    if was_sent or _is_taken_first(refund, payment):
        back = chart.refund_failed(_posting(refund, payment, at), refund.id, at)
        change = replace(change, postings=(back,))
    if payment.is_deposit:
        assert wallet is not None
        filled, events = wallet.receive(refund.amount)
        change = replace(change, rows=(*change.rows, filled), events=(*change.events, *events))
    return change


def _freed(payment: Payment, amount: Money, *, was_sent: bool) -> Payment:
    if was_sent:
        return _returned(replace(payment, refunded=payment.refunded - amount))
    return replace(payment, refunding=payment.refunding - amount, version=payment.version + 1)


def _returned(payment: Payment) -> Payment:
    """The payment in the state that what was given back puts it into, one version later."""
    status = state_of(payment)
    if payment.status in {status, PaymentStatus.DISPUTED}:
        return replace(payment, version=payment.version + 1)
    return payment.to(status)


def state_of(payment: Payment) -> PaymentStatus:
    """What a payment is by what was given back of it, disputes left aside."""
    if payment.refunded.is_zero:
        return PaymentStatus.SUCCEEDED
    is_all = payment.refunded == payment.amount
    return PaymentStatus.REFUNDED if is_all else PaymentStatus.PARTIALLY_REFUNDED


def _told_of(returned: Payment, payment: Payment) -> Event:
    is_all = returned.refunded == returned.amount
    return (PaymentRefunded if is_all else PaymentPartiallyRefunded)(returned, payment)


def _is_taken_first(refund: Refund, payment: Payment) -> bool:
    """Whether the money is the customer's to spend, so that it is taken when the refund begins."""
    return refund.credit.is_positive or payment.is_deposit


def _posting(refund: Refund, payment: Payment, at: Instant) -> Posting:
    amount, currency = refund.amount, refund.amount.currency
    if payment.is_deposit:
        assert payment.wallet_id is not None
        return chart.deposit_refunded(refund.id, payment.wallet_id, refund.provider, amount, at)
    assert payment.customer_id is not None, "it paid an invoice"
    holder = chart.credit(payment.customer_id, currency)
    match payment.mode:
        case PaymentMode.WALLET:
            assert payment.wallet_id is not None
            stored = chart.wallet(payment.wallet_id, currency)
            return chart.stored_payment_refunded(refund.id, stored, amount, at)
        case PaymentMode.CREDIT:
            return chart.stored_payment_refunded(refund.id, holder, amount, at)
        case PaymentMode.MANUAL:
            goal = chart.bank(currency)
        case PaymentMode.CHECKOUT | PaymentMode.CHARGE:
            goal = chart.processor(refund.provider, currency)
        case _:
            assert_never(payment.mode)
    credited = (holder, refund.credit)
    return chart.payment_refunded(refund.id, goal, amount - refund.credit, credited, at)


def _watch_delay(refund: Refund) -> timedelta:
    if refund.status is not RefundStatus.PENDING:
        return WATCH_WAITING
    return WATCH_STEPS[min(refund.watch_step, len(WATCH_STEPS) - 1)]
