"""Rows of coupons."""

from collections.abc import Collection

import msgspec

from bursar.domain.discounts import Coupon
from bursar.domain.ids import CouponId, uuid_of
from bursar.domain.plan_rows import row_to_coupon
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, coupon_id: CouponId) -> Coupon:
    """One coupon.

    Raises:
        NotFound: no such coupon in this organization.
    """
    row = await tx.fetchrow(Q.get_coupon, uuid_of(tx.org_id), uuid_of(coupon_id))
    if row is None:
        raise NotFound(f"No coupon {coupon_id}.")
    return row_to_coupon(row)


async def by_ids(tx: Tx, ids: Collection[CouponId]) -> dict[CouponId, Coupon]:
    """Those of these coupons that are here; nothing is asked when nothing is named."""
    if not ids:
        return {}
    rows = await tx.fetch(Q.coupons_by_ids, uuid_of(tx.org_id), [uuid_of(each) for each in ids])
    return {coupon.id: coupon for coupon in map(row_to_coupon, rows)}


async def save(tx: Tx, row: Coupon) -> None:
    """Insert version 1, or replace the version before: a coupon is archived, never changed.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    key = uuid_of(tx.org_id), uuid_of(row.id)
    state = row.status.value, row.archived_at, row.version, row.sequence, row.updated_at
    if row.version > 1:
        replaced(row, await tx.execute(Q.update_coupon, *key, *state))
        return
    amount = row.amount_off
    terms = (
        row.name,
        None if row.percent_off is None else row.percent_off.percent,
        None if amount is None else amount.minor,
        None if amount is None else amount.currency,
        row.duration.value,
        row.months,
        msgspec.json.encode(row.metadata).decode(),
        row.created_at,
    )
    replaced(row, await tx.execute(Q.insert_coupon, *key, *state, *terms))
