"""The chain over the event log: whatever is done to the log by hand is found and named."""

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.verification import Check
from bursar.reads.verify import chain

TAMPERINGS = {
    "edited": "UPDATE events SET actor = 'somebody else' WHERE org_id = $1 AND id = $2",
    "deleted": "DELETE FROM events WHERE org_id = $1 AND id = $2",
    "swapped": """
        UPDATE events AS e SET sequence = o.sequence, snapshot = o.snapshot FROM events AS o
        WHERE e.org_id = $1 AND e.id = $2 AND o.org_id = $1 AND o.id = (
            SELECT max(id::text)::uuid FROM events WHERE org_id = $1)
    """,
}


async def _sealed_org(world: World) -> Org:
    org = await world.org()
    await org.invoice(await org.customer(token=None))
    await world.seal()
    return org


async def _as_superuser(world: World) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await asyncpg.connect(world.house.superuser_url)
    await connection.execute("SET session_replication_role = replica")  # triggers off
    return connection


async def _check(org: Org, world: World) -> Check:
    return await world.operator(org.id).look(chain)


async def test_a_sealed_log_verifies(world: World) -> None:
    # Nothing was changed, nothing is found, and every event is covered.
    org = await _sealed_org(world)
    check = await _check(org, world)
    assert check.offenders == ()
    assert check.counted >= 5


@pytest.mark.parametrize("kind", ["edited", "deleted", "swapped"])
async def test_tampering_is_named(world: World, kind: str) -> None:
    # Even by a superuser with the triggers switched off.
    org = await _sealed_org(world)
    connection = await _as_superuser(world)
    org_uuid = org.id.removeprefix("org_")
    victim = await connection.fetchval(
        "SELECT id FROM events WHERE org_id = $1 ORDER BY id OFFSET 1 LIMIT 1", org_uuid
    )
    await connection.execute(TAMPERINGS[kind], org_uuid, victim)
    await connection.close()
    check = await _check(org, world)
    assert any(str(victim) in offender for offender in check.offenders)


async def test_an_event_slipped_into_the_past_is_named(world: World) -> None:
    # A row between sealed ones that no link covers.
    org = await _sealed_org(world)
    connection = await _as_superuser(world)
    org_uuid = org.id.removeprefix("org_")
    slipped = await connection.fetchval(
        """
        INSERT INTO events (
            org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
            actor, request_id, occurred_at, recorded_at, snapshot, transaction_id
        )
        SELECT org_id, sec.first_id_at(recorded_at), type, payload_version, is_public,
            resource_type, resource_id, sequence, actor, request_id, occurred_at, recorded_at,
            snapshot, '3'
        FROM events WHERE org_id = $1 ORDER BY id LIMIT 1 RETURNING id
        """,
        org_uuid,
    )
    await connection.close()
    check = await _check(org, world)
    assert any(str(slipped) in offender for offender in check.offenders)


async def test_anchors_show_a_cut_tail(world: World) -> None:
    # The chain that is left is whole; the signed head outside says that it was longer.
    org = await _sealed_org(world)
    heads = [head for head in world.anchors().heads() if head.org == org.id]
    check = await _check(org, world)
    assert heads[-1].position == check.counted
    connection = await _as_superuser(world)
    org_uuid = org.id.removeprefix("org_")
    await connection.execute(
        "DELETE FROM event_seals WHERE org_id = $1 AND position = $2", org_uuid, heads[-1].position
    )
    await connection.close()
    shorter = await _check(org, world)
    assert shorter.counted < heads[-1].position or shorter.offenders
