"""The relay on its own: who is told when, and what a look that finds nothing leaves behind."""

import asyncio

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import DeliveryId, print_id, uuid_of
from bursar.domain.sending import WebhookAnswer, WebhookRequest, WebhookSender
from bursar.jobs import dispatch
from bursar.jobs.couriers import LEASE, Couriers
from bursar.jobs.relay import Relay
from bursar.operations.deliveries import RetryDelivery, retry_delivery
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.runtime import doors
from bursar.runtime.ids import new_uuid

RUNG_SECONDS = 5.0
WRITTEN = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"
RELAYED = "SELECT sec.relay_events(200)"
HOOK = SubscribeWebhook("https://hooks.example.com/relay", ("*",))
CARRIED = "SELECT count(*) FROM webhook_deliveries WHERE org_id = $1 AND status = 'delivered'"
LAST = "SELECT id FROM webhook_deliveries WHERE org_id = $1 ORDER BY id DESC LIMIT 1"
ATTEMPTS = "SELECT count(*) FROM webhook_attempts WHERE delivery_id = $1"
WAITING = """
SELECT count(*) FROM events AS e, sec.relay_cursor AS c
WHERE (e.transaction_id, e.id) > (c.transaction_id, c.event_id)
"""
TOLD = """
INSERT INTO events (org_id, id, type, payload_version, is_public, resource_type, resource_id,
    sequence, actor, request_id, occurred_at, snapshot)
VALUES ($1, $2, 'wallet.created', 1, true, 'wallet', sec.new_uuid7(), 1, 'system:test', 'test',
    now(), '{"object": "wallet"}')
"""
MADE = "SELECT event_id FROM webhook_deliveries WHERE org_id = $1 AND event_id = ANY($2::uuid[])"


class Crossroads(WebhookSender):
    """So many meet here, and wait until all may go on."""

    def __init__(self, room: int) -> None:
        self._gate = asyncio.Semaphore(room)
        self.is_full = asyncio.Event()
        self.is_open = asyncio.Event()

    async def send(self, _request: WebhookRequest) -> WebhookAnswer:
        await self._gate.acquire()
        if self._gate.locked():
            self.is_full.set()
        await self.is_open.wait()
        return WebhookAnswer(200, "", 1)


async def a_listener(world: World) -> Org:
    """An organization that hears of everything, while nothing is on its way."""
    org = await world.org()
    await org.caller.run(subscribe_webhook, HOOK)
    await world.drain()
    return org


async def _relay_in(world: World) -> tuple[int, bool]:
    """What one look found, and whether its transaction wrote anything."""
    async with world.app.database.machine() as connection, connection.transaction():
        found = await connection.fetchval(RELAYED)
        return found, await connection.fetchval(WRITTEN)


async def test_a_look_that_finds_nothing_writes_nothing(world: World) -> None:
    # Nor one that finds everything held back: an idle worker costs no commit and holds back nobody.
    org = await world.org()
    await world.drain()
    assert await _relay_in(world) == (0, False)
    slow = await world.house.as_owner()
    async with slow.transaction():
        await slow.execute("SELECT pg_current_xact_id()")
        await org.customer(token=None)
        assert await _relay_in(world) == (-1, False)
    await slow.close()
    found, is_written = await _relay_in(world)
    assert (found > 0, is_written) == (True, True)
    await world.drain()


async def test_what_is_passed_on_sets_out_at_once(world: World) -> None:
    # One look relays and leases; both come back a moment later, for what may be left.
    org = await a_listener(world)
    crossroads = Crossroads(room=1)
    couriers = Couriers(replace(world.app, sender=crossroads))
    relay = Relay(couriers)
    await org.customer(token=None)
    assert await relay.pass_on() is False
    assert not relay.bell.is_set()
    assert not couriers.bell.is_set()
    for bell in (crossroads.is_full, relay.bell, couriers.bell):
        await asyncio.wait_for(bell.wait(), RUNG_SECONDS)
    crossroads.is_open.set()
    await couriers.come_home()
    owner = await world.house.as_owner()
    assert await owner.fetchval(CARRIED, uuid_of(org.id)) > 0
    await owner.close()


