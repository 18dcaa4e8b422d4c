"""Webhook endpoints: register and remove."""

from dataclasses import dataclass
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.ids import WebhookSubscriptionId
from bursar.domain.refusals import InvalidInput, LimitReached
from bursar.domain.webhook_subscriptions import WebhookSubscription, subscribe
from bursar.domain.webhooks import EndpointUrlRefused, endpoint_url
from bursar.runtime.app import operation
from bursar.runtime.crypto import new_webhook_secret
from bursar.runtime.db import Tx
from bursar.store import webhook_subscriptions
from bursar.store.apply import apply

ENDPOINTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class SubscribeWebhook:
    """An endpoint that wants to hear of these event types (`*` for all)."""

    url: str
    event_types: tuple[str, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribed:
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
    try:
        url = endpoint_url(command.url, is_development=tx.is_development)
    except EndpointUrlRefused as refused:
        raise InvalidInput.at("url", str(refused), "url_not_allowed") from refused
    if await webhook_subscriptions.count(tx) >= ENDPOINTS_MAX:
        raise LimitReached(f"An organization has at most {ENDPOINTS_MAX} webhook endpoints.")
    subscription_id = WebhookSubscriptionId(tx.new_id("wh"))
    secret = new_webhook_secret()
    subscription = WebhookSubscription(
        id=subscription_id,
        url=url,
        event_types=command.event_types,
        description=command.description,
        secret_sealed=tx.keys.seal(secret.encode(), context=subscription_id.encode()),
        is_active=True,
        deleted_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    written = (await apply(tx, subscribe(subscription)))[subscription_id]
    assert isinstance(written, WebhookSubscription)
    return Subscribed(written, secret)


@dataclass(frozen=True, slots=True)
class UnsubscribeWebhook:
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
