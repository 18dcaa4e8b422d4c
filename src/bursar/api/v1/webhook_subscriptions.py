"""`/v1/webhook-subscriptions`: where events are sent, and what became of each delivery."""

from typing import Annotated, Any

from msgspec import Meta

from bursar.api.envelope import changed, created, gone, resource
from bursar.api.fields import Body, EventType, NoQuery, Nothing, Text500, Url
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import WebhookSubscriptionId
from bursar.domain.refusals import LimitReached, NotFound
from bursar.domain.shapes.webhook_subscriptions import DeliveryOut, WebhookSubscriptionOut
from bursar.domain.webhook_subscriptions import DeliveryStatus
from bursar.operations.webhook_subscriptions import (
    Subscribed,
    SubscribeWebhook,
    UnsubscribeWebhook,
    subscribe_webhook,
    unsubscribe_webhook,
)
from bursar.reads.webhook_subscriptions import deliveries, webhook_subscription
from bursar.reads.webhook_subscriptions import webhook_subscriptions as subscriptions_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Webhooks",
    prefix="/v1/webhook-subscriptions",
    about="Endpoints that hear of events, signed twice and tried for half a day.",
)


class NewSubscription(Body, frozen=True):
    """An endpoint and what it wants to hear of; `*` is everything."""

    url: Url
    event_types: Annotated[list[EventType], Meta(min_length=1, max_length=100)]
    description: Text500 | None = None


class SubscriptionCreated(WebhookSubscriptionOut, frozen=True, kw_only=True):
    """A new endpoint. `secret` signs what is sent to it; it is shown this once."""

    secret: str


class DeliveryQuery(ListQuery, frozen=True):
    """Which deliveries; `status` may name several."""

    status: Values | None = None


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
        takes=NewSubscription,
        gives=SubscriptionCreated,
        status=201,
        refuses=(LimitReached,),
    ),
)
async def create_webhook_subscription(call: Call[NewSubscription, NoQuery]) -> Answer:
    """Register a webhook endpoint.

    The signing secret is in this answer only.
    """
    body = call.body
    types = tuple(dict.fromkeys(body.event_types))
    command = SubscribeWebhook(body.url, types, body.description)
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


@ROOM.get(
    "/{webhookSubscriptionId}/deliveries",
    Terms(
        needs=Permission.WEBHOOK_READ,
        gives=DeliveryOut,
        is_list=True,
        query=DeliveryQuery,
        refuses=(NotFound,),
    ),
)
async def list_deliveries(call: Call[None, DeliveryQuery]) -> Answer:
    """List what went or goes to an endpoint, newest first, with every try."""
    page = pages(call.caller, call.query)
    statuses = several(call.query.status, DeliveryStatus, DeliveryStatus, field="status")
    shown = await call.caller.look(deliveries, _id(call), page, statuses)
    return piece(call.caller, page, shown, DeliveryOut.of)
