"""Looks at webhook endpoints and at what was sent to them.

The sealed secret comes along and goes no further: no shape has it, and no key of the API opens it.
"""

from collections import defaultdict

from bursar.domain.access import Permission
from bursar.domain.ids import WebhookSubscriptionId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_delivery, row_to_webhook_subscription
from bursar.domain.webhook_subscriptions import Delivery, DeliveryStatus, WebhookSubscription
from bursar.runtime import sql
from bursar.runtime.app import query
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
    rows = await tx.fetch(Q.webhook_subscriptions, org_id, page.after, page.fetched, page.offset)
    count = 0
    if not page.is_cursor:
        count = await tx.fetchval(Q.count_webhook_subscriptions, org_id, COUNTED_MAX)
    return paged([*map(row_to_webhook_subscription, rows)], page, total_count=count)


@query(requires=Permission.WEBHOOK_READ)
async def deliveries(
    tx: ReadTx,
    subscription_id: WebhookSubscriptionId,
    page: Page,
    statuses: tuple[DeliveryStatus, ...] = (),
) -> Paged[Delivery]:
    """What went or goes to one endpoint, newest first, with every try.

    Raises:
        NotFound: no such endpoint in this organization.
    """
    await _subscription(tx, subscription_id)
    org_id = uuid_of(tx.org_id)
    wanted = uuid_of(subscription_id), [status.value for status in statuses] or None
    rows = await tx.fetch(Q.deliveries, org_id, page.after, page.fetched, page.offset, *wanted)
    count = 0
    if not page.is_cursor:
        count = await tx.fetchval(Q.count_deliveries, org_id, COUNTED_MAX, *wanted)
    attempts: defaultdict[object, list[Record]] = defaultdict(list)
    for attempt in await tx.fetch(Q.attempts, org_id, [row["id"] for row in rows]):
        attempts[attempt["delivery_id"]].append(attempt)
    found = [row_to_delivery(row, attempts[row["id"]]) for row in rows]
    return paged(found, page, total_count=count)


async def _subscription(tx: ReadTx, subscription_id: WebhookSubscriptionId) -> WebhookSubscription:
    row = await tx.fetchrow(Q.webhook_subscription, uuid_of(tx.org_id), uuid_of(subscription_id))
    if row is None:
        raise NotFound(f"No webhook subscription {subscription_id}.")
    return row_to_webhook_subscription(row)
