"""A refund as the world sees it: how much of which payment went back, and how far it came."""

from typing import Literal

from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class RefundOut(Shape, frozen=True, kw_only=True):
    """One refund. A failed one gave nothing back: the payment may be refunded again."""

    id: str
    object: Literal["refund"] = "refund"
    payment_id: str
    invoice_id: str | None
    customer_id: str | None
    status: RefundStatus
    amount_cents: Cents
    currency: str
    reason: str | None
    provider: str
    stripe_refund_id: str | None
    failure_code: str | None
    failure_message: str | None
    settled_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, refund: Refund) -> "RefundOut":
        """The refund's shape."""
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            invoice_id=refund.invoice_id,
            customer_id=refund.customer_id,
            status=refund.status,
            amount_cents=refund.amount.minor,
            currency=refund.amount.currency,
            reason=refund.reason,
            provider=refund.provider,
            stripe_refund_id=refund.provider_reference,
            failure_code=refund.failure_code,
            failure_message=refund.failure_message,
            settled_at=instant(refund.settled_at),
            version=refund.version,
            created_at=wire_instant(refund.created_at),
            updated_at=wire_instant(refund.updated_at),
        )
