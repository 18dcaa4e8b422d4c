"""What is left after something went wrong: rows by kind, and whether the pool is as good as new."""

import asyncio

from tests.support.database import Installation
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.reads.orgs import organization
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Idempotency
from bursar.runtime.ids import new_uuid

POOL = 10


def done(_result: object) -> Answer:
    return Answer(200, b"done")


def keyed(caller: Caller, key: str) -> Caller:
    return replace(caller, idempotency=Idempotency(key, b"f" * 32, new_uuid()))


async def counted(house: Installation, org: Org) -> dict[str, int]:
    """How many rows of each kind the organization has."""
    tables = ("invoices", "payments", "events", "ledger_entries", "agenda", "idempotency_keys")
    owner = await house.as_owner()
    try:
        return {
            table: await owner.fetchval(
                f"SELECT count(*) FROM {table} WHERE org_id = $1", uuid_of(org.id)
            )
            for table in tables
        }
    finally:
        await owner.close()


async def require_healthy(world: World, org: Org) -> None:
    """Every connection of the pool works, and none is left inside a transaction."""
    await asyncio.gather(*(org.caller.look(organization) for _ in range(POOL)))
    owner = await world.house.as_owner()
    rows = await owner.fetch(
        "SELECT query FROM pg_stat_activity"
        " WHERE application_name = 'bursar-test' AND state LIKE 'idle in transaction%'"
    )
    await owner.close()
    assert rows == []
