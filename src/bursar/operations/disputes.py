"""Disputes: what the provider's books say of one becomes true here."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.dispute_reports import DisputeReport
from bursar.domain.disputes import Dispute, open_dispute
from bursar.domain.ids import DisputeId, PaymentId
from bursar.domain.money import Money
from bursar.domain.payments import HOLDS_MONEY, Payment
from bursar.domain.refusals import Unavailable
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, disputes, payments
from bursar.store.apply import apply


class FollowDispute(Struct, frozen=True):
    """A report about a dispute of this payment, and when it was asked for."""

    payment_id: PaymentId
    report: DisputeReport
    reported_at: Instant


@operation(requires=Permission.PAYMENT_SETTLE)
async def follow_dispute(tx: Tx, command: FollowDispute) -> Dispute | None:
    """Make the report true; an older one changes nothing.

    Raises:
        Unavailable: the payment is not settled here yet; the task comes again.
    """
    await customers.lock_through(tx, command.payment_id)
    payment = await payments.get(tx, command.payment_id)
    if payment.status not in HOLDS_MONEY:
        raise Unavailable(f"Payment {payment.id} is disputed before it is settled here.")
    report = command.report
    known = await disputes.of_reference(tx, provider=payment.provider, reference=report.reference)
    if known is None:
        new = _new(tx, command, payment)
        change = open_dispute(new, payment, report, tx.now)
    else:
        new = known
        found = known.follow(payment, report, reported_at=command.reported_at, at=tx.now)
        if found is None:
            return known
        change = found
    written = (await apply(tx, change))[new.id]
    assert isinstance(written, Dispute)
    return written


def _new(tx: Tx, command: FollowDispute, payment: Payment) -> Dispute:
    report = command.report
    nothing = Money.zero(report.amount.currency)
    return Dispute(
        id=DisputeId(tx.new_id("dsp")),
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
        status=report.status,
        amount=report.amount,
        withdrawn=nothing,
        fee=nothing,
        move_count=0,
        reason=report.reason[:200],
        provider=payment.provider,
        provider_reference=report.reference,
        evidence_due_at=report.evidence_due_at,
        reported_at=command.reported_at,
        closed_at=None,
        version=0,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.now,
    )
