"""Tasks that ran out of attempts, all of one kind and for one reason."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.support.world import World

from bursar.domain.ids import CustomerId, print_id
from bursar.domain.tasks import SyncCustomer
from bursar.runtime.ids import new_uuid

_FAILED: Final = """
WITH held AS (
    UPDATE queue.pgqueuer SET status = 'failed', attempts = 4
    WHERE status = 'queued' AND position(convert_to($1, 'UTF8') IN payload) > 0 RETURNING id
)
INSERT INTO queue.pgqueuer_log (job_id, status, priority, entrypoint, traceback)
SELECT id, 'failed', 0, 'payments', $2::jsonb FROM held RETURNING job_id
"""
_TRACE: Final = (
    '{"exception_type": "PlannedFault", "exception_message": "no", "traceback": "Trace"}'
)


@dataclass
class Held:
    """Dead letters that failed alike."""

    ids: list[int]
    customer_id: str


@asynccontextmanager
async def dead_letters(world: World, count: int = 3) -> AsyncIterator[Held]:
    """Three of them, or so many; afterwards they and every pause are gone."""
    customer_id = CustomerId(print_id("cust", new_uuid()))
    async with world.app.database.machine() as connection:
        await world.app.queue.enqueue(connection, None, [SyncCustomer(customer_id)] * count)
        rows = await connection.fetch(_FAILED, customer_id, _TRACE)
    ids = sorted(row["job_id"] for row in rows)
    try:
        yield Held(ids, customer_id)
    finally:
        async with world.app.database.machine() as connection:
            await connection.execute("DELETE FROM queue.pgqueuer WHERE id = ANY($1)", ids)
            await connection.execute("DELETE FROM queue.pauses")
