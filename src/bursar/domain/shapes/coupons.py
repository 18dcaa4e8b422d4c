"""A coupon as the world sees it."""

from typing import Literal

from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
)
from bursar.domain.times import wire_instant


class CouponOut(Shape, frozen=True, kw_only=True):
    """One coupon: a percentage off, or an amount in one currency."""

    id: str
    object: Literal["coupon"] = "coupon"
    name: str
    percent_off: WireDecimal | None
    amount_off_cents: Cents | None
    currency: str | None
    duration: CouponDuration
    months: int | None
    status: CouponStatus
    metadata: dict[str, str]
    archived_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, coupon: Coupon) -> "CouponOut":
        """The coupon's shape."""
        rate, amount = coupon.percent_off, coupon.amount_off
        return cls(
            id=coupon.id,
            name=coupon.name,
            percent_off=None if rate is None else decimal(rate.percent),
            amount_off_cents=None if amount is None else amount.minor,
            currency=None if amount is None else amount.currency,
            duration=coupon.duration,
            months=coupon.months,
            status=coupon.status,
            metadata=coupon.metadata,
            archived_at=instant(coupon.archived_at),
            version=coupon.version,
            created_at=wire_instant(coupon.created_at),
            updated_at=wire_instant(coupon.updated_at),
        )
