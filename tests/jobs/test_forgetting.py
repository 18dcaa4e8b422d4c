"""What an endpoint got long ago is forgotten with its attempts; nothing else is."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from tests.support.world import World

from bursar.domain.ids import uuid_of
from bursar.jobs import dispatch
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.runtime import doors
from bursar.runtime.clock import now

LONG_AGO: Final = timedelta(days=120)
LATELY: Final = timedelta(days=3)
DELIVERY: Final = """
WITH made AS (
    INSERT INTO webhook_deliveries (
        org_id, id, subscription_id, event_id, event_type, resource_id, sequence, status,
        attempt_count, next_attempt_at, last_attempt_at
    )
    SELECT $1, $2, $3, gen_random_uuid(), 'invoice.paid', gen_random_uuid(), 1, $4, 1,
        CASE $4 WHEN 'pending' THEN now() + interval '1 year' END, $5
    RETURNING org_id, id
)
INSERT INTO webhook_attempts (org_id, delivery_id, attempt, duration_ms, excerpt)
SELECT org_id, id, 1, 1, '' FROM made
"""
KEPT: Final = """
SELECT id FROM webhook_deliveries WHERE org_id = $1
INTERSECT SELECT delivery_id FROM webhook_attempts WHERE org_id = $1
"""


async def test_only_what_ended_long_ago_is_forgotten(world: World) -> None:
    # Delivered or failed four months ago: gone, a few at a time. Waiting since then, tried again
    # lately, or ended lately: there, with its attempts.
    hook = SubscribeWebhook("https://hooks.example.com/old", ("*",))
    org = await world.org()
    endpoint = (await org.caller.run(subscribe_webhook, hook)).subscription.id
    await world.drain()
    owner = await world.house.as_owner()
    first: UUID = await owner.fetchval("SELECT sec.first_id_at($1)", now() - LONG_AGO)
    late: UUID = await owner.fetchval("SELECT sec.first_id_at($1)", now() - LATELY)
    cases = [
        *((first, "delivered", LONG_AGO) for _ in range(3)),
        *((first, "failed", LONG_AGO) for _ in range(2)),
        (first, "pending", LONG_AGO),
        (first, "delivered", LATELY),
        (late, "delivered", LATELY),
    ]
    ids = [UUID(int=begin.int + number) for number, (begin, _, _) in enumerate(cases)]
    org_id, before = uuid_of(org.id), now() - timedelta(days=90)
    for made, (_, status, age) in zip(ids, cases, strict=True):
        await owner.execute(DELIVERY, org_id, made, uuid_of(endpoint), status, now() - age)
    async with world.app.database.machine() as connection:
        assert await doors.forget_deliveries(connection, before, 2) == 2
    assert await dispatch.forget_old_deliveries(world.app)
    assert not await dispatch.forget_old_deliveries(world.app)
    left = {row["id"] for row in await owner.fetch(KEPT, org_id)}
    counts = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM webhook_deliveries WHERE org_id = $1),"
        " (SELECT count(*) FROM webhook_attempts WHERE org_id = $1)",
        org_id,
    )
    for table in ("webhook_attempts", "webhook_deliveries"):  # nobody else delivers these
        await owner.execute(f"DELETE FROM {table} WHERE org_id = $1", org_id)
    await owner.close()
    assert left == set(ids[5:])
    assert tuple(counts or ()) == (3, 3)
