"""A hold as the world sees it: how much of which wallet is set aside, and until when."""

from typing import Literal

from bursar.domain.holds import Hold, HoldStatus
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class HoldOut(Shape, frozen=True, kw_only=True):
    """One hold. `capturedCents` is what was really taken of it."""

    id: str
    object: Literal["hold"] = "hold"
    wallet_id: str
    status: HoldStatus
    amount_cents: Cents
    captured_cents: Cents
    currency: str
    description: str | None
    metadata: dict[str, str]
    expires_at: WireInstant
    settled_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        """The hold's shape."""
        return cls(
            id=hold.id,
            wallet_id=hold.wallet_id,
            status=hold.status,
            amount_cents=hold.amount.minor,
            captured_cents=hold.captured.minor,
            currency=hold.amount.currency,
            description=hold.description,
            metadata=hold.metadata,
            expires_at=wire_instant(hold.expires_at),
            settled_at=instant(hold.settled_at),
            version=hold.version,
            created_at=wire_instant(hold.created_at),
            updated_at=wire_instant(hold.updated_at),
        )
