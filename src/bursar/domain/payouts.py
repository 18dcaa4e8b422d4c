"""Payouts: the processor sends what it holds to the bank, and keeps its fees.

Booked once, when the payout is first seen; one that fails or is canceled is booked back. The amount
is the organization's share and never changes: a payout of other amounts is another payout.
"""

from typing import Final

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.ids import PayoutId
from bursar.domain.ledger import Posting
from bursar.domain.money import Money
from bursar.domain.payment_events import PayoutCreated, PayoutFailed, PayoutPaid, PayoutUpdated
from bursar.domain.payout_reports import CAME_BACK, PayoutReport, PayoutStatus
from bursar.domain.refusals import IllegalTransition
from bursar.domain.times import Instant

# A bank may send back what had arrived.
TRANSITIONS: Final[dict[PayoutStatus, tuple[PayoutStatus, ...]]] = {
    PayoutStatus.PENDING: (
        PayoutStatus.IN_TRANSIT,
        PayoutStatus.PAID,
        PayoutStatus.FAILED,
        PayoutStatus.CANCELED,
    ),
    PayoutStatus.IN_TRANSIT: (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELED),
    PayoutStatus.PAID: (PayoutStatus.FAILED,),
    PayoutStatus.FAILED: (),
    PayoutStatus.CANCELED: (),
}


class Payout(Struct, frozen=True):
    """What one organization has of one payout."""

    id: PayoutId
    provider: str
    provider_reference: str
    status: PayoutStatus
    amount: Money
    fee: Money
    move_count: int
    failure_code: str | None
    sent_at: Instant
    arrives_at: Instant
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def to(self, status: PayoutStatus) -> "Payout":
        """The same payout in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Payout {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def follow(self, report: PayoutReport, at: Instant) -> Change | None:
        """What a report makes true; nothing, when it is older or says nothing new."""
        assert report.reference == self.provider_reference
        if report.status not in TRANSITIONS[self.status]:
            return None
        after = replace(
            self.to(report.status), arrives_at=report.arrives_at, failure_code=report.failure_code
        )
        sent = _sent(self, at) if after.status in CAME_BACK else None
        back = () if sent is None else (chart.payout_failed(sent, self.id, at),)
        return Change(rows=(after,), postings=back, events=(_event(after, self),))


def open_payout(payout: Payout, at: Instant) -> Change:
    """The first we see of it; one that came back before moved nothing of ours."""
    sent = None if payout.status in CAME_BACK else _sent(payout, at)
    postings = () if sent is None else (sent,)
    return Change(rows=(payout,), postings=postings, events=(PayoutCreated(payout),))


def _sent(payout: Payout, at: Instant) -> Posting | None:
    names, fee = (payout.id, payout.provider), payout.fee
    if payout.amount.is_negative:
        return chart.payout_drawn(*names, at, amount=-payout.amount, fee=fee)
    if (payout.amount + fee).is_zero:
        return None
    return chart.payout_sent(*names, at, amount=payout.amount, fee=fee)


def _event(after: Payout, before: Payout) -> Event:
    if after.status in CAME_BACK:
        return PayoutFailed(after, before)
    if after.status is PayoutStatus.PAID:
        return PayoutPaid(after, before)
    return PayoutUpdated(after, before)
