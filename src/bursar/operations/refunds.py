"""Refunds: begin one, and settle it with whatever answer arrives."""

from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.ids import PaymentId, RefundId
from bursar.domain.money import Money
from bursar.domain.payments import ASKING, Payment, PaymentMode
from bursar.domain.provider import RefundLookup, RefundQuestion, RefundRequest, Unknown
from bursar.domain.refunds import (
    Refund,
    RefundStatus,
    adoption_key,
    begin,
    require_refundable,
)
from bursar.domain.refusals import IdempotencyMismatch, NotRefundable
from bursar.domain.tasks import ConfirmRefund
from bursar.domain.wallets import Wallet
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, payments, refunds, wallets
from bursar.store.apply import apply

_GIVEN_BACK_THERE: Final = "Given back at the payment provider."


class BeginRefund(Struct, frozen=True, kw_only=True):
    """Give all that is left of a payment back, or this much; `attempt_key` names the request."""

    payment_id: PaymentId
    attempt_key: str
    amount_minor: int | None = None
    reason: str | None = None


class RefundBegun(Struct, frozen=True):
    """The refund, and what to ask the provider for it; nothing, when it was done at once."""

    refund: Refund
    request: RefundRequest | None


@operation(requires=Permission.REFUND_WRITE)
async def begin_refund(tx: Tx, command: BeginRefund) -> RefundBegun:
    """Reserve the amount and write the refund down before the provider is asked.

    Only the request that began a refund rejoins it, and so sends the same key to the provider.

    Raises:
        NotFound: no such payment.
        NotRefundable, RefundAboveRest: it is not there to be given back.
        InsufficientFunds, WalletClosed: a deposit, or credit, that was spent.
    """
    payment, wallet = await _locked(tx, command.payment_id)
    mine = await refunds.refund_of_key(tx, payment.id, command.attempt_key)
    if mine is not None:
        if command.amount_minor not in {None, mine.amount.minor}:
            raise IdempotencyMismatch("This idempotency key belongs to another refund.")
        return RefundBegun(mine, _request(tx, mine, payment))
    refund = await _new(tx, command, payment, None)
    written = await _written(tx, refund, begin(refund, payment, wallet, tx.now))
    return RefundBegun(written, _request(tx, written, payment))


class AdoptRefund(Struct, frozen=True):
    """Money of a payment that was given back at the provider itself, under its own reference.

    Without an amount there is nothing to adopt, only a record to find.
    """

    payment_id: PaymentId
    reference: str
    amount: Money | None


@operation(requires=Permission.PAYMENT_SETTLE)
async def adopt_refund(tx: Tx, command: AdoptRefund) -> Refund | None:
    """The record of a refund that no request of ours began; from here on it is like any other.

    How it stands there is asked at once.

    Raises:
        NotFound: no such payment.
        NotRefundable, RefundAboveRest: more went back there than is left here.
        InsufficientFunds, WalletClosed: it would be a deposit's, or credit's, that was spent.
    """
    payment, wallet = await _locked(tx, command.payment_id)
    key = adoption_key(command.reference)
    known = await refunds.refund_of_key(tx, payment.id, key)
    if known is not None or command.amount is None:
        return known
    if command.amount.currency != payment.amount.currency:
        raise NotRefundable("It was given back in another currency than was paid.")
    theirs = BeginRefund(
        payment_id=payment.id,
        attempt_key=key,
        amount_minor=command.amount.minor,
        reason=_GIVEN_BACK_THERE,
    )
    refund = await _new(tx, theirs, payment, command.reference)
    written = await _written(tx, refund, begin(refund, payment, wallet, tx.now))
    await tx.enqueue(ConfirmRefund(written.id))
    return written


class SettleRefund(Struct, frozen=True):
    """An answer about a refund. `is_watch`: the watchdog asked, and asks again if need be."""

    refund_id: RefundId
    outcome: RefundLookup
    is_watch: bool = False


@operation(requires=Permission.REFUND_WRITE)
async def settle_refund(tx: Tx, command: SettleRefund) -> Refund:
    """The one door for an answer, whoever carries it; what is not news changes nothing."""
    await customers.lock_through(tx, command.refund_id)
    payment, wallet = await _locked(tx, (await refunds.get(tx, command.refund_id)).payment_id)
    refund = await refunds.get(tx, command.refund_id)
    change = refund.settle(payment, wallet, command.outcome, tx.now)
    if change is None and command.is_watch and refund.is_open:
        is_technical = isinstance(command.outcome, Unknown) and command.outcome.is_outage
        change = refund.watch(tx.wall, technical_failure=is_technical)
    return refund if change is None else await _written(tx, refund, change)


class AskAboutRefund(Struct, frozen=True):
    """What to ask the provider about a refund."""

    refund_id: RefundId


@operation(requires=Permission.PAYMENT_SETTLE)
async def ask_about_refund(tx: Tx, command: AskAboutRefund) -> tuple[Refund, RefundQuestion | None]:
    """The question, with the very request that may have to be sent again under the same key."""
    refund = await refunds.get(tx, command.refund_id)
    request = _request(tx, refund, await payments.get(tx, refund.payment_id))
    if request is None:
        return refund, None
    return refund, RefundQuestion(
        resend=request,
        created_at=refund.created_at,
        now=tx.wall,
        reference=refund.provider_reference,
    )


async def _new(tx: Tx, command: BeginRefund, payment: Payment, reference: str | None) -> Refund:
    wanted = None
    if command.amount_minor is not None:
        wanted = Money(command.amount_minor, payment.amount.currency)
    amount = require_refundable(payment, wanted)
    # What no invoice was paid with goes first: it is the customer's own.
    # A credit note may have refunded more out of credit than the payment ever brought to it.
    left = payment.credited - await refunds.credit_taken(tx, payment)
    unspent = max(left, Money.zero(left.currency))
    return Refund(
        id=RefundId(tx.new_id("rfd")),
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
        status=RefundStatus.PENDING,
        amount=amount,
        credit=min(amount, unspent),
        reason=command.reason,
        provider=payment.provider,
        provider_reference=reference,
        failure_code=None,
        failure_message=None,
        attempt_key=command.attempt_key,
        watch_step=0,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.now,
    )


def _request(tx: Tx, refund: Refund, payment: Payment) -> RefundRequest | None:
    if payment.mode not in ASKING:
        return None
    assert payment.provider_reference is not None, "it holds money"
    return RefundRequest(
        org_id=tx.org_id,
        refund_id=refund.id,
        payment_id=payment.id,
        payment_reference=payment.provider_reference,
        amount=refund.amount,
        reason=refund.reason,
        is_theirs=refund.is_adopted,
    )


async def _locked(tx: Tx, payment_id: PaymentId) -> tuple[Payment, Wallet | None]:
    """A payment and the wallet whose money it moved; from here on the verb is alone with both."""
    await customers.lock_through(tx, payment_id)
    payment = await payments.get(tx, payment_id)
    if payment.wallet_id is None or not (payment.is_deposit or payment.mode is PaymentMode.WALLET):
        return payment, None
    wallet = await wallets.lock(tx, payment.wallet_id)
    return await payments.get(tx, payment_id), wallet  # what it became while we waited


async def _written(tx: Tx, refund: Refund, change: Change) -> Refund:
    written = (await apply(tx, change))[refund.id]
    assert isinstance(written, Refund)
    return written
