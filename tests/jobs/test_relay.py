"""The relay on its own: who is told when, and what a look that finds nothing leaves behind."""

import asyncio

from tests.support.world import World

from bursar.domain.ids import uuid_of
from bursar.jobs.couriers import Couriers
from bursar.jobs.relay import Relay
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook

RUNG_SECONDS = 5.0
WRITTEN = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"
RELAYED = "SELECT sec.relay_events(200)"
CARRIED = "SELECT count(*) FROM webhook_deliveries WHERE org_id = $1 AND status = 'delivered'"


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


async def test_couriers_set_out_before_the_relay_looks_again(world: World) -> None:
    # They are rung once deliveries are made; the relay comes back a moment later, by itself.
    org = await world.org()
    hook = SubscribeWebhook("https://hooks.example.com/relay", ("*",))
    await org.caller.run(subscribe_webhook, hook)
    await world.drain()
    couriers = Couriers(world.app)
    relay = Relay(world.app, couriers.bell)
    await org.customer(token=None)
    assert await relay.pass_on() is False
    assert couriers.bell.is_set()
    assert not relay.bell.is_set()
    await asyncio.wait_for(relay.bell.wait(), RUNG_SECONDS)
    couriers.bell.clear()
    assert await couriers.go_round() is False
    await couriers.come_home()
    owner = await world.house.as_owner()
    assert await owner.fetchval(CARRIED, uuid_of(org.id)) > 0
    await owner.close()
    await asyncio.wait_for(couriers.bell.wait(), RUNG_SECONDS)


async def test_couriers_are_rung_by_every_look(world: World) -> None:
    # A commit wakes the relay alone, and may have left deliveries that need no relay.
    await world.drain()
    bell = asyncio.Event()
    assert await Relay(world.app, bell).pass_on() is False
    assert bell.is_set()
