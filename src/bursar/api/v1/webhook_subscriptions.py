"""`/v1/webhook-subscriptions`: where events are sent."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import changed, created, found, gone, resource
from bursar.api.fields import Body, EventType, NoQuery, Nothing, Text500, Url
from bursar.api.merging import named
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import WebhookSubscriptionId
from bursar.domain.refusals import (
    IllegalTransition,
    LimitReached,
    NotFound,
    PreconditionFailed,
    StaleVersion,
)
from bursar.domain.shapes.webhook_subscriptions import EndpointHealthOut, WebhookSubscriptionOut
from bursar.domain.webhooks import RETRIES_MAX, RETRY_DELAY_MAX_SECONDS, NamedPolicy
from bursar.operations.webhook_subscriptions import (
    NamedWebhook,
    Subscribed,
    SubscribeWebhook,
    UnsubscribeWebhook,
    UpdateWebhook,
    pause_webhook,
    resume_webhook,
    rotate_webhook_secret,
    subscribe_webhook,
    unsubscribe_webhook,
    update_webhook,
)
from bursar.reads.webhook_subscriptions import endpoint_health, webhook_subscription
from bursar.reads.webhook_subscriptions import webhook_subscriptions as subscriptions_look
from bursar.runtime.idempotency import Answer

RetryDelays = Annotated[
    list[Annotated[int, Meta(ge=1, le=RETRY_DELAY_MAX_SECONDS)]],
    Meta(min_length=1, max_length=RETRIES_MAX),
]

ROOM = Room(
    "Webhooks",
    prefix="/v1/webhook-subscriptions",
    about="Endpoints that hear of events, signed twice and tried for half a day.",
)


class NewWebhookSubscription(Body, frozen=True):
    """An endpoint and what it wants to hear of; `*` is everything but `audit.checkpoint`.

    What it does not take is tried again by its `retryPolicy`: `standard` after 1 min, 5 min,
    30 min, 2 h and 12 h, `fast` after 1, 2, 4, 8 and 16 s, or after `retryDelaysSeconds`, if given.
    With `hasBodySignature` false, `X-Webhook-Signature` is left out of what is sent: it covers no
    time, so whoever records a delivery could send it again. `webhook-signature` is always there.
    """

    url: Url
    event_types: Annotated[list[EventType], Meta(min_length=1, max_length=100)]
    description: Text500 | None = None
    retry_policy: NamedPolicy | None = None
    retry_delays_seconds: RetryDelays | None = None
    has_body_signature: bool = True


class SubscriptionCreated(WebhookSubscriptionOut, frozen=True, kw_only=True):
    """A new endpoint. `secret` signs what is sent to it; it is shown this once."""

    secret: str


class WebhookSubscriptionPatch(Body, frozen=True):
    """What to change; `eventTypes` and `retryDelaysSeconds` are replaced whole."""

    url: Url | UnsetType = UNSET
    event_types: Annotated[list[EventType], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    description: Text500 | UnsetType | None = UNSET
    retry_policy: NamedPolicy | UnsetType = UNSET
    retry_delays_seconds: RetryDelays | UnsetType = UNSET
    has_body_signature: bool | UnsetType = UNSET


def _created(subscribed: Subscribed) -> SubscriptionCreated:
    shape = WebhookSubscriptionOut.of(subscribed.subscription)
    fields = {name: getattr(shape, name) for name in shape.__struct_fields__}
    return SubscriptionCreated(**fields, secret=subscribed.secret)


def _id(call: Call[Any, Any]) -> WebhookSubscriptionId:
    return WebhookSubscriptionId(call.id("webhookSubscriptionId"))


@ROOM.post(
    "",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=NewWebhookSubscription,
        gives=SubscriptionCreated,
        status=201,
        refuses=(LimitReached,),
    ),
)
async def create_webhook_subscription(call: Call[NewWebhookSubscription, NoQuery]) -> Answer:
    """Register a webhook endpoint.

    The signing secret is in this answer only.
    """
    body = call.body
    types = tuple(dict.fromkeys(body.event_types))
    delays = body.retry_delays_seconds or (body.retry_policy or NamedPolicy.STANDARD).delays_seconds
    command = SubscribeWebhook(
        body.url, types, body.description, tuple(delays), body.has_body_signature
    )
    return await changed(call.caller, subscribe_webhook, command, created(_created, ROOM.prefix))


@ROOM.get(
    "",
    Terms(
        needs=Permission.WEBHOOK_READ,
        gives=WebhookSubscriptionOut,
        is_list=True,
        query=ListQuery,
    ),
)
async def list_webhook_subscriptions(call: Call[None, ListQuery]) -> Answer:
    """List webhook endpoints, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(subscriptions_look, page)
    return piece(call.caller, page, shown, WebhookSubscriptionOut.of)


