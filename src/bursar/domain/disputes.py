"""Disputes: a cardholder's bank takes a payment back, and gives it again if we win.

Owns what a report of the provider's books makes true here. Every move of money is booked once, in
the order of the provider's list. While the bank has the money it stands in an account of its own;
lost, it is a loss; won, the payment holds it again. A report that is older than the last one
changes nothing.
"""

from typing import Final

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.dispute_reports import (
    CLOSED,
    HOLDING,
    DisputeMove,
    DisputeReport,
    DisputeStatus,
)
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, DisputeId, InvoiceId, PaymentId
from bursar.domain.ledger import Posting
from bursar.domain.money import Money, total
from bursar.domain.payment_events import (
    DisputeClosed,
    DisputeCreated,
    DisputeUpdated,
    PaymentDisputeClosed,
    PaymentDisputed,
)
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.refunds import state_of
from bursar.domain.refusals import IllegalTransition
from bursar.domain.times import Instant

_CHARGEBACK: Final = (
    DisputeStatus.NEEDS_RESPONSE,
    DisputeStatus.UNDER_REVIEW,
    DisputeStatus.WON,
    DisputeStatus.LOST,
)
# Reports may skip steps, and a bank may change its mind; a chargeback never becomes an inquiry.
TRANSITIONS: Final[dict[DisputeStatus, tuple[DisputeStatus, ...]]] = {
    status: tuple(
        goal
        for goal in (_CHARGEBACK if status in _CHARGEBACK else DisputeStatus)
        if goal is not status
    )
    for status in DisputeStatus
}


class Dispute(Struct, frozen=True):
    """One dispute of a payment. `withdrawn` is what the bank has of us now; `fee` what it cost."""

    id: DisputeId
    payment_id: PaymentId
    invoice_id: InvoiceId | None
    customer_id: CustomerId | None
    status: DisputeStatus
    amount: Money
    withdrawn: Money
    fee: Money
    move_count: int
    reason: str
    provider: str
    provider_reference: str
    evidence_due_at: Instant | None
    reported_at: Instant
    closed_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def is_closed(self) -> bool:
        """The bank has decided; it may still change its mind."""
        return self.status in CLOSED

    def to(self, status: DisputeStatus) -> "Dispute":
        """The same dispute in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Dispute {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def follow(
        self, payment: Payment, report: DisputeReport, *, reported_at: Instant, at: Instant
    ) -> Change | None:
        """What a report makes true; nothing, when it is older or says nothing new."""
        assert report.reference == self.provider_reference
        is_older = reported_at < self.reported_at or len(report.moves) < self.move_count
        is_known = (report.status, len(report.moves), report.evidence_due_at) == (
            self.status,
            self.move_count,
            self.evidence_due_at,
        )
        if is_older or is_known:
            return None
        after = _reported(self, report, reported_at=reported_at, at=at)
        return _change(after, self, payment, report.moves[self.move_count :], at)


def open_dispute(dispute: Dispute, payment: Payment, report: DisputeReport, at: Instant) -> Change:
    """The first we hear of it."""
    after = _reported(dispute, report, reported_at=dispute.reported_at, at=at)
    return _change(replace(after, version=1), None, payment, report.moves, at)


def _reported(
    dispute: Dispute, report: DisputeReport, *, reported_at: Instant, at: Instant
) -> Dispute:
    new = report.moves[dispute.move_count :]
    currency = dispute.amount.currency
    is_closed = report.status in CLOSED
    moved = dispute if report.status is dispute.status else dispute.to(report.status)
    return replace(
        moved,
        withdrawn=dispute.withdrawn - total((move.amount for move in new), currency),
        fee=dispute.fee + total((move.fee for move in new), currency),
        move_count=len(report.moves),
        evidence_due_at=report.evidence_due_at,
        reported_at=reported_at,
        closed_at=(dispute.closed_at or at) if is_closed else None,
        version=dispute.version + 1,
    )


def _change(
    after: Dispute,
    before: Dispute | None,
    payment: Payment,
    moves: tuple[DisputeMove, ...],
    at: Instant,
) -> Change:
    told: list[Event] = [_event(after, before)]
    paid = _payment_after(payment, after)
    if paid is not payment:
        is_held = paid.status is PaymentStatus.DISPUTED
        told.append((PaymentDisputed if is_held else PaymentDisputeClosed)(paid, payment))
    elif after.status is DisputeStatus.LOST and (before is None or not before.is_closed):
        paid = replace(payment, version=payment.version + 1)
        told.append(PaymentDisputeClosed(paid, payment))
    rows = (after,) if paid is payment else (after, paid)
    return Change(rows=rows, postings=_postings(after, before, moves, at), events=tuple(told))


def _event(after: Dispute, before: Dispute | None) -> Event:
    if before is None:
        return DisputeCreated(after)
    if after.is_closed and not before.is_closed:
        return DisputeClosed(after, before)
    return DisputeUpdated(after, before)


def _payment_after(payment: Payment, dispute: Dispute) -> Payment:
    """The payment in the state that the dispute puts it into."""
    wanted = PaymentStatus.DISPUTED if dispute.status in HOLDING else state_of(payment)
    return payment if payment.status is wanted else payment.to(wanted)


def _postings(
    after: Dispute, before: Dispute | None, moves: tuple[DisputeMove, ...], at: Instant
) -> tuple[Posting, ...]:
    booked: list[Posting] = []
    was_lost = before is not None and before.status is DisputeStatus.LOST
    is_lost = after.status is DisputeStatus.LOST
    source = f"{after.id}:v{after.version}"
    if before is not None and was_lost and not is_lost and before.withdrawn.is_positive:
        booked.append(chart.dispute_reopened(source, before.withdrawn, at))
    holder = chart.processor(after.provider, after.amount.currency)
    first = after.move_count - len(moves)
    for number, move in enumerate(moves, start=first + 1):
        key = f"{after.id}:{number}"
        if move.amount.is_negative:
            taken = -move.amount
            booked.append(chart.dispute_withdrawn(key, holder, at, amount=taken, fee=move.fee))
        elif move.amount.is_positive:
            booked.append(chart.dispute_reinstated(key, holder, move.amount, at))
    if is_lost and not was_lost and after.withdrawn.is_positive:
        booked.append(chart.dispute_lost(source, after.withdrawn, at))
    return tuple(booked)
