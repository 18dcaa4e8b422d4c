"""Looks at webhook endpoints and at what was sent to them.

The sealed secret comes along and goes no further: no shape has it, and no key of the API opens it.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import DeliveryId, EventId, WebhookSubscriptionId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.domain.webhook_rows import (
    row_to_delivery,
    row_to_health,
    row_to_webhook_subscription,
)
from bursar.domain.webhook_subscriptions import (
    Delivery,
    DeliveryStatus,
    EndpointCondition,
    WebhookSubscription,
)
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)


@query(requires=Permission.WEBHOOK_READ)
async def webhook_subscription(
    tx: ReadTx, subscription_id: WebhookSubscriptionId
) -> WebhookSubscription:
    """One endpoint.

    Raises:
        NotFound: no such endpoint in this organization.
    """
    return await _subscription(tx, subscription_id)


@query(requires=Permission.WEBHOOK_READ)
async def webhook_subscriptions(tx: ReadTx, page: Page) -> Paged[WebhookSubscription]:
    """The endpoints, newest first."""
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(
        Q.webhook_subscriptions.along(page), org_id, page.after, page.fetched, page.offset
    )
    count = await total_count(tx, page, rows, Q.count_webhook_subscriptions, org_id, COUNTED_MAX)
    return paged([*map(row_to_webhook_subscription, rows)], page, total_count=count)


class DeliveryFilters(Struct, frozen=True, kw_only=True):
    """Which deliveries; what is None or empty filters nothing."""

    statuses: tuple[DeliveryStatus, ...] = ()
    event_types: tuple[str, ...] = ()
    event_id: EventId | None = None
    resource_id: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            [status.value for status in self.statuses] or None,
            list(self.event_types) or None,
            None if self.event_id is None else uuid_of(self.event_id),
            None if self.resource_id is None else uuid_of(self.resource_id),
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.WEBHOOK_READ)
async def deliveries(
    tx: ReadTx, subscription_id: WebhookSubscriptionId, page: Page, filters: DeliveryFilters
) -> Paged[Delivery]:
    """What went or goes to one endpoint, newest first, with every try.

    Raises:
        NotFound: no such endpoint in this organization.
    """
    await _subscription(tx, subscription_id)
    org_id = uuid_of(tx.org_id)
    wanted = uuid_of(subscription_id), *filters.arguments
    rows = await tx.fetch(
        Q.deliveries.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_deliveries, org_id, COUNTED_MAX, *wanted)
    return paged(await _with_attempts(tx, rows), page, total_count=count)


@query(requires=Permission.WEBHOOK_READ)
async def delivery(tx: ReadTx, delivery_id: DeliveryId) -> Delivery:
    """One delivery with every try.

    Raises:
        NotFound: no such delivery in this organization.
    """
    row = await tx.fetchrow(Q.delivery, uuid_of(tx.org_id), uuid_of(delivery_id))
    if row is None:
        raise NotFound(f"No webhook delivery {delivery_id}.")
    (found,) = await _with_attempts(tx, [row])
    return found


@query(requires=Permission.WEBHOOK_READ)
async def endpoint_health(tx: ReadTx, subscription_id: WebhookSubscriptionId) -> EndpointCondition:
    """How an endpoint is doing, and what waits for it.

    Raises:
        NotFound: no such endpoint in this organization.
    """
    subscription = await _subscription(tx, subscription_id)
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    row = await tx.fetchrow(Q.endpoint_health, *key, COUNTED_MAX)
    assert row is not None, "every endpoint has a lane"
    return EndpointCondition(subscription, row_to_health(row), row["waiting"], row["waiting_since"])


async def _with_attempts(tx: ReadTx, rows: Sequence[Record]) -> list[Delivery]:
    attempts: defaultdict[object, list[Record]] = defaultdict(list)
    for attempt in await tx.fetch(Q.attempts, uuid_of(tx.org_id), [row["id"] for row in rows]):
        attempts[attempt["delivery_id"]].append(attempt)
    return [row_to_delivery(row, attempts[row["id"]]) for row in rows]


async def _subscription(tx: ReadTx, subscription_id: WebhookSubscriptionId) -> WebhookSubscription:
    row = await tx.fetchrow(Q.webhook_subscription, uuid_of(tx.org_id), uuid_of(subscription_id))
    if row is None:
        raise NotFound(f"No webhook subscription {subscription_id}.")
    return row_to_webhook_subscription(row)
