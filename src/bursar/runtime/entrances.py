"""What a transaction is told when it begins, as `sec.enter` says it: who comes in, and when.

Owns the form of that answer. Who asks, with which signed context, is `db`'s; whether the caller is
let in by it is `app`'s.
"""

from uuid import UUID

import asyncpg
from msgspec import Struct

from bursar.domain.times import Instant


class Entrance(Struct, frozen=True):
    """What `sec.enter` says at the start of a transaction."""

    wall: Instant
    now: Instant
    mode: str | None
    role: str | None
    is_credential_good: bool
    key_state: str | None
    answer: bytes | None
    begun: UUID | None
    is_task_ours: bool
    is_deleted: bool


def entrance_of(row: asyncpg.Record) -> Entrance:
    """What `sec.enter` said."""
    return Entrance(
        wall=row["recorded_at"],
        now=row["business_at"],
        mode=row["mode"],
        role=row["role"],
        is_credential_good=row["is_credential_good"],
        key_state=row["key_state"],
        answer=row["answer"],
        begun=row["begun"],
        is_task_ours=row["is_task_ours"],
        is_deleted=row["is_deleted"],
    )
