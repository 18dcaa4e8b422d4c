"""Looks at what time it is for an organization, and what its clock waits for."""

from typing import Final

from bursar.domain.access import Permission
from bursar.domain.clock_rows import row_to_clock
from bursar.domain.ids import uuid_of
from bursar.domain.tasks import Queue
from bursar.domain.test_clocks import ClockReading
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)

_QUEUES: Final = [queue.value for queue in Queue]


@query(requires=Permission.ORG_READ)
async def clock_reading(tx: ReadTx) -> ClockReading:
    """The time; on its way, with what is still to do before the clock goes on."""
    org = uuid_of(tx.org_id)
    row = await tx.fetchrow(Q.clock, org)
    clock = None if row is None else row_to_clock(row)
    if clock is None or clock.target_at is None:
        return ClockReading(tx.now, clock)
    return ClockReading(tx.now, clock, await tx.fetchval(Q.pending, org, tx.now, _QUEUES))
