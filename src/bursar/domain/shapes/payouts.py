"""A payout as the world sees it: what reached the bank, and what the processor kept of it."""

from typing import Literal

from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.payouts import Payout
from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.times import wire_instant


class PayoutOut(Shape, frozen=True, kw_only=True):
    """One payout: `amountCents` for the bank, `feeCents` kept of what was collected.

    It is below zero where refunds and disputes outweigh what was collected.
    """

    id: str
    object: Literal["payout"] = "payout"
    status: PayoutStatus
    amount_cents: Cents
    fee_cents: Cents
    currency: str
    movement_count: int
    failure_code: str | None
    provider: str
    stripe_payout_id: str
    sent_at: WireInstant
    arrives_at: WireInstant
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, payout: Payout) -> "PayoutOut":
        """The payout's shape."""
        return cls(
            id=payout.id,
            status=payout.status,
            amount_cents=payout.amount.minor,
            fee_cents=payout.fee.minor,
            currency=payout.amount.currency,
            movement_count=payout.move_count,
            failure_code=payout.failure_code,
            provider=payout.provider,
            stripe_payout_id=payout.provider_reference,
            sent_at=wire_instant(payout.sent_at),
            arrives_at=wire_instant(payout.arrives_at),
            version=payout.version,
            created_at=wire_instant(payout.created_at),
            updated_at=wire_instant(payout.updated_at),
        )