async def test_a_look_sends_out_what_needs_no_relay(world: World) -> None:
    # A commit wakes the relay alone, and may have left deliveries that wait for nobody else.
    org = await a_listener(world)
    await org.customer(token=None)
    await world.drain()
    while await dispatch.relay_events(world.app):
        pass
    owner = await world.house.as_owner()
    before = await owner.fetchval(CARRIED, uuid_of(org.id))
    delivery = await owner.fetchval(LAST, uuid_of(org.id))
    await org.caller.run(retry_delivery, RetryDelivery(DeliveryId(print_id("whd", delivery))))
    couriers = Couriers(world.app)
    assert await Relay(couriers).pass_on() is False
    await couriers.come_home()
    attempts = await owner.fetchval(ATTEMPTS, delivery)
    assert (attempts, await owner.fetchval(CARRIED, uuid_of(org.id))) == (2, before)
    await owner.close()


async def test_no_more_set_out_than_there_is_room_for(world: World) -> None:
    # The relay and whoever looks for what is left come at the same time: each counts the other's.
    orgs = [await a_listener(world) for _ in range(6)]
    for org in orgs:
        await org.customer(token=None)
    await dispatch.relay_events(world.app)
    crossroads = Crossroads(room=5)
    couriers = Couriers(replace(world.app, sender=crossroads), at_once=4)
    await asyncio.gather(couriers.pass_on(200), couriers.set_out(), couriers.set_out())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(crossroads.is_full.wait(), 0.3)
    crossroads.is_open.set()
    await couriers.come_home()
    await world.drain()


async def test_relays_at_the_same_time_pass_each_event_on_once(world: World) -> None:
    # Whoever finds that another has moved on meanwhile reads again, and none steps back.
    org = await a_listener(world)
    owner = await world.house.as_owner()
    for _ in range(40):
        await org.customer(token=None)
    waiting = await owner.fetchval(WAITING)
    assert waiting >= 40
    lines = [await world.house.as_owner() for _ in range(6)]

    async def passed_on(line: "asyncpg.Connection[asyncpg.Record]") -> int:
        count = 0
        while await line.fetchval(WAITING):
            count += await line.fetchval("SELECT sec.relay_events(1)")
        return count

    assert sum(await asyncio.gather(*map(passed_on, lines))) == waiting
    for line in (owner, *lines):
        await line.close()
    await world.drain()


async def test_a_stretch_of_several_months_is_passed_on_whole(world: World) -> None:
    # An id tells when its event was made, the log when it was committed: one stretch may hold both
    # a month's last and the next one's first, and what a clock that is wrong has dated.
    org = await a_listener(world)
    owner = await world.house.as_owner()
    first, last = (f"{start}000000-0000-7000-8000-{new_uuid().hex[-12:]}" for start in ("01", "ff"))
    ids = [first, str(new_uuid()), last]
    for each in ids:
        await owner.execute(TOLD, uuid_of(org.id), each)
    assert await owner.fetchval(RELAYED) == len(ids)
    found = await owner.fetch(MADE, uuid_of(org.id), ids)
    assert sorted(str(row["event_id"]) for row in found) == sorted(ids)
    await owner.close()
    await world.drain()


async def test_a_look_is_planned_once_a_session(world: World) -> None:
    # A plan over the partitions of all months takes longer than all that is done by it.
    org = await a_listener(world)
    owner = await world.house.as_owner()
    planned: list[object] = []
    owner.add_log_listener(lambda _, said: planned.append(said))
    await owner.execute("RESET plan_cache_mode; SET client_min_messages = log")
    await owner.execute("SET debug_print_plan = on")
    for _ in range(8):
        await org.customer(token=None)
        planned.clear()
        row, *_ = await owner.fetch(doors.Q.pass_on.text, 200, 50, 50, new_uuid(), LEASE)
        assert (row["passed_on"] > 0, row["org_id"]) == (True, uuid_of(org.id))
    assert planned == []
    await owner.close()
    await world.drain()
