"""Rows of webhook endpoints and their lanes: whether, how and when each is sent to.

Whoever changes an endpoint or what waits for it holds its lane first, then the endpoint.
"""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.endpoint_health import Health
from bursar.domain.ids import WebhookSubscriptionId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.domain.webhook_rows import row_to_health, row_to_webhook_subscription
from bursar.domain.webhook_subscriptions import EndpointStatus, ReplayScope, WebhookSubscription
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)

BROUGHT_BACK_MAX: Final = 10_000
# What was told shortly before an outage may have waited into it behind something that was tried.
_BEFORE_THE_OUTAGE: Final = timedelta(days=1)


async def get(tx: Tx, subscription_id: WebhookSubscriptionId) -> WebhookSubscription:
    """One endpoint, locked with its lane.

    Raises:
        NotFound: no such endpoint in this organization, or a deleted one.
    """
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    await tx.fetchrow(Q.hold_lane, *key)
    row = await tx.fetchrow(Q.get_subscription, *key)
    if row is None or row["deleted_at"] is not None:
        raise NotFound(f"No webhook subscription {subscription_id}.")
    return row_to_webhook_subscription(row)


async def count(tx: Tx) -> int:
    """How many endpoints there are."""
    return int(await tx.fetchval(Q.count_subscriptions, uuid_of(tx.org_id)))


async def health(tx: Tx, subscription_id: WebhookSubscriptionId) -> Health:
    """How the endpoint is doing; its lane is held from here on."""
    row = await tx.fetchrow(Q.hold_lane, uuid_of(tx.org_id), uuid_of(subscription_id))
    assert row is not None, "every endpoint has a lane"
    return row_to_health(row)


async def keep_health(tx: Tx, subscription_id: WebhookSubscriptionId, kept: Health) -> None:
    """How the endpoint is doing from now on."""
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    await tx.execute(
        Q.keep_health,
        *key,
        kept.failures,
        kept.first_failed_at,
        kept.went_down_at,
        kept.trials,
        kept.held_until,
    )


async def give_up_deliveries(tx: Tx, subscription_id: WebhookSubscriptionId) -> None:
    """Nothing that waits for this endpoint is sent any more."""
    await tx.execute(Q.give_up_deliveries, uuid_of(tx.org_id), uuid_of(subscription_id))


async def bring_back(tx: Tx, subscription_id: WebhookSubscriptionId, since: Instant) -> None:
    """What the endpoint failed to take since then is taken up again, and what waits goes now."""
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    await tx.execute(Q.bring_back, *key, since - _BEFORE_THE_OUTAGE, BROUGHT_BACK_MAX)


class Stretch(Struct, frozen=True, kw_only=True):
    """A part of the log: from an instant on, before another, of some types or of all."""

    from_at: Instant
    before_at: Instant
    event_types: tuple[str, ...] = ()
    scope: ReplayScope = ReplayScope.FAILED
    per_second: int
    limit: int


async def replay(
    tx: Tx, subscription_id: WebhookSubscriptionId, stretch: Stretch
) -> tuple[int, Instant | None]:
    """Send a stretch again; how many go, and the last event's moment when the limit was met."""
    row = await tx.fetchrow(
        Q.replay_events,
        uuid_of(tx.org_id),
        uuid_of(subscription_id),
        stretch.from_at,
        stretch.before_at,
        stretch.scope.value,
        list(stretch.event_types) or None,
        stretch.per_second,
        stretch.limit,
    )
    assert row is not None
    return row["taken"], row["reached_at"] if row["taken"] >= stretch.limit else None


async def save(tx: Tx, row: WebhookSubscription) -> None:
    """Insert version 1, or replace the version before; the lane opens and closes with it.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.url,
        list(row.event_types),
        row.description,
        row.secret_sealed,
        row.former_secret_sealed,
        row.former_secret_until,
        row.is_active,
        row.paused_at,
        None if row.off_reason is None else row.off_reason.value,
        row.off_at,
        row.deleted_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        list(row.retry_delays_seconds),
        row.has_body_signature,
    )
    query = Q.insert_subscription if row.version == 1 else Q.update_subscription
    replaced(row, await tx.execute(query, *values))
    if row.version > 1:
        is_open = row.status is EndpointStatus.ACTIVE
        key = uuid_of(tx.org_id), uuid_of(row.id)
        await tx.execute(Q.open_or_close_lane, *key, is_open)
        await tx.execute(Q.look_again, *key)
