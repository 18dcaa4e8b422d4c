"""kill -9 of real workers while a receiver loses, refuses, hangs and is away: it misses nothing.

Workers die between reading the log and handing it on, and between sending and writing down; only
hours are virtual: what waits in the lanes is shifted. In the end the receiver knows every wallet as
the API shows it, in order, and each event came with one id and one body.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import pytest
from aiohttp import web
from tests.support import lanes
from tests.support.live import Visitor, visitor
from tests.support.storms import Storm
from tests.support.tree import Part, Tree, running

from bursar.domain.ids import OrgId, uuid_of
from bursar.runtime.embedded import EmbeddedPostgres

LOSS: Final = 0.3
FACTS: Final = 12
ROUNDS_MAX: Final = 120
AGES: Final = {
    "lossy": timedelta(minutes=30),
    "broken": timedelta(minutes=30),
    "hanging": timedelta(minutes=30),
    "away": timedelta(hours=6),
    "lossy again": timedelta(minutes=30),
}
WAITING: Final = """
SELECT (SELECT count(*) FROM events WHERE org_id = $1 AND is_public) - (
    SELECT count(*) FROM webhook_deliveries WHERE org_id = $1 AND status = 'delivered')
"""


@dataclass
class Receiver:
    """Keeps the newest state of each resource, and notes gaps and second bodies of one id."""

    chance: random.Random
    mood: str = "lossy"
    states: dict[str, Any] = field(default_factory=dict)
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    bodies: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    gaps: list[str] = field(default_factory=list)
    calls: int = 0
    morning: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.calls += 1
        mood, draw = self.mood, self.chance.random()
        if mood == "broken":
            return web.Response(status=500)
        if mood == "hanging":
            await self.morning.wait()
        if mood in {"away", "hanging"} or draw < LOSS / 2:
            return lost(request)
        self.take(request.headers["webhook-id"], body)
        return lost(request) if mood.startswith("lossy") and draw < LOSS else web.Response()

    def take(self, event_id: str, body: bytes) -> None:
        """Drop what is known, note what is missing, keep the state."""
        self.bodies[event_id].add(body)
        told = msgspec.json.decode(body)
        resource, sequence = told["data"]["id"], told["sequence"]
        if sequence > self.sequences[resource] + 1:
            self.gaps.append(f"{resource}: {sequence} after {self.sequences[resource]}")
        if sequence > self.sequences[resource]:
            self.sequences[resource], self.states[resource] = sequence, told["data"]


def lost(request: web.Request) -> web.Response:
    """The line is cut before the answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/", receiver.hear)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def behind(tree: Tree) -> AsyncIterator[lanes.Connection]:
    """The owner's connection to the installation's own database."""
    postgres = EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    connection = await asyncpg.connect(urls.owner.reveal())
    try:
        yield connection
    finally:
        await connection.close()
        await postgres.release()


@dataclass
class Source:
    """Somebody whose wallets are made and renamed."""

    who: Visitor
    chance: random.Random
    wallets: list[str] = field(default_factory=list)
    facts: int = 0

    async def happen(self) -> None:
        self.facts += 1
        if not self.wallets or self.chance.random() < LOSS:
            made = await self.who.make("/v1/wallets", {"name": "W"}, f"wallet-{self.facts}")
            self.wallets.append(made["id"])
            return
        path = f"/v1/wallets/{self.chance.choice(self.wallets)}"
        answer = await self.who.ask("PATCH", path, {"name": f"W{self.facts}"})
        assert answer is not None
        assert answer.status == 200, answer.body

    async def states(self) -> dict[str, Any]:
        """Every wallet as the API shows it."""
        found = {}
        for wallet_id in self.wallets:
            answer = await self.who.ask("GET", f"/v1/wallets/{wallet_id}")
            assert answer is not None
            found[wallet_id] = answer.value
        return found


async def a_bad_day(
    source: Source, receiver: Receiver, storm: Storm, owner: lanes.Connection
) -> None:
    """Facts all along; in each of the receiver's moods two workers are killed."""
    org = org_of(source.who)
    for mood, age in AGES.items():
        receiver.mood = mood
        for number in range(FACTS):
            await source.happen()
            if number in (FACTS // 3, 2 * FACTS // 3):
                await storm.strike()
                await lanes.pass_time(owner, org, age / 2)
                await asyncio.sleep(0.3)
        receiver.morning.set()
    receiver.mood = "well"


def org_of(who: Visitor) -> UUID:
    return uuid_of(OrgId(who.org_id))


@pytest.mark.proof
async def test_killed_workers_and_a_bad_day_lose_nothing() -> None:
    # At least once, in order, one body for each id; and the receiver's state is the source's.
    chance = random.Random(8)
    receiver = Receiver(chance)
    async with running(workers=2) as tree, listening(receiver) as url, behind(tree) as owner:
        async with visitor(tree, "couriers@example.com") as who:
            hook = {"url": url, "eventTypes": ["*"]}
            await who.make("/v1/webhook-subscriptions", hook, "hook")
            source, storm = Source(who, chance), Storm(tree, chance, parts=(Part.WORKER,))
            await a_bad_day(source, receiver, storm, owner)
            for _ in range(ROUNDS_MAX):
                if not await owner.fetchval(WAITING, org_of(who)):
                    break
                await lanes.pass_time(owner, org_of(who), timedelta(minutes=20))
                await asyncio.sleep(0.5)
            assert await owner.fetchval(WAITING, org_of(who)) == 0
            wanted = await source.states()
        print(
            f"{source.facts} facts, {receiver.calls} requests, {len(storm.kills)} workers killed,"
            f" {len(receiver.bodies)} events heard"
        )
    assert receiver.gaps == []
    assert {each: receiver.states[each] for each in wanted} == wanted
    assert all(len(bodies) == 1 for bodies in receiver.bodies.values())
    assert len(storm.kills) >= len(AGES)
