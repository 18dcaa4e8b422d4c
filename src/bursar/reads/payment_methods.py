"""Looks at payment methods."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import CustomerId, PaymentMethodId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.payment_method_rows import row_to_payment_method
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class MethodFilters(Struct, frozen=True, kw_only=True):
    """Which methods: of a customer, and whether also those that are detached."""

    customer_id: CustomerId | None = None
    has_detached: bool = False

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        customer = None if self.customer_id is None else uuid_of(self.customer_id)
        return (customer, self.has_detached)


@query(requires=Permission.PAYMENT_READ)
async def payment_method(tx: ReadTx, method_id: PaymentMethodId) -> PaymentMethod:
    """One payment method, detached or not.

    Raises:
        NotFound: no such method in this organization.
    """
    row = await tx.fetchrow(Q.payment_method, uuid_of(tx.org_id), uuid_of(method_id))
    if row is None:
        raise NotFound(f"No payment method {method_id}.")
    return row_to_payment_method(row)


@query(requires=Permission.PAYMENT_READ)
async def payment_methods(tx: ReadTx, page: Page, filters: MethodFilters) -> Paged[PaymentMethod]:
    """The payment methods, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.payment_methods.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_payment_methods, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_payment_method, rows)], page, total_count=count)
