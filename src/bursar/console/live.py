"""Live pages: a stream of events says when what a page shows has changed, and the page asks again.

The stream is the API's own, so it tells nobody more than they may read, and a dropped one resumes
where it was. Queues tell no events: their figures are looked at, and a change of them is told.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from bursar.api.headers import header
from bursar.api.streaming import LIFE_SECONDS, Streamed, streamed
from bursar.console.asking import Question
from bursar.console.visits import Visit
from bursar.runtime.clock import monotonic
from bursar.runtime.idempotency import Answer

LIVE_HEADER: Final = "X-Console-Live"
_LOOK_SECONDS: Final = 2.0
_CHANGED: Final = b"event: changed\ndata: queues\n\n"
_SAME: Final = b": same\n\n"


def is_by_itself(visit: Visit) -> bool:
    """Whether a page asks on its own: nobody clicked, so nobody's session goes on by it."""
    return header(visit.request.scope, LIVE_HEADER) is not None


async def events_live(visit: Visit) -> Answer:
    """Every event of the organization from now on, or from where the browser was."""
    told = await visit.asker.answer(Question(route="streamEvents"))
    assert isinstance(told, Streamed), "it is a stream"
    assert told.pieces is not None, "of pieces"
    return streamed(_named(told.pieces))


async def _named(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same stream with the events' names alone: what they hold, the page asks for."""
    async for piece in pieces:
        if not piece.startswith(b"id: "):
            yield piece
            continue
        place, name, _ = piece.split(b"\n", 2)
        yield place + b"\nevent: changed\ndata: " + name.removeprefix(b"event: ") + b"\n\n"


async def queues_live(visit: Visit) -> Answer:
    """A word whenever a queue's figures are other ones.

    Raises:
        NotFound: somebody who does not run this installation.
    """
    return streamed(_figures(visit, await _now(visit)))


async def _figures(visit: Visit, last: bytes) -> AsyncIterator[bytes]:
    ends_at = monotonic() + LIFE_SECONDS
    yield b"retry: 1000\n\n"
    while monotonic() < ends_at:
        await asyncio.sleep(_LOOK_SECONDS)
        seen = await _now(visit)
        yield _SAME if seen == last else _CHANGED
        last = seen


async def _now(visit: Visit) -> bytes:
    return msgspec.json.encode(await visit.asker.get("listQueues"))
