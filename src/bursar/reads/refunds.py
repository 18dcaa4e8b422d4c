"""Looks at refunds."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, RefundId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refund_rows import row_to_refund
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class RefundFilters(Struct, frozen=True, kw_only=True):
    """Which refunds; what is None or empty filters nothing."""

    payment_id: PaymentId | None = None
    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None = None
    statuses: tuple[RefundStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.payment_id is None else uuid_of(self.payment_id),
            None if self.invoice_id is None else uuid_of(self.invoice_id),
            None if self.customer_id is None else uuid_of(self.customer_id),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.PAYMENT_READ)
async def refund(tx: ReadTx, refund_id: RefundId) -> Refund:
    """One refund.

    Raises:
        NotFound: no such refund in this organization.
    """
    row = await tx.fetchrow(Q.refund, uuid_of(tx.org_id), uuid_of(refund_id))
    if row is None:
        raise NotFound(f"No refund {refund_id}.")
    return row_to_refund(row)


@query(requires=Permission.PAYMENT_READ)
async def refunds(tx: ReadTx, page: Page, filters: RefundFilters) -> Paged[Refund]:
    """The refunds, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.refunds.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_refunds, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_refund, rows)], page, total_count=count)
