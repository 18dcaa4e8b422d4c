"""`/v1/coupons`: what takes something off an invoice."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    Body,
    CurrencyCode,
    Metadata,
    NoQuery,
    Nothing,
    Percentage,
    ShortText,
)
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.discounts import MONTHS_MAX, CouponDuration, CouponStatus
from bursar.domain.ids import CouponId
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.refusals import IllegalTransition, InvalidInput, NotFound
from bursar.domain.shapes.coupons import CouponOut
from bursar.operations.coupons import (
    ArchiveCoupon,
    CreateCoupon,
    archive_coupon,
    create_coupon,
)
from bursar.reads.coupons import coupon as coupon_look
from bursar.reads.coupons import coupons as coupons_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Coupons", prefix="/v1/coupons", about="A percentage or an amount off, for a time or for ever."
)


class NewCoupon(Body, frozen=True):
    """A coupon to offer: either `percentOff`, a decimal as text, or `amountOffCents`."""

    name: ShortText
    duration: CouponDuration
    percent_off: Percentage | None = None
    amount_off_cents: Annotated[int, Meta(ge=1, le=AMOUNT_MAX, examples=[500])] | None = None
    currency: CurrencyCode | None = None
    months: Annotated[int, Meta(ge=1, le=MONTHS_MAX, examples=[3])] | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateCoupon:
        """What it asks for.

        Raises:
            InvalidInput: nothing at all off, or a currency without an amount.
        """
        percent_off = None if self.percent_off is None else Decimal(self.percent_off)
        if percent_off is not None and not percent_off:
            raise InvalidInput.at("percentOff", "must be above 0", "not_positive")
        if self.currency is not None and self.amount_off_cents is None:
            raise InvalidInput.at("currency", "goes with amountOffCents", "ambiguous")
        return CreateCoupon(
            name=self.name,
            duration=self.duration,
            percent_off=percent_off,
            amount_off_minor=self.amount_off_cents,
            currency=self.currency,
            months=self.months,
            metadata=self.metadata,
        )


class CouponQuery(ListQuery, frozen=True):
    """Which coupons; `status` may name several."""

    status: Values | None = None


def _id(call: Call[Any, Any]) -> CouponId:
    return CouponId(call.id("couponId"))


@ROOM.post("", Terms(needs=Permission.INVOICE_WRITE, takes=NewCoupon, gives=CouponOut, status=201))
async def create_one_coupon(call: Call[NewCoupon, NoQuery]) -> Answer:
    """Create a coupon.

    `once` takes off the first period, `repeating` every period that begins within `months`. What it
    takes off is never more than there is, and is shared over the lines to the cent.
    """
    command = call.body.to_command()
    return await changed(call.caller, create_coupon, command, created(CouponOut.of, ROOM.prefix))


@ROOM.get(
    "", Terms(needs=Permission.INVOICE_READ, gives=CouponOut, is_list=True, query=CouponQuery)
)
async def list_coupons(call: Call[None, CouponQuery]) -> Answer:
    """List coupons, newest first."""
    page = pages(call.caller, call.query)
    statuses = several(call.query.status, CouponStatus, CouponStatus, field="status")
    shown = await call.caller.look(coupons_look, page, statuses)
    return piece(call.caller, page, shown, CouponOut.of)


@ROOM.get("/{couponId}", Terms(needs=Permission.INVOICE_READ, gives=CouponOut, refuses=(NotFound,)))
async def get_coupon(call: Call[None, NoQuery]) -> Answer:
    """Get a coupon."""
    return resource(CouponOut.of(await call.caller.look(coupon_look, _id(call))))


@ROOM.post(
    "/{couponId}/archive",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=Nothing,
        gives=CouponOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def archive_one_coupon(call: Call[Nothing, NoQuery]) -> Answer:
    """Archive a coupon.

    Nobody gets it any more; who has it keeps it.
    """
    return await changed(call.caller, archive_coupon, ArchiveCoupon(_id(call)), found(CouponOut.of))
