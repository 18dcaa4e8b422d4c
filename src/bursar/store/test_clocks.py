"""Rows of test clocks, and whether what a clock has reached is done."""

from typing import Final

from bursar.domain.clock_rows import row_to_clock
from bursar.domain.ids import uuid_of
from bursar.domain.tasks import Queue
from bursar.domain.test_clocks import OrgClock
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)

_QUEUES: Final = [queue.value for queue in Queue]


async def lock(tx: Tx) -> OrgClock | None:
    """The organization's clock, if it ever had one."""
    row = await tx.fetchrow(Q.lock_clock, uuid_of(tx.org_id))
    return None if row is None else row_to_clock(row)


async def take(tx: Tx) -> OrgClock | None:
    """The clock, if it is on its way and nobody else moves it."""
    row = await tx.fetchrow(Q.take_clock, uuid_of(tx.org_id))
    return None if row is None else row_to_clock(row)


async def save(tx: Tx, row: OrgClock) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.now_at,
        row.departed_at,
        row.target_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_clock if row.version == 1 else Q.update_clock
    replaced(row, await tx.execute(query, *values))


async def step(tx: Tx, clock: OrgClock) -> None:
    """Where a clock is on its way, which nobody is told of.

    Raises:
        StaleVersion: it was sent elsewhere first.
    """
    values = uuid_of(tx.org_id), clock.version, clock.now_at
    replaced(clock, await tx.execute(Q.step_clock, *values))


async def is_untouched(tx: Tx) -> bool:
    """Whether nothing has happened yet that a clock in the past would come before."""
    found: bool = await tx.fetchval(Q.is_untouched, uuid_of(tx.org_id))
    return found


async def is_busy(tx: Tx, by: Instant) -> bool:
    """Whether something that was due by then is not done yet."""
    found: bool = await tx.fetchval(Q.is_busy, uuid_of(tx.org_id), by, _QUEUES)
    return found


async def next_due(tx: Tx, after: Instant) -> Instant | None:
    """When something is due next."""
    found: Instant | None = await tx.fetchval(Q.next_due, uuid_of(tx.org_id), after)
    return found
