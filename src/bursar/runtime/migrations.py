"""Brings a database to this release's schema: roles, revisions, and the key of the tenant context.

Runs as the owner, never as the application. Running it again changes nothing. A statement that
waits for a table makes everybody else wait behind it, so it waits a moment only: the revision is
given up, whole, and tried again when others have had their turn.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bursar.runtime.crypto import padded_keys

_FOLDER: Final = Path(__file__).parent.parent / "migrations"
_LOCK: Final = 0x62757273  # one migration at a time, whoever starts it
_TABLE_WAIT: Final = "1s"  # far below the four that a request waits for a lock
_TRIES_MAX: Final = 60
_PAUSE_SECONDS: Final = 1.0
_HOLDERS: Final = (
    "SELECT DISTINCT a.pid, a.application_name FROM pg_locks AS l "
    "JOIN pg_stat_activity AS a ON a.pid = l.pid "
    "WHERE a.xact_start < now() - interval '30 seconds' AND a.datname = current_database() "
    "AND a.pid <> pg_backend_pid() ORDER BY a.pid LIMIT 5"
)
# The event log's months are made ahead; whoever migrates at least once a year never lacks one.
_EXTEND: Final = "SET LOCAL lock_timeout = '1s'; CALL sec.extend_events(13)"
_STORE_KEY: Final = (
    "INSERT INTO sec.context_keys (id, inner_pad, outer_pad) VALUES ($1, $2, $3) "
    "ON CONFLICT (id) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
)


class MigrationBlocked(Exception):
    """Somebody keeps a lock that a revision needs; nothing of that revision was done."""


async def migrate(owner_url: str, *, context_key: bytes, before: Sequence[bytes] = ()) -> bool:
    """Upgrade to the newest revision; says whether anything was done.

    Contexts signed with a key from `before` are believed as well, until the next run without it:
    so processes with the old and the new key may run side by side.

    Raises:
        MigrationBlocked: a lock was not to be had in two minutes.
    """
    guard = await asyncpg.connect(owner_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
        changed = await _patiently_upgraded(owner_url, guard)
        async with guard.transaction():
            await guard.executemany(_STORE_KEY, _numbered([context_key, *before]))
            await guard.execute("DELETE FROM sec.context_keys WHERE id > $1", 1 + len(before))
    finally:
        await guard.close()
    return changed


def _numbered(keys: Sequence[bytes]) -> list[tuple[int, bytes, bytes]]:
    return [(number, *padded_keys(key)) for number, key in enumerate(keys, 1)]


def newest_revision() -> str:
    """The revision this code expects."""
    head = ScriptDirectory(str(_FOLDER)).get_current_head()
    assert head is not None
    return head


async def _patiently_upgraded(owner_url: str, guard: "asyncpg.Connection[asyncpg.Record]") -> bool:
    is_changed = False
    for _ in range(_TRIES_MAX):
        try:
            is_changed |= await _upgraded(owner_url)
            await _extend(guard)
        except (asyncpg.LockNotAvailableError, DBAPIError) as refused:
            if not _is_about_a_lock(refused):
                raise
        else:
            return is_changed
        await asyncio.sleep(_PAUSE_SECONDS)
    holders = [f"{row['pid']} ({row['application_name']})" for row in await guard.fetch(_HOLDERS)]
    raise MigrationBlocked(
        "a table is locked by a transaction that does not end; the oldest are of the server "
        f"processes {', '.join(holders) or 'nobody any more'}. End them and migrate again."
    )


async def _extend(guard: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Make the months ahead; one that came too late has its events in the default partition."""
    with suppress(asyncpg.CheckViolationError):
        async with guard.transaction():
            await guard.execute(_EXTEND)


def _is_about_a_lock(refused: Exception) -> bool:
    """Alembic's own statements fail inside SQLAlchemy's wrapping, the scripts' without it."""
    cause: BaseException | None = refused
    while cause is not None and not isinstance(cause, asyncpg.LockNotAvailableError):
        cause = cause.__cause__
    return cause is not None


async def _upgraded(owner_url: str) -> bool:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            owner_url, statement_cache_size=0, server_settings={"lock_timeout": _TABLE_WAIT}
        )

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Alembic is synchronous; the engine lends it the connection inside its own greenlet.
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> bool:
    before = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
    return before != newest_revision()
