"""A schema that changes under a running process: 503 and come back, never a fault of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.access import Permission
from bursar.runtime.app import operation, query
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.db import ReadTx, Tx
from bursar.runtime.sql import Query

FUTURE = Query("future", "SELECT a_later_release_has_this FROM customers")


@asynccontextmanager
async def another_release(world: World) -> AsyncIterator[None]:
    """The database was migrated, and we are not replaced yet."""
    owner = await world.house.as_owner()
    ours = await owner.fetchval("SELECT version_num FROM alembic_version")
    await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        yield
    finally:
        await owner.execute("UPDATE alembic_version SET version_num = $1", ours)
        await owner.close()


@operation(requires=Permission.INVOICE_WRITE)
async def change_what_is_not_there(tx: Tx, _command: None) -> None:
    """Stands on a column that this schema has not."""
    await tx.fetch(FUTURE)


@query(requires=Permission.INVOICE_READ)
async def look_at_what_is_not_there(tx: ReadTx) -> None:
    """The same, only looking."""
    await tx.fetch(FUTURE)


async def by_changing(org: Org) -> None:
    await org.caller.run(change_what_is_not_there, None)


async def by_looking(org: Org) -> None:
    await org.caller.look(look_at_what_is_not_there)


async def by_machine(org: Org) -> None:
    async with org.world.app.database.machine() as connection:
        await connection.fetch("SELECT sec.a_later_release_has_this()")


@pytest.mark.parametrize("act", [by_changing, by_looking, by_machine])
async def test_what_is_missing_between_two_releases_is_nobodys_fault(
    world: World, act: Callable[[Org], Awaitable[Any]]
) -> None:
    # On our own schema it is a bug and stays one; on another release's we are only not up to date.
    org = await world.org()
    with pytest.raises(asyncpg.SyntaxOrAccessError):
        await act(org)
    async with another_release(world):
        with pytest.raises(DatabaseAway, match="another release"):
            await act(org)
    with pytest.raises(asyncpg.SyntaxOrAccessError):
        await act(org)
