"""A tax rate as the world sees it."""

from typing import Literal

from bursar.domain.shapes.fields import Shape, WireDecimal, WireInstant, decimal, instant
from bursar.domain.tax_rates import TaxRate, TaxRateStatus
from bursar.domain.taxes import TaxCategory
from bursar.domain.times import wire_instant


class TaxRateOut(Shape, frozen=True, kw_only=True):
    """One tax rate; an inclusive one is a part of the price, any other comes on top of it."""

    id: str
    object: Literal["tax_rate"] = "tax_rate"
    name: str
    percentage: WireDecimal
    inclusive: bool
    category: TaxCategory
    country: str | None
    note: str | None
    automatic: bool
    status: TaxRateStatus
    metadata: dict[str, str]
    archived_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, rate: TaxRate) -> "TaxRateOut":
        """The rate's shape."""
        return cls(
            id=rate.id,
            name=rate.name,
            percentage=decimal(rate.rate.percent),
            inclusive=rate.is_inclusive,
            category=rate.category,
            country=rate.country,
            note=rate.note,
            automatic=rate.is_automatic,
            status=rate.status,
            metadata=rate.metadata,
            archived_at=instant(rate.archived_at),
            version=rate.version,
            created_at=wire_instant(rate.created_at),
            updated_at=wire_instant(rate.updated_at),
        )
