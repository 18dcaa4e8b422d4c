"""Looks at payment attempts."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, WalletId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.payment_rows import row_to_payment
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class PaymentFilters(Struct, frozen=True, kw_only=True):
    """Which attempts; what is None or empty filters nothing."""

    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None = None
    wallet_id: WalletId | None = None
    statuses: tuple[PaymentStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.invoice_id is None else uuid_of(self.invoice_id),
            None if self.customer_id is None else uuid_of(self.customer_id),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
            None if self.wallet_id is None else uuid_of(self.wallet_id),
        )


@query(requires=Permission.PAYMENT_READ)
async def payment(tx: ReadTx, payment_id: PaymentId) -> Payment:
    """One attempt.

    Raises:
        NotFound: no such payment in this organization.
    """
    row = await tx.fetchrow(Q.payment, uuid_of(tx.org_id), uuid_of(payment_id))
    if row is None:
        raise NotFound(f"No payment {payment_id}.")
    return row_to_payment(row)


@query(requires=Permission.PAYMENT_READ)
async def payments(tx: ReadTx, page: Page, filters: PaymentFilters) -> Paged[Payment]:
    """The attempts, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.payments.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_payments, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_payment, rows)], page, total_count=count)
