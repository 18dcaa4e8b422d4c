"""Webhook endpoints: register, change, pause, test, give a new secret, replay to, and remove."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import WebhookSubscriptionId
from bursar.domain.refusals import InvalidInput, LimitReached, PreconditionFailed
from bursar.domain.times import Instant
from bursar.domain.webhook_subscriptions import (
    Delivery,
    Replayed,
    ReplayScope,
    WebhookSubscription,
    subscribe,
)
from bursar.domain.webhooks import RETRY_DELAYS_SECONDS, EndpointUrlRefused, endpoint_url
from bursar.runtime.app import operation
from bursar.runtime.crypto import new_webhook_secret
from bursar.runtime.db import Tx
from bursar.store import deliveries, webhook_subscriptions
from bursar.store.apply import apply
from bursar.store.webhook_subscriptions import Stretch

ENDPOINTS_MAX: Final = 100
REPLAYED_AT_ONCE_MAX: Final = 10_000
_CATCH_UP_PER_SECOND: Final = 200


class SubscribeWebhook(Struct, frozen=True):
    """An endpoint that wants to hear of these event types (`*` for all)."""

    url: str
    event_types: tuple[str, ...]
    description: str | None = None
    retry_delays_seconds: tuple[int, ...] = RETRY_DELAYS_SECONDS
    has_body_signature: bool = True


class Subscribed(Struct, frozen=True):
    """The endpoint, and its signing secret, which is shown this once."""

    subscription: WebhookSubscription
    secret: str


@operation(requires=Permission.WEBHOOK_WRITE)
async def subscribe_webhook(tx: Tx, command: SubscribeWebhook) -> Subscribed:
    """Register an endpoint.

    Raises:
        InvalidInput: a URL that may not be called, or an unknown event type.
        LimitReached: too many endpoints.
    """
    url = _permitted(tx, command.url)
    if await webhook_subscriptions.count(tx) >= ENDPOINTS_MAX:
        raise LimitReached(f"An organization has at most {ENDPOINTS_MAX} webhook endpoints.")
    subscription_id = WebhookSubscriptionId(tx.new_id("wh"))
    secret = new_webhook_secret()
    subscription = WebhookSubscription(
        id=subscription_id,
        url=url,
        event_types=command.event_types,
        description=command.description,
        retry_delays_seconds=command.retry_delays_seconds,
        has_body_signature=command.has_body_signature,
        secret_sealed=_sealed(tx, subscription_id, secret),
        former_secret_sealed=None,
        former_secret_until=None,
        is_active=True,
        paused_at=None,
        off_reason=None,
        off_at=None,
        deleted_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return Subscribed(await _written(tx, subscription, subscribe(subscription)), secret)


class UpdateWebhook(Struct, frozen=True):
    """Fields to change, by their names in `WebhookSubscription`; `expected_version` is If-Match."""

    subscription_id: WebhookSubscriptionId
    changes: Mapping[str, Any]
    expected_version: int | None = None


@operation(requires=Permission.WEBHOOK_WRITE)
async def update_webhook(tx: Tx, command: UpdateWebhook) -> WebhookSubscription:
    """Change an endpoint; what waits for it goes where it now is.

    Raises:
        InvalidInput: a URL that may not be called, or an unknown event type.
        PreconditionFailed: another version than the expected one.
    """
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    if command.expected_version not in {None, subscription.version}:
        raise PreconditionFailed(f"{subscription.id} is at version {subscription.version}.")
    after = replace(subscription, **command.changes)
    _permitted(tx, after.url)
    return await _written(tx, subscription, subscription.edit(after))


class NamedWebhook(Struct, frozen=True):
    """An endpoint to pause, to resume or to give a new secret."""

    subscription_id: WebhookSubscriptionId


@operation(requires=Permission.WEBHOOK_WRITE)
async def pause_webhook(tx: Tx, command: NamedWebhook) -> WebhookSubscription:
    """Send nothing until it is resumed; what happens meanwhile waits, in order.

    Raises:
        IllegalTransition: it is switched off.
    """
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    return await _written(tx, subscription, subscription.pause(tx.wall))


@operation(requires=Permission.WEBHOOK_WRITE)
async def resume_webhook(tx: Tx, command: NamedWebhook) -> WebhookSubscription:
    """Send again. One that was switched off is tried carefully, and gets what it missed."""
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    resumed = await _written(tx, subscription, subscription.resume())
    health = await webhook_subscriptions.health(tx, subscription.id)
    if subscription.off_at is None:
        return resumed
    health = health.on_trial(subscription.off_at)
    await webhook_subscriptions.keep_health(tx, subscription.id, health)
    assert health.went_down_at is not None, "it is on trial"
    await webhook_subscriptions.bring_back(tx, subscription.id, health.went_down_at)
    passed_by = Stretch(
        from_at=subscription.off_at,
        before_at=tx.wall,
        scope=ReplayScope.MISSED,
        per_second=_CATCH_UP_PER_SECOND,
        limit=REPLAYED_AT_ONCE_MAX,
    )
    await webhook_subscriptions.replay(tx, subscription.id, passed_by)
    return resumed


@operation(requires=Permission.WEBHOOK_WRITE)
async def rotate_webhook_secret(tx: Tx, command: NamedWebhook) -> Subscribed:
    """A new signing secret; the former one signs beside it for a day, so nothing is refused."""
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    secret = new_webhook_secret()
    change = subscription.rotate(_sealed(tx, subscription.id, secret), tx.wall)
    return Subscribed(await _written(tx, subscription, change), secret)


class TryWebhook(Struct, frozen=True):
    """An endpoint to try out, with an event about itself or with a sample of a type."""

    subscription_id: WebhookSubscriptionId
    event_type: str | None = None


@operation(requires=Permission.WEBHOOK_WRITE)
async def try_webhook(tx: Tx, command: TryWebhook) -> Delivery:
    """Send the endpoint a signed event that nobody else hears of.

    Raises:
        IllegalTransition: it is paused or switched off.
    """
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    tested = await _written(tx, subscription, subscription.test())
    return await deliveries.send_own_event(tx, tested, command.event_type)


class ReplayEvents(Struct, frozen=True, kw_only=True):
    """A stretch of the log to send again: what failed in it, or all of it, so many a second."""

    subscription_id: WebhookSubscriptionId
    from_at: Instant
    before_at: Instant | None
    scope: ReplayScope
    event_types: tuple[str, ...]
    per_second: int


@operation(requires=Permission.WEBHOOK_WRITE)
async def replay_events(tx: Tx, command: ReplayEvents) -> Replayed:
    """Send a stretch again, each event with the id and the bytes it always had.

    Raises:
        InvalidInput: the stretch ends before it begins.
        IllegalTransition: the endpoint is switched off.
    """
    before_at = command.before_at or tx.wall
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    if before_at <= command.from_at:
        raise InvalidInput.at("to", "must be after `from`", "wrong_order")
    replayed = await _written(tx, subscription, subscription.replay())
    count, reached_at = await webhook_subscriptions.replay(
        tx,
        subscription.id,
        Stretch(
            from_at=command.from_at,
            before_at=before_at,
            event_types=command.event_types,
            scope=command.scope,
            per_second=command.per_second,
            limit=REPLAYED_AT_ONCE_MAX,
        ),
    )
    return Replayed(replayed, count, reached_at)


class UnsubscribeWebhook(Struct, frozen=True):
    """An endpoint to remove."""

    subscription_id: WebhookSubscriptionId


@operation(requires=Permission.WEBHOOK_WRITE)
async def unsubscribe_webhook(tx: Tx, command: UnsubscribeWebhook) -> None:
    """Remove an endpoint; what waits for it is given up."""
    subscription = await webhook_subscriptions.get(tx, command.subscription_id)
    change = subscription.delete(tx.now)
    if change is not None:
        await apply(tx, change)
        await webhook_subscriptions.give_up_deliveries(tx, subscription.id)


def _permitted(tx: Tx, url: str) -> str:
    try:
        return endpoint_url(url, is_development=tx.is_development)
    except EndpointUrlRefused as refused:
        raise InvalidInput.at("url", str(refused), "url_not_allowed") from refused


def _sealed(tx: Tx, subscription_id: WebhookSubscriptionId, secret: str) -> bytes:
    return tx.keys.seal(secret.encode(), context=subscription_id.encode())


async def _written(
    tx: Tx, subscription: WebhookSubscription, change: Change | None
) -> WebhookSubscription:
    if change is None:
        return subscription
    written = (await apply(tx, change))[subscription.id]
    assert isinstance(written, WebhookSubscription)
    return written
