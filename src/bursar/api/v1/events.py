"""`/v1/events`: the feed that others follow, and the catalogue of what it may tell."""

import asyncio
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bursar.api.envelope import all_of, encoded, resource
from bursar.api.fields import NoQuery, Query, ResourceRef
from bursar.api.filters import Values, several
from bursar.api.paging import PAGE_SIZE, PageMeta, Size
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.api.streaming import MEDIA, follow_feed, streamed
from bursar.domain.access import Permission
from bursar.domain.event_names import EVENTS, PUBLIC_EVENTS
from bursar.domain.ids import EventId, MalformedId, parse_id
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.domain.shapes.catalog import sample_of, schema_of
from bursar.domain.shapes.events import EventOut
from bursar.domain.shapes.render import resource_type
from bursar.domain.shapes.samples import SAMPLES
from bursar.reads.events import FeedFilters, event, newest_events
from bursar.reads.events import events as feed
from bursar.runtime.idempotency import Answer

ROOM = Room("Events", prefix="/v1/events", about="Everything that happened, by pull.")
TYPES = Room("Events", prefix="/v1/event-types", about="What may happen.")


class FeedQuery(Query, frozen=True):
    """Which facts, and from where on. `type` may name several.

    `sort` is `createdAt`, oldest first, as one follows; or `-createdAt`, to look back.
    """

    limit: Size = PAGE_SIZE
    sort: Literal["createdAt", "-createdAt"] = "createdAt"
    after: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    type: Values | None = None
    resource_id: ResourceRef | None = None
    actor: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class EventTypeOut(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One kind of event: when it is told, what its body looks like, and a sample.

    `payloadVersion` rises when a field of `data` goes or changes its meaning; new ones may come at
    any time.
    """

    type: str
    description: str
    resource_type: str
    payload_version: int
    json_schema: dict[str, Any]
    sample: msgspec.Raw


@ROOM.get(
    "",
    Terms(needs=Permission.EVENT_READ, gives=EventOut, is_list=True, query=FeedQuery),
)
async def list_events(call: Call[None, FeedQuery]) -> Answer:
    """Follow the feed of events, oldest first, or look back over it.

    Give the last `nextCursor` as `after`; nothing is skipped and nothing told twice. Looking back
    by `sort=-createdAt` ends at the first event, without a cursor.
    """
    query = call.query
    filters = FeedFilters(
        types=several(query.type, str, PUBLIC_EVENTS, field="type"),
        resource_id=query.resource_id,
        actor=query.actor,
    )
    after, limit = _cursor(query.after), query.limit
    if query.sort == "createdAt":
        shown = await call.caller.look(feed, after=after, limit=limit, filters=filters)
    else:
        shown = await call.caller.look(newest_events, after=after, limit=limit, filters=filters)
    meta = PageMeta(next_cursor=shown.next_cursor)
    return Answer(200, encoded({"data": [*map(EventOut.of, shown.items)], "meta": meta}))


class StreamQuery(Query, frozen=True):
    """Which facts, and from where on; without `after`, from now on. `type` may name several."""

    after: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    type: Values | None = None
    resource_id: ResourceRef | None = None
    actor: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


@ROOM.get(
    "/stream",
    Terms(needs=Permission.EVENT_READ, query=StreamQuery, media=MEDIA, is_resumed=True),
)
async def stream_events(call: Call[None, StreamQuery]) -> Answer:
    """Follow the feed as server-sent events.

    Each event has its id, its type and the body a webhook carries. The stream ends after 25
    seconds; an `EventSource` comes back by itself with `Last-Event-ID`, and nothing is skipped.
    """
    query = call.query
    filters = FeedFilters(
        types=several(query.type, str, PUBLIC_EVENTS, field="type"),
        resource_id=query.resource_id,
        actor=query.actor,
    )
    after = _cursor(call.last_event_id, "Last-Event-ID") or _cursor(query.after)
    await call.caller.look(feed, after=after, limit=1, filters=filters)  # refused before it begins
    return streamed(follow_feed(call.caller, after, filters))


def _cursor(text: str | None, field: str = "after") -> EventId | None:
    if text is None:
        return None
    try:
        parse_id("evt", text=text)
    except MalformedId:
        raise InvalidInput.at(field, "is not a cursor of this list", "unknown_cursor") from None
    return EventId(text)


@ROOM.get("/{eventId}", Terms(needs=Permission.EVENT_READ, gives=EventOut, refuses=(NotFound,)))
async def get_event(call: Call[None, NoQuery]) -> Answer:
    """Get an event, letter for letter as it was delivered."""
    return resource(EventOut.of(await call.caller.look(event, EventId(call.id("eventId")))))


@TYPES.get(
    "",
    Terms(needs=Permission.ANYONE, gives=EventTypeOut, is_list=True, audience=Audience.ANYONE),
)
async def list_event_types(_call: Call[None, NoQuery]) -> Answer:
    """List the types of events that are delivered, each with its schema and a sample."""
    return await asyncio.to_thread(_catalog)


@cache
def _catalog() -> Answer:
    """Made when it is first asked for: a tenth of a second that no start has to wait for."""
    return all_of(
        EventTypeOut(
            type=name,
            description=EVENTS[name].when,
            resource_type=resource_type(SAMPLES[name].subject),
            payload_version=EVENTS[name].payload_version,
            json_schema=schema_of(name),
            sample=msgspec.Raw(sample_of(name)),
        )
        for name in PUBLIC_EVENTS
    )
