"""Looks at customers. A deleted customer is not found; their documents are."""

from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.customers import Customer
from bursar.domain.ids import CustomerId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_customer
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class CustomerFilters(Struct, frozen=True, kw_only=True):
    """Which customers; what is None filters nothing. `text` is looked for in e-mail and name."""

    email: str | None = None
    text: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return self.email, self.text, self.created_from, self.created_before


@query(requires=Permission.CUSTOMER_READ)
async def customer(tx: ReadTx, customer_id: CustomerId) -> Customer:
    """One customer.

    Raises:
        NotFound: no such customer in this organization.
    """
    row = await tx.fetchrow(Q.customer, uuid_of(tx.org_id), uuid_of(customer_id))
    if row is None:
        raise NotFound(f"No customer {customer_id}.")
    return row_to_customer(row)


@query(requires=Permission.CUSTOMER_READ)
async def customers_by_ids(tx: ReadTx, ids: Sequence[CustomerId]) -> tuple[Customer, ...]:
    """Those of these customers that are here and not deleted."""
    rows = await tx.fetch(Q.customers_by_ids, uuid_of(tx.org_id), [uuid_of(each) for each in ids])
    return tuple(map(row_to_customer, rows))


@query(requires=Permission.CUSTOMER_READ)
async def customers(tx: ReadTx, page: Page, filters: CustomerFilters) -> Paged[Customer]:
    """The customers, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.customers.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_customers, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_customer, rows)], page, total_count=count)
