"""Server-sent events: the feed of events as it happens, for as long as one request may last.

A stream ends by itself before a request would be ended; a client comes back with `Last-Event-ID`
and goes on where it was, so nothing is skipped. Each look is a transaction of its own: whoever
loses their permission hears nothing more.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from bursar.domain.event_log import LoggedEvent
from bursar.domain.ids import EventId
from bursar.domain.paging import SIZE_MAX
from bursar.domain.shapes.events import event_body
from bursar.reads.events import FeedFilters, events, newest_event
from bursar.runtime.app import Caller
from bursar.runtime.clock import monotonic
from bursar.runtime.idempotency import Answer

MEDIA: Final = "text/event-stream"
LIFE_SECONDS: Final = 25.0
PAUSE_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 5.0
_OPENING: Final = b"retry: 1000\n\n"
_QUIET: Final = b": quiet\n\n"


class Streamed(Answer, frozen=True):
    """An answer that comes in pieces."""

    pieces: AsyncIterator[bytes] | None = None


def streamed(pieces: AsyncIterator[bytes]) -> Streamed:
    """The answer that these pieces make."""
    headers = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))
    return Streamed(200, b"", headers, pieces)


async def follow_feed(
    caller: Caller, after: EventId | None, filters: FeedFilters, life_seconds: float = LIFE_SECONDS
) -> AsyncIterator[bytes]:
    """Public facts after that one, or from now on, until the stream's time is over."""
    ends_at = quiet_since = monotonic()
    ends_at += life_seconds
    yield _OPENING
    cursor = after if after is not None else await caller.look(newest_event)
    while monotonic() < ends_at:
        shown = await caller.look(events, after=cursor, limit=SIZE_MAX, filters=filters)
        for event in shown.items:
            yield _piece(event)
        cursor = cursor if shown.next_cursor is None else EventId(shown.next_cursor)
        if shown.items:
            quiet_since = monotonic()
            continue
        if monotonic() - quiet_since >= QUIET_SECONDS:
            quiet_since = monotonic()
            yield _QUIET
        await asyncio.sleep(PAUSE_SECONDS)


def _piece(event: LoggedEvent) -> bytes:
    head = f"id: {event.id}\nevent: {event.name}\ndata: ".encode()
    return head + event_body(event) + b"\n\n"