@ROOM.get(
    "/{webhookSubscriptionId}",
    Terms(needs=Permission.WEBHOOK_READ, gives=WebhookSubscriptionOut, refuses=(NotFound,)),
)
async def get_webhook_subscription(call: Call[None, NoQuery]) -> Answer:
    """Get a webhook endpoint."""
    subscription = await call.caller.look(webhook_subscription, _id(call))
    return resource(WebhookSubscriptionOut.of(subscription))


@ROOM.delete(
    "/{webhookSubscriptionId}",
    Terms(needs=Permission.WEBHOOK_WRITE, status=204, refuses=(NotFound,)),
)
async def delete_webhook_subscription(call: Call[Nothing, NoQuery]) -> Answer:
    """Remove a webhook endpoint; what waits for it is given up."""
    return await changed(call.caller, unsubscribe_webhook, UnsubscribeWebhook(_id(call)), gone)


@ROOM.patch(
    "/{webhookSubscriptionId}",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=WebhookSubscriptionPatch,
        gives=WebhookSubscriptionOut,
        is_versioned=True,
        refuses=(NotFound, PreconditionFailed, StaleVersion),
    ),
)
async def update_webhook_subscription(call: Call[WebhookSubscriptionPatch, NoQuery]) -> Answer:
    """Change an endpoint's URL, event types, description, retries or signatures.

    A JSON merge patch. What waits for the endpoint goes to the new URL.
    """
    changes = named(call.body)
    policy = changes.pop("retry_policy", None)
    if policy is not None:
        changes.setdefault("retry_delays_seconds", policy.delays_seconds)
    if "retry_delays_seconds" in changes:
        changes["retry_delays_seconds"] = tuple(changes["retry_delays_seconds"])
    if "event_types" in changes:
        changes["event_types"] = tuple(dict.fromkeys(changes["event_types"]))
    command = UpdateWebhook(_id(call), changes, call.expected_version)
    return await changed(call.caller, update_webhook, command, found(WebhookSubscriptionOut.of))


@ROOM.post(
    "/{webhookSubscriptionId}/rotate",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=Nothing,
        gives=SubscriptionCreated,
        refuses=(NotFound,),
    ),
)
async def rotate_webhook_subscription(call: Call[Nothing, NoQuery]) -> Answer:
    """Give an endpoint a new signing secret, shown this once.

    For 24 hours each delivery carries two Standard Webhooks signatures, by the new secret and by
    the one before, so nothing is refused while you exchange it. `X-Webhook-Signature` is by the new
    secret at once.
    """
    command = NamedWebhook(_id(call))
    return await changed(call.caller, rotate_webhook_secret, command, found(_created))


@ROOM.post(
    "/{webhookSubscriptionId}/pause",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=Nothing,
        gives=WebhookSubscriptionOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def pause_webhook_subscription(call: Call[Nothing, NoQuery]) -> Answer:
    """Pause an endpoint: what happens waits, and goes out in order when it is resumed."""
    command = NamedWebhook(_id(call))
    return await changed(call.caller, pause_webhook, command, found(WebhookSubscriptionOut.of))


@ROOM.post(
    "/{webhookSubscriptionId}/resume",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=Nothing,
        gives=WebhookSubscriptionOut,
        refuses=(NotFound,),
    ),
)
async def resume_webhook_subscription(call: Call[Nothing, NoQuery]) -> Answer:
    """Send to an endpoint again.

    One that was switched off is tried one delivery at a time until three have succeeded, and gets
    up to 10,000 events that it missed; replay what is beyond that.
    """
    command = NamedWebhook(_id(call))
    return await changed(call.caller, resume_webhook, command, found(WebhookSubscriptionOut.of))


@ROOM.get(
    "/{webhookSubscriptionId}/health",
    Terms(needs=Permission.WEBHOOK_READ, gives=EndpointHealthOut, refuses=(NotFound,)),
)
async def get_webhook_subscription_health(call: Call[None, NoQuery]) -> Answer:
    """See how an endpoint is doing, and how much waits for it."""
    condition = await call.caller.look(endpoint_health, _id(call))
    return resource(EndpointHealthOut.of(condition))
