"""Looks at payouts."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import PayoutId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.payout_rows import row_to_payout
from bursar.domain.payouts import Payout
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class PayoutFilters(Struct, frozen=True, kw_only=True):
    """Which payouts; what is None or empty filters nothing."""

    statuses: tuple[PayoutStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.PAYMENT_READ)
async def payout(tx: ReadTx, payout_id: PayoutId) -> Payout:
    """One payout.

    Raises:
        NotFound: no such payout in this organization.
    """
    row = await tx.fetchrow(Q.payout, uuid_of(tx.org_id), uuid_of(payout_id))
    if row is None:
        raise NotFound(f"No payout {payout_id}.")
    return row_to_payout(row)


@query(requires=Permission.PAYMENT_READ)
async def payouts(tx: ReadTx, page: Page, filters: PayoutFilters) -> Paged[Payout]:
    """The payouts, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.payouts.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_payouts, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_payout, rows)], page, total_count=count)
