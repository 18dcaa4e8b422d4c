"""Looks at holds: what is set aside, and what became of it."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.holds import Hold, HoldStatus
from bursar.domain.ids import HoldId, WalletId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_hold
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class HoldFilters(Struct, frozen=True, kw_only=True):
    """Which holds; what is None or empty filters nothing."""

    wallet_id: WalletId | None = None
    statuses: tuple[HoldStatus, ...] = ()

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.wallet_id is None else uuid_of(self.wallet_id),
            [status.value for status in self.statuses] or None,
        )


@query(requires=Permission.WALLET_READ)
async def hold(tx: ReadTx, hold_id: HoldId) -> Hold:
    """One hold.

    Raises:
        NotFound: no such hold in this organization.
    """
    row = await tx.fetchrow(Q.hold, uuid_of(tx.org_id), uuid_of(hold_id))
    if row is None:
        raise NotFound(f"No hold {hold_id}.")
    return row_to_hold(row)


@query(requires=Permission.WALLET_READ)
async def holds(tx: ReadTx, page: Page, filters: HoldFilters) -> Paged[Hold]:
    """The holds, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.holds.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_holds, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_hold, rows)], page, total_count=count)
