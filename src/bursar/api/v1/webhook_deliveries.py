"""What went or goes to webhook endpoints: seen, tried out, tried again, replayed."""

from typing import Annotated

import msgspec
from msgspec import Meta

from bursar.api.envelope import changed, found, resource
from bursar.api.fields import Body, EventRef, Moment, NoQuery, Nothing, OneEventType, ResourceRef
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.event_names import PUBLIC_EVENTS
from bursar.domain.events import WebhookSubscriptionTested
from bursar.domain.ids import DeliveryId, EventId, WebhookSubscriptionId
from bursar.domain.refusals import IllegalTransition, NotFound
from bursar.domain.shapes.webhook_subscriptions import DeliveryOut, ReplayOut
from bursar.domain.webhook_subscriptions import DeliveryStatus, ReplayScope
from bursar.operations.deliveries import RetryDelivery, retry_delivery
from bursar.operations.webhook_subscriptions import (
    ReplayEvents,
    TryWebhook,
    replay_events,
    try_webhook,
)
from bursar.reads.webhook_subscriptions import DeliveryFilters, deliveries, delivery
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Webhook deliveries",
    prefix="/v1/webhook-subscriptions",
    about="Each event on its way to each endpoint, with every try.",
)
_SENT = (WebhookSubscriptionTested.name, *PUBLIC_EVENTS)


class DeliveryQuery(CreatedQuery, frozen=True):
    """Which deliveries; `status` and `eventType` may name several."""

    status: Values | None = None
    event_type: Values | None = None
    event_id: EventRef | None = None
    resource_id: ResourceRef | None = None


class TestEvent(Body, frozen=True):
    """What to send: an event about the endpoint itself, or a sample of a type."""

    __test__ = False

    event_type: OneEventType | None = None


class Replay(Body, frozen=True):
    """A stretch of the log: from an instant on, before another (now, when left out).

    `failed` takes up what failed; `all` sends everything of the stretch that does not wait already.
    """

    from_: Moment = msgspec.field(name="from")
    to: Moment | None = None
    scope: ReplayScope = ReplayScope.FAILED
    event_types: Annotated[list[OneEventType], Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )
    per_second: Annotated[int, Meta(ge=1, le=1000, examples=[50])] = 50


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
    query, page = call.query, pages(call.caller, call.query)
    filters = DeliveryFilters(
        statuses=several(query.status, DeliveryStatus, DeliveryStatus, field="status"),
        event_types=several(query.event_type, str, _SENT, field="eventType"),
        event_id=None if query.event_id is None else EventId(query.event_id),
        resource_id=query.resource_id,
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    endpoint_id = WebhookSubscriptionId(call.id("webhookSubscriptionId"))
    shown = await call.caller.look(deliveries, endpoint_id, page, filters)
    return piece(call.caller, page, shown, DeliveryOut.of)


@ROOM.get(
    "/deliveries/{deliveryId}",
    Terms(needs=Permission.WEBHOOK_READ, gives=DeliveryOut, refuses=(NotFound,)),
)
async def get_delivery(call: Call[None, NoQuery]) -> Answer:
    """Get a delivery with every try."""
    shown = await call.caller.look(delivery, DeliveryId(call.id("deliveryId")))
    return resource(DeliveryOut.of(shown))


@ROOM.post(
    "/deliveries/{deliveryId}/retry",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=Nothing,
        gives=DeliveryOut,
        status=202,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def retry_one_delivery(call: Call[Nothing, NoQuery]) -> Answer:
    """Try a delivery now, whatever became of it, with a new schedule.

    The event keeps its id, so a receiver that remembers ids takes it once.
    """
    command = RetryDelivery(DeliveryId(call.id("deliveryId")))
    return await changed(call.caller, retry_delivery, command, found(DeliveryOut.of, status=202))


@ROOM.post(
    "/{webhookSubscriptionId}/test",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=TestEvent,
        gives=DeliveryOut,
        status=202,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def test_webhook_subscription(call: Call[TestEvent, NoQuery]) -> Answer:
    """Send an endpoint a signed test event, which nobody else hears of.

    Without a type it is `webhook_subscription.tested`, about the endpoint itself; with one it is
    the sample of that type. Look at the delivery for what came back.
    """
    endpoint_id = WebhookSubscriptionId(call.id("webhookSubscriptionId"))
    command = TryWebhook(endpoint_id, call.body.event_type)
    return await changed(call.caller, try_webhook, command, found(DeliveryOut.of, status=202))


@ROOM.post(
    "/{webhookSubscriptionId}/replay",
    Terms(
        needs=Permission.WEBHOOK_WRITE,
        takes=Replay,
        gives=ReplayOut,
        status=202,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def replay_to_webhook_subscription(call: Call[Replay, NoQuery]) -> Answer:
    """Send the events of some time again, oldest first, so many a second.

    One call takes up at most 10,000; `nextFrom` says where to go on. Each event keeps its id and
    its bytes.
    """
    body = call.body
    begins_at = Moment.plainly(body.from_)
    assert begins_at is not None
    command = ReplayEvents(
        subscription_id=WebhookSubscriptionId(call.id("webhookSubscriptionId")),
        from_at=begins_at,
        before_at=Moment.plainly(body.to),
        scope=body.scope,
        event_types=tuple(body.event_types),
        per_second=body.per_second,
    )
    return await changed(call.caller, replay_events, command, found(ReplayOut.of, status=202))
