"""How connections are used: one's own, or lent for a transaction by a pooler (PgBouncer).

Behind a pooler in transaction mode another server process may answer each transaction. So nothing
may outlive one: settings are given anew with every BEGIN, no statement stays prepared, and which
process answers is asked inside, since a context is signed for it. What needs a session (wake-ups,
signs of life, migrations) goes past the pooler by DATABASE_DIRECT_URL.
"""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import asyncpg
from msgspec import Struct

from bursar.runtime.connections import Connection
from bursar.runtime.sql import Query

_SETTINGS: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "15s",
    "jit": "off",
}
_ANEW: Final = "".join(f"; SET LOCAL {name} = '{value}'" for name, value in _SETTINGS.items())
_BACKEND: Final = Query("backend", "SELECT pg_backend_pid()")
_ACQUIRE_SECONDS: Final = 2.0


def lent(pool: asyncpg.Pool) -> AbstractAsyncContextManager[Connection]:
    """A connection of our own pool: one that lies idle at once, else the first that comes back.

    A time-out costs a task of its own, and whoever need not wait needs none.
    """
    return pool.acquire(timeout=None if pool.get_idle_size() else _ACQUIRE_SECONDS)


class Pooling(Struct, frozen=True):
    """Whether a pooler lends connections by the transaction."""

    is_shared: bool = False

    def options(self, application_name: str) -> dict[str, Any]:
        """What the driver's pool is opened with; a pooler refuses settings that it cannot keep."""
        kept = {"application_name": application_name, "timezone": "UTC"}
        if self.is_shared:
            return {"server_settings": kept, "statement_cache_size": 0}
        return {"server_settings": kept | _SETTINGS}

    def begin(self, statement: str) -> str:
        """The statement that opens a transaction, with what holds inside."""
        return statement + _ANEW if self.is_shared else statement

    async def backend(self, connection: Connection) -> int:
        """The server process that answers, for the length of this transaction."""
        if not self.is_shared:
            return connection.get_server_pid()
        pid: int = await connection.fetchval(_BACKEND.text)
        return pid
