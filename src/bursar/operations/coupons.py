"""Coupons: offer, archive."""

from decimal import Decimal

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus, offer
from bursar.domain.ids import CouponId
from bursar.domain.money import Money, Rate
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import coupons, orgs
from bursar.store.apply import apply


class CreateCoupon(Struct, frozen=True, kw_only=True):
    """A coupon to offer; an amount is in the organization's currency unless another is named."""

    name: str
    duration: CouponDuration
    percent_off: Decimal | None = None
    amount_off_minor: int | None = None
    currency: Currency | None = None
    months: int | None = None
    metadata: dict[str, str]


@operation(requires=Permission.INVOICE_WRITE)
async def create_coupon(tx: Tx, command: CreateCoupon) -> Coupon:
    """A new coupon.

    Raises:
        InvalidInput: it takes off nothing, or two things, or does not say for how long.
    """
    amount = None
    if command.amount_off_minor is not None:
        currency = command.currency or (await orgs.get(tx)).currency
        amount = Money(command.amount_off_minor, currency)
    coupon = Coupon(
        id=CouponId(tx.new_id("cpn")),
        name=command.name,
        percent_off=None if command.percent_off is None else Rate(command.percent_off),
        amount_off=amount,
        duration=command.duration,
        months=command.months,
        status=CouponStatus.ACTIVE,
        metadata=command.metadata,
        archived_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return await _written(tx, coupon, offer(coupon))


class ArchiveCoupon(Struct, frozen=True):
    """Offer it no more."""

    coupon_id: CouponId


@operation(requires=Permission.INVOICE_WRITE)
async def archive_coupon(tx: Tx, command: ArchiveCoupon) -> Coupon:
    """Nobody gets it any more; who has it keeps it.

    Raises:
        IllegalTransition: archived already.
    """
    coupon = await coupons.get(tx, command.coupon_id)
    return await _written(tx, coupon, coupon.archive(tx.now))


async def _written(tx: Tx, coupon: Coupon, change: Change) -> Coupon:
    written = (await apply(tx, change))[coupon.id]
    assert isinstance(written, Coupon)
    return written
