"""Looks at subscriptions, and at the lines that wait for their next invoice."""

from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import CustomerId, PlanId, SubscriptionId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.pending_lines import WaitingLine
from bursar.domain.plan_rows import row_to_pending_line, row_to_subscription
from bursar.domain.refusals import NotFound
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class SubscriptionFilters(Struct, frozen=True, kw_only=True):
    """Which subscriptions; what is None or empty filters nothing."""

    customer_id: CustomerId | None = None
    plan_id: PlanId | None = None
    statuses: tuple[SubscriptionStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.customer_id is None else uuid_of(self.customer_id),
            None if self.plan_id is None else uuid_of(self.plan_id),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.SUBSCRIPTION_READ)
async def subscription(tx: ReadTx, subscription_id: SubscriptionId) -> Subscription:
    """One subscription.

    Raises:
        NotFound: no such subscription in this organization.
    """
    return await _subscription(tx, subscription_id)


@query(requires=Permission.SUBSCRIPTION_READ)
async def subscriptions_by_ids(
    tx: ReadTx, ids: Sequence[SubscriptionId]
) -> tuple[Subscription, ...]:
    """Those of these subscriptions that are here."""
    keys = [uuid_of(each) for each in ids]
    rows = await tx.fetch(Q.subscriptions_by_ids, uuid_of(tx.org_id), keys)
    return tuple(map(row_to_subscription, rows))


@query(requires=Permission.SUBSCRIPTION_READ)
async def subscriptions(
    tx: ReadTx, page: Page, filters: SubscriptionFilters
) -> Paged[Subscription]:
    """The subscriptions, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.subscriptions.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_subscriptions, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_subscription, rows)], page, total_count=count)


@query(requires=Permission.SUBSCRIPTION_READ)
async def waiting_lines(
    tx: ReadTx, subscription_id: SubscriptionId, page: Page
) -> Paged[WaitingLine]:
    """The lines of a subscription that wait for an invoice, newest first.

    Raises:
        NotFound: no such subscription in this organization.
    """
    await _subscription(tx, subscription_id)
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    rows = await tx.fetch(Q.waiting_lines.along(page), *key, page.after, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_waiting_lines, *key, COUNTED_MAX)
    return paged([*map(row_to_pending_line, rows)], page, total_count=count)


async def _subscription(tx: ReadTx, subscription_id: SubscriptionId) -> Subscription:
    row = await tx.fetchrow(Q.subscription, uuid_of(tx.org_id), uuid_of(subscription_id))
    if row is None:
        raise NotFound(f"No subscription {subscription_id}.")
    return row_to_subscription(row)
