"""A difference between our books and the processor's, as the world sees it."""

from typing import Literal

from bursar.domain.reconciliation import Difference, DifferenceKind
from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.times import wire_instant


class DifferenceOut(Shape, frozen=True, kw_only=True):
    """One difference: how it came about, and what mends it."""

    object: Literal["difference"] = "difference"
    kind: DifferenceKind
    resource_id: str
    provider: str | None
    reference: str | None
    currency: str | None
    ours_cents: Cents | None
    theirs_cents: Cents | None
    cause: str
    repair: str
    occurred_at: WireInstant

    @classmethod
    def of(cls, difference: Difference) -> "DifferenceOut":
        """The difference's shape."""
        meaning = difference.meaning
        return cls(
            kind=difference.kind,
            resource_id=difference.resource_id,
            provider=difference.provider,
            reference=difference.reference,
            currency=difference.currency,
            ours_cents=difference.ours_minor,
            theirs_cents=difference.theirs_minor,
            cause=meaning.cause,
            repair=meaning.repair,
            occurred_at=wire_instant(difference.occurred_at),
        )
