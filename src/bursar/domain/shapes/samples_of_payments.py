"""The stories of payments and refunds: one event of each name that they tell."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar

from bursar.domain import payment_beginnings, payment_methods, refunds
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.dispute_reports import DisputeMove, DisputeReport, DisputeStatus
from bursar.domain.disputes import Dispute, open_dispute
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.ids import DisputeId, PaymentId, PaymentMethodId, PayoutId, RefundId
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.payments import Payment, PaymentMode, PaymentPurpose, PaymentStatus
from bursar.domain.payout_reports import PayoutReport, PayoutStatus
from bursar.domain.payouts import Payout, open_payout
from bursar.domain.provider import (
    ActionRequired,
    CheckoutOpened,
    Declined,
    DeclineKind,
    MethodFace,
    Processing,
    RefundDone,
    RefundRefused,
    RefundUnderway,
    Succeeded,
)
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.times import Instant

_REFERENCE = "re_3Rv8sJd2KqLm4Nq"
Kind = TypeVar("Kind", bound=Row)


def method_story(customer: Customer) -> Iterator[Change]:
    """A card is stored, taken away again, and forgotten with its customer."""
    method = a_method(customer)
    yield payment_methods.attach(method)
    yield _made(method.detach(customer.created_at))
    yield _made(method.erase(customer.created_at))


def a_method(customer: Customer) -> PaymentMethod:
    """A card."""
    return PaymentMethod(
        id=PaymentMethodId("pm_0195a1b2-c3d4-7017-8000-0123456789ab"),
        customer_id=customer.id,
        provider="sandbox",
        provider_reference="pm_1Rv8sJd2KqLm4Nt",
        face=MethodFace("card", "visa", "4242", 12, 2034),
        detached_at=None,
        version=1,
        sequence=0,
        created_at=customer.created_at,
        updated_at=customer.created_at,
    )


def attempt_story(invoice: Invoice, at: Instant) -> Iterator[Change]:
    """One attempt after the other, by every way it may go."""
    attempt = an_attempt(invoice, at)
    yield payment_beginnings.begin(attempt, invoice, wall=at)
    opened = CheckoutOpened("cs_7Hq2", "https://pay.example/c/7Hq2", at + timedelta(hours=1))
    page = replace(attempt, mode=PaymentMode.CHECKOUT)
    yield _made(page.settle(invoice, opened, at))
    intent = "pi_3Rv8sJd2KqLm4Np"
    needs = ActionRequired(intent, "https://pay.example/3ds/9Kd2")
    yield _made(attempt.settle(invoice, needs, at))
    yield _made(attempt.settle(invoice, Processing(intent), at))
    message = "The card has insufficient funds."
    declined = Declined("insufficient_funds", message, DeclineKind.RETRY, intent)
    yield _made(attempt.settle(invoice, declined, at))
    yield _made(attempt.settle(invoice, Succeeded(intent, invoice.due), at))


def refund_story(attempt: Payment, invoice: Invoice) -> Iterator[Change]:
    """A part is given back and returns; then all of it is given back."""
    at = attempt.created_at
    paid = attempt.settle(invoice, Succeeded("pi_3Rv8sJd2KqLm4Np", invoice.due), at)
    payment = _the(Payment, paid)
    part = Money(1_000, invoice.currency)
    refund = a_refund(payment, part)
    begun = refunds.begin(refund, payment, None, at)
    yield begun
    reserved = _the(Payment, begun)
    yield _made(refund.settle(reserved, None, RefundUnderway(_REFERENCE, part), at))
    done = _made(refund.settle(reserved, None, RefundDone(_REFERENCE, part), at))
    yield done
    refused = RefundRefused("expired_or_canceled_card", "The card was canceled.", _REFERENCE)
    yield _made(_the(Refund, done).settle(_the(Payment, done), None, refused, at))
    yield refund.watch(at, technical_failure=False)
    whole = a_refund(payment, payment.amount)
    reserved = replace(payment, refunding=payment.amount)
    yield _made(whole.settle(reserved, None, RefundDone(_REFERENCE, payment.amount), at))


def dispute_story(attempt: Payment, invoice: Invoice) -> Iterator[Change]:
    """A bank takes the money, asks for evidence, and gives it again."""
    at = attempt.created_at
    paid = attempt.settle(invoice, Succeeded("pi_3Rv8sJd2KqLm4Np", invoice.due), at)
    payment, nothing = _the(Payment, paid), Money.zero(invoice.currency)
    dispute = a_dispute(payment)
    withdrawn = DisputeMove("txn_1Rv8sJd2Kq", -payment.amount, Money(1_500, invoice.currency))
    opened = open_dispute(dispute, payment, _report(dispute, (withdrawn,)), at)
    yield opened
    dispute, payment = _the(Dispute, opened), _the(Payment, opened)
    reviewed = _report(dispute, (withdrawn,), DisputeStatus.UNDER_REVIEW)
    yield _made(dispute.follow(payment, reviewed, reported_at=at, at=at))
    back = DisputeMove("txn_1Rv8sJd2Kr", payment.amount, nothing)
    won = _report(dispute, (withdrawn, back), DisputeStatus.WON)
    yield _made(dispute.follow(payment, won, reported_at=at, at=at))


def payout_story(currency: Currency, at: Instant) -> Iterator[Change]:
    """A payout is sent, is on its way, arrives, and comes back."""
    payout = a_payout(currency, at)
    yield open_payout(payout, at)
    for status in (PayoutStatus.IN_TRANSIT, PayoutStatus.PAID, PayoutStatus.FAILED):
        report = PayoutReport(
            payout.provider_reference, status, payout.amount, at, payout.arrives_at
        )
        yield _made(payout.follow(report, at))


def a_payout(currency: Currency, at: Instant) -> Payout:
    """A payout that has just been made."""
    return Payout(
        id=PayoutId("po_0195a1b2-c3d4-7020-8000-0123456789ab"),
        provider="sandbox",
        provider_reference="po_1Rv8sJd2KqLm4Nu",
        status=PayoutStatus.PENDING,
        amount=Money(48_235, currency),
        fee=Money(1_765, currency),
        move_count=12,
        failure_code=None,
        sent_at=at,
        arrives_at=at + timedelta(days=1),
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def _report(
    dispute: Dispute,
    moves: tuple[DisputeMove, ...],
    status: DisputeStatus = DisputeStatus.NEEDS_RESPONSE,
) -> DisputeReport:
    return DisputeReport(
        reference=dispute.provider_reference,
        payment_reference="pi_3Rv8sJd2KqLm4Np",
        status=status,
        amount=dispute.amount,
        reason=dispute.reason,
        evidence_due_at=dispute.evidence_due_at,
        moves=moves,
    )


def a_dispute(payment: Payment) -> Dispute:
    """A dispute that nothing is known of yet."""
    nothing = Money.zero(payment.amount.currency)
    return Dispute(
        id=DisputeId("dsp_0195a1b2-c3d4-7016-8000-0123456789ab"),
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
        status=DisputeStatus.NEEDS_RESPONSE,
        amount=payment.amount,
        withdrawn=nothing,
        fee=nothing,
        move_count=0,
        reason="fraudulent",
        provider=payment.provider,
        provider_reference="du_1Rv8sJd2KqLm4Ns",
        evidence_due_at=payment.created_at + timedelta(days=7),
        reported_at=payment.created_at,
        closed_at=None,
        version=0,
        sequence=0,
        created_at=payment.created_at,
        updated_at=payment.created_at,
    )


def an_attempt(invoice: Invoice, at: Instant) -> Payment:
    """An attempt that begins."""
    return Payment(
        id=PaymentId("pay_0195a1b2-c3d4-7010-8000-0123456789ab"),
        purpose=PaymentPurpose.INVOICE,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        wallet_id=None,
        mode=PaymentMode.CHARGE,
        status=PaymentStatus.PENDING,
        amount=invoice.due,
        refunded=Money.zero(invoice.currency),
        refunding=Money.zero(invoice.currency),
        provider="sandbox",
        provider_reference=None,
        session_reference=None,
        method_reference=None,
        checkout_url=None,
        next_action_url=None,
        success_url=None,
        cancel_url=None,
        failure_code=None,
        failure_message=None,
        decline_kind=None,
        attempt_key="sample",
        watch_step=0,
        credited=Money.zero(invoice.currency),
        receipt=None,
        expires_at=None,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def a_refund(payment: Payment, amount: Money) -> Refund:
    """A refund that begins."""
    return Refund(
        id=RefundId("rfd_0195a1b2-c3d4-7015-8000-0123456789ab"),
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
        status=RefundStatus.PENDING,
        amount=amount,
        credit=Money.zero(amount.currency),
        reason="requested_by_customer",
        provider=payment.provider,
        provider_reference=None,
        failure_code=None,
        failure_message=None,
        attempt_key="sample",
        watch_step=0,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=payment.created_at,
        updated_at=payment.created_at,
    )


def _the(kind: type[Kind], change: Change | None) -> Kind:
    return next(row for row in _made(change).rows if isinstance(row, kind))


def _made(change: Change | None) -> Change:
    assert change is not None, "every step of the story changes something"
    return change
