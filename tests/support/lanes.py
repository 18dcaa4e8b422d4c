"""Lets the wall clock reach what waits in the webhooks' lanes, without waiting for it."""

from typing import Final
from uuid import UUID

import asyncpg

_DUE: Final = """
    UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 second', lease_until = NULL
    WHERE status = 'pending' AND ($1::uuid IS NULL OR org_id = $1)
"""
_READY: Final = """
    UPDATE webhook_lanes SET
        held_until = NULL, ready_at = CASE WHEN is_open THEN now() - interval '1 second' END
    WHERE $1::uuid IS NULL OR org_id = $1
"""


async def make_due(
    connection: "asyncpg.Connection[asyncpg.Record]", org_id: UUID | None = None
) -> None:
    """Every retry's time has come, and every cooldown is over; leases have run out."""
    await connection.execute(_DUE, org_id)
    await connection.execute(_READY, org_id)
