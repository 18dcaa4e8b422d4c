"""A dispute as the world sees it: of which payment, how far it is, and by when evidence is due."""

from typing import Literal

from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.disputes import Dispute
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class DisputeOut(Shape, frozen=True, kw_only=True):
    """One dispute. `withdrawnCents` is what the bank has now, `feeCents` what it cost."""

    id: str
    object: Literal["dispute"] = "dispute"
    payment_id: str
    invoice_id: str | None
    customer_id: str | None
    status: DisputeStatus
    amount_cents: Cents
    withdrawn_cents: Cents
    fee_cents: Cents
    currency: str
    reason: str
    provider: str
    stripe_dispute_id: str
    evidence_due_at: WireInstant | None
    closed_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, dispute: Dispute) -> "DisputeOut":
        """The dispute's shape."""
        return cls(
            id=dispute.id,
            payment_id=dispute.payment_id,
            invoice_id=dispute.invoice_id,
            customer_id=dispute.customer_id,
            status=dispute.status,
            amount_cents=dispute.amount.minor,
            withdrawn_cents=dispute.withdrawn.minor,
            fee_cents=dispute.fee.minor,
            currency=dispute.amount.currency,
            reason=dispute.reason,
            provider=dispute.provider,
            stripe_dispute_id=dispute.provider_reference,
            evidence_due_at=instant(dispute.evidence_due_at),
            closed_at=instant(dispute.closed_at),
            version=dispute.version,
            created_at=wire_instant(dispute.created_at),
            updated_at=wire_instant(dispute.updated_at),
        )
