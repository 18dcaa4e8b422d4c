"""Fifty write while one transaction stays open: who follows, by cursor or by relay, misses none.

Transactions open and close in every order; a reader that went by the largest id it saw would skip.
"""

import asyncio
from uuid import UUID

import asyncpg
from tests.support.world import Org, World

from bursar.domain.ids import EventId, uuid_of
from bursar.jobs import dispatch
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.reads.events import FeedFilters, events

WRITERS = 50
AT_ONCE = 10
HOLDER = """
INSERT INTO events (org_id, id, type, payload_version, is_public, resource_type, resource_id,
    sequence, actor, request_id, occurred_at, snapshot)
VALUES ($1, $2, 'wallet.updated', 1, true, 'wallet', gen_random_uuid(), 1, 'system:test', 'test',
    now(), '{}')
"""
HELD_BACK = UUID("0195a1b2-c3d4-7007-8000-0123456789ac")
ALL = "SELECT id FROM events WHERE org_id = $1 AND is_public"
SPREAD = "SELECT event_id FROM webhook_deliveries WHERE org_id = $1"


async def followed(org: Org, seen: list[str]) -> bool:
    """Read on by the cursor; whether there was anything."""
    after = EventId(seen[-1]) if seen else None
    found = await org.caller.look(events, after=after, limit=7, filters=FeedFilters())
    seen += [each.id for each in found.items]
    return bool(found.items)


async def ids(owner: "asyncpg.Connection[asyncpg.Record]", query: str, org: Org) -> list[str]:
    return [f"evt_{row[0]}" for row in await owner.fetch(query, uuid_of(org.id))]


async def test_nothing_is_skipped_behind_a_held_transaction(world: World) -> None:
    # What commits meanwhile waits behind it; afterwards cursor and relay have had everything, once.
    org = await world.org()
    hook = SubscribeWebhook("https://hooks.example.com/held", ("*",))
    await org.caller.run(subscribe_webhook, hook)
    owner, holder = await world.house.as_owner(), await world.house.as_owner()
    seen: list[str] = []
    try:
        held = holder.transaction()
        await held.start()
        await holder.execute(HOLDER, uuid_of(org.id), HELD_BACK)
        gate = asyncio.Semaphore(AT_ONCE)

        async def write() -> None:
            async with gate:
                await org.wallet()

        writing = asyncio.gather(*(write() for _ in range(WRITERS)))
        while not writing.done():
            await followed(org, seen)
            await dispatch.relay_events(world.app)
        await writing
        assert seen == []
        assert await ids(owner, SPREAD, org) == []
        await held.commit()
        while await dispatch.relay_events(world.app) or await followed(org, seen):
            pass
        told = await ids(owner, ALL, org)
        assert (len(told), f"evt_{HELD_BACK}" in told) == (WRITERS + 1, True)
        assert sorted(seen) == sorted(told) == sorted(await ids(owner, SPREAD, org))
    finally:
        await owner.close()
        await holder.close()
    await world.drain()
