"""Looks at disputes."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.dispute_rows import row_to_dispute
from bursar.domain.disputes import Dispute
from bursar.domain.ids import DisputeId, PaymentId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class DisputeFilters(Struct, frozen=True, kw_only=True):
    """Which disputes; what is None or empty filters nothing."""

    payment_id: PaymentId | None = None
    statuses: tuple[DisputeStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.payment_id is None else uuid_of(self.payment_id),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.PAYMENT_READ)
async def dispute(tx: ReadTx, dispute_id: DisputeId) -> Dispute:
    """One dispute.

    Raises:
        NotFound: no such dispute in this organization.
    """
    row = await tx.fetchrow(Q.dispute, uuid_of(tx.org_id), uuid_of(dispute_id))
    if row is None:
        raise NotFound(f"No dispute {dispute_id}.")
    return row_to_dispute(row)


@query(requires=Permission.PAYMENT_READ)
async def disputes(tx: ReadTx, page: Page, filters: DisputeFilters) -> Paged[Dispute]:
    """The disputes, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.disputes.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_disputes, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_dispute, rows)], page, total_count=count)
