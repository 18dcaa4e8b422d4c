"""Brings a database to this release's schema: roles, revisions, and the key of the tenant context.

Runs as the owner, never as the application. Running it again changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bursar.runtime.crypto import padded_keys

_FOLDER: Final = Path(__file__).parent.parent / "migrations"
_LOCK: Final = 0x62757273  # one migration at a time, whoever starts it
_STORE_KEY: Final = (
    "INSERT INTO sec.context_keys (id, inner_pad, outer_pad) VALUES ($1, $2, $3) "
    "ON CONFLICT (id) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
)


async def migrate(owner_url: str, *, context_key: bytes, before: Sequence[bytes] = ()) -> bool:
    """Upgrade to the newest revision; says whether anything was done.

    Contexts signed with a key from `before` are believed as well, until the next run without it:
    so processes with the old and the new key may run side by side.
    """
    guard = await asyncpg.connect(owner_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
        changed = await _upgraded(owner_url)
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


async def _upgraded(owner_url: str) -> bool:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(owner_url, statement_cache_size=0)

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
