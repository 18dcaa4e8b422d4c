"""Looks at coupons."""

from bursar.domain.access import Permission
from bursar.domain.discounts import Coupon, CouponStatus
from bursar.domain.ids import CouponId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.plan_rows import row_to_coupon
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.INVOICE_READ)
async def coupon(tx: ReadTx, coupon_id: CouponId) -> Coupon:
    """One coupon.

    Raises:
        NotFound: no such coupon in this organization.
    """
    row = await tx.fetchrow(Q.coupon, uuid_of(tx.org_id), uuid_of(coupon_id))
    if row is None:
        raise NotFound(f"No coupon {coupon_id}.")
    return row_to_coupon(row)


@query(requires=Permission.INVOICE_READ)
async def coupons(tx: ReadTx, page: Page, statuses: tuple[CouponStatus, ...]) -> Paged[Coupon]:
    """The coupons, newest first; those in these states, if any are named."""
    org_id = uuid_of(tx.org_id)
    wanted = [status.value for status in statuses] or None
    rows = await tx.fetch(
        Q.coupons.along(page), org_id, page.after, page.fetched, page.offset, wanted
    )
    count = await total_count(tx, page, rows, Q.count_coupons, org_id, COUNTED_MAX, wanted)
    return paged([*map(row_to_coupon, rows)], page, total_count=count)
