"""Lets the wall clock reach what waits in the webhooks' lanes, without waiting for it."""

from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_DUE: Final = """
    UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 second', lease_until = NULL
    WHERE status = 'pending' AND ($1::uuid IS NULL OR org_id = $1)
"""
_READY: Final = """
    UPDATE webhook_lanes SET
        held_until = NULL, ready_at = CASE WHEN is_open THEN now() - interval '1 second' END
    WHERE ($1::uuid IS NULL OR org_id = $1) AND EXISTS (
        SELECT FROM webhook_deliveries AS d
        WHERE d.org_id = webhook_lanes.org_id AND d.status = 'pending'
            AND d.subscription_id = webhook_lanes.subscription_id
    )
"""
_DELIVERIES_PASS: Final = """
    UPDATE webhook_deliveries SET
        next_attempt_at = next_attempt_at - $2::interval, lease_until = lease_until - $2::interval
    WHERE status = 'pending' AND org_id = $1
"""
_LANES_PASS: Final = """
    UPDATE webhook_lanes SET
        ready_at = ready_at - $2::interval, held_until = held_until - $2::interval,
        first_failed_at = first_failed_at - $2::interval, went_down_at = went_down_at - $2::interval
    WHERE org_id = $1
"""


async def make_due(connection: Connection, org_id: UUID | None = None) -> None:
    """Every retry's time has come, and every cooldown is over; leases have run out."""
    await connection.execute(_DUE, org_id)
    await connection.execute(_READY, org_id)


async def pass_time(connection: Connection, org_id: UUID, by: timedelta) -> None:
    """So much time goes by for everything that waits, as if the clock had run on."""
    await connection.execute(_DELIVERIES_PASS, org_id, by)
    await connection.execute(_LANES_PASS, org_id, by)
