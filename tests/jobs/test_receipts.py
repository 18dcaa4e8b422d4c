"""Good answers that are recorded together: whose, under which lease, and on whose word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from msgspec import Struct
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.sending import WebhookAnswer
from bursar.jobs import dispatch
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.runtime import doors
from bursar.runtime.app import MACHINE
from bursar.runtime.clock import now
from bursar.runtime.connections import Connection
from bursar.runtime.crypto import context_mac
from bursar.runtime.doors import Claim, Receipt
from bursar.runtime.ids import new_uuid

GOOD = WebhookAnswer(200, "thanks", 7)


class Counter(Struct, frozen=True):
    """Where answers are handed in, and the rows that came of them."""

    world: World
    owner: "asyncpg.Connection[asyncpg.Record]"

    async def leased(self, org: Org) -> Receipt:
        """A delivery of this organization that is on its way, and went well."""
        return (await self.all_leased([org]))[0]

    async def all_leased(self, orgs: list[Org]) -> list[Receipt]:
        while await dispatch.relay_events(self.world.app):
            pass
        lease = new_uuid()
        async with self.world.app.database.machine() as connection:
            claim = Claim(lease, limit=50, per_endpoint=2, lease=timedelta(seconds=45))
            claimed = await doors.claim_deliveries(connection, claim)
        found = {org: Receipt(org, delivery, lease, GOOD) for org, delivery in claimed}
        return [found[org.id] for org in orgs]

    async def rows(self, receipt: Receipt) -> tuple[str, list[tuple[int, int, str]]]:
        """What became of a delivery, and its attempts."""
        one = uuid_of(receipt.org_id), uuid_of(receipt.delivery_id)
        status = await self.owner.fetchval(
            "SELECT status FROM webhook_deliveries WHERE org_id = $1 AND id = $2", *one
        )
        attempts = await self.owner.fetch(
            "SELECT attempt, status, excerpt FROM webhook_attempts"
            " WHERE org_id = $1 AND delivery_id = $2",
            *one,
        )
        return status, [tuple(each) for each in attempts]


@pytest.fixture
async def counter(world: World) -> AsyncIterator[Counter]:
    await world.drain()
    owner = await world.house.as_owner()
    yield Counter(world, owner)
    await owner.close()
    await world.drain()


async def _listening(world: World) -> Org:
    org = await world.org()
    command = SubscribeWebhook(f"https://hooks.example.com/{org.id}", ("customer.created",))
    await org.caller.run(subscribe_webhook, command)
    await org.customer(token=None)
    return org


async def test_answers_of_several_organizations_are_kept_at_once(
    world: World, counter: Counter
) -> None:
    # Each with its own attempt; whose lease is another's is left alone.
    orgs = [await _listening(world) for _ in range(3)]
    first, second, late = await counter.all_leased(orgs)
    late = replace(late, lease=new_uuid())
    keep = world.app.keep_delivered
    assert [await keep(each) for each in (first, second, late)] == [True, True, False]
    for each in (first, second):
        assert await counter.rows(each) == ("delivered", [(1, 200, "thanks")])
    assert await counter.rows(late) == ("pending", [])
    assert await keep(first) is False, "nothing is recorded twice"


async def test_an_endpoint_that_was_not_well_is_settled_alone(
    world: World, counter: Counter
) -> None:
    # What its recovery means is decided where its organization is bound.
    receipt = await counter.leased(await _listening(world))
    await counter.owner.execute(
        "UPDATE webhook_lanes SET failures = 1 WHERE org_id = $1", uuid_of(receipt.org_id)
    )
    assert await world.app.keep_delivered(receipt) is False
    assert await counter.rows(receipt) == ("pending", [])
    await counter.owner.execute(
        "UPDATE webhook_lanes SET failures = 0 WHERE org_id = $1", uuid_of(receipt.org_id)
    )
    assert await world.app.keep_delivered(receipt)


@asynccontextmanager
async def _signed(world: World, scope: UUID) -> AsyncIterator[tuple[Connection, str]]:
    async with world.app.database.machine() as connection:
        pid, until = connection.get_server_pid(), int(now().timestamp()) + 60
        key = world.app.context_key
        mac = context_mac(key, scope, backend_pid=pid, expires_epoch=until)
        yield connection, f"{scope}|{pid}|{until}|{mac}"


async def test_only_the_application_itself_may_record(world: World, counter: Counter) -> None:
    # Neither nobody's word nor an organization's own is enough, not even for its own delivery.
    receipt = await counter.leased(await _listening(world))
    async with _signed(world, uuid_of(receipt.org_id)) as (connection, own):
        for context in ("", own, own.replace(str(uuid_of(receipt.org_id)), str(MACHINE))):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await doors.keep_delivered(connection, context, receipts=[receipt])
    assert await counter.rows(receipt) == ("pending", [])
    async with _signed(world, MACHINE) as (connection, context):
        kept = await doors.keep_delivered(connection, context, receipts=[receipt])
        assert kept == {receipt.delivery_id}
