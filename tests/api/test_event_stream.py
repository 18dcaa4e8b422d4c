"""The feed as server-sent events: what happens is heard, in order, and resumed without a gap."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from tests.api.client import Client
from tests.support.world import Org, World

from bursar.api.streaming import follow_feed
from bursar.domain.ids import EventId
from bursar.reads.events import FeedFilters

EVERYTHING = FeedFilters()


def events_in(pieces: list[bytes]) -> list[dict[str, object]]:
    """The bodies, each checked to carry its own id and type."""
    found = []
    for piece in pieces:
        lines = dict(line.split(b": ", 1) for line in piece.strip().splitlines())
        if b"data" in lines:
            body = json.loads(lines[b"data"])
            assert lines[b"id"] == body["id"].encode()
            assert lines[b"event"] == body["type"].encode()
            found.append(body)
    return found


async def heard(stream: AsyncIterator[bytes]) -> list[dict[str, object]]:
    return events_in([piece async for piece in stream])


async def test_what_happens_is_heard_from_now_on(org: Org) -> None:
    # Not what was before; and everything after it, once.
    await org.wallet()
    listening = asyncio.create_task(heard(follow_feed(org.caller, None, EVERYTHING, 2)))
    await asyncio.sleep(0.4)
    made = await org.wallet()
    told = await listening
    assert [(each["type"], each["data"]["id"]) for each in told] == [("wallet.created", made.id)]  # type: ignore[index]  # a body's data is an object


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(org: Org) -> None:
    # Cut at any event and resumed there, the two halves are the whole.
    first = await org.wallet()
    for _ in range(4):
        await org.wallet()
    whole = await heard(follow_feed(org.caller, None, EVERYTHING, 0.1))
    assert whole == []
    feed = await heard(follow_feed(org.caller, await _before(org, first.id), EVERYTHING, 0.5))
    assert len(feed) == 4
    rest = await heard(follow_feed(org.caller, EventId(str(feed[1]["id"])), EVERYTHING, 0.5))
    assert rest == feed[2:]


async def _before(org: Org, wallet_id: str) -> EventId:
    connection = await org.world.house.as_owner()
    try:
        query = "SELECT id FROM events WHERE 'wal_' || resource_id = $1"
        return EventId(f"evt_{await connection.fetchval(query, wallet_id)}")
    finally:
        await connection.close()


async def test_nothing_is_passed_over_while_writers_are_slow(world: World, org: Org) -> None:
    # A transaction that began first and commits last: its event comes, and none is told twice.
    listening = asyncio.create_task(heard(follow_feed(org.caller, None, EVERYTHING, 4)))
    await asyncio.sleep(0.3)
    slow = await world.house.as_owner()
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT pg_current_xact_id()")
    made = [(await org.wallet()).id for _ in range(5)]
    await asyncio.sleep(0.7)
    await transaction.commit()
    await slow.close()
    made += [(await org.wallet()).id for _ in range(2)]
    told = await listening
    assert [each["data"]["id"] for each in told] == made  # type: ignore[index]  # a body's data is an object


@pytest.mark.parametrize("cursor", ["evt_nonsense", "evt_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"])
async def test_a_cursor_from_elsewhere_is_refused_by_name(owner: Client, cursor: str) -> None:
    # Before the stream begins, as on the feed.
    answer = await owner.get(f"/v1/events/stream?after={cursor}")
    assert (answer.status, answer.fields) == (400, {"after"})
    answer = await owner.get("/v1/events/stream", last_event_id=cursor)
    assert answer.status == 400


async def test_the_stream_says_what_it_is(owner: Client) -> None:
    # The media type that browsers wait for, and nobody keeps a copy.
    answer = await owner.get("/v1/events/stream")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
