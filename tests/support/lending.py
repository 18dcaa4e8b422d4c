"""Connections for a glance behind the curtain, lent again instead of made anew.

To connect takes PostgreSQL a hundred times as long as what most tests then ask. Whoever closes a
connection of `lent` gives it back as it was made: no role, setting, lock or table of its own stays.
One that was left inside a transaction, or is broken, is closed for good.
"""

import asyncio
from collections import defaultdict
from typing import Final, TypeAlias

import asyncpg

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_AS_MADE: Final = """
    SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP;
    SELECT pg_advisory_unlock_all()
"""


class _Lent(asyncpg.Connection):
    """A connection whose end is the next one's beginning."""

    url: str
    loop: asyncio.AbstractEventLoop

    async def close(self, **patience: float | None) -> None:
        """Give it back."""
        if self.is_closed() or self.is_in_transaction():
            await super().close(**patience)
        elif self not in _idle[self.url]:
            await self.execute(_AS_MADE)
            _idle[self.url].append(self)

    async def end(self) -> None:
        """Close it for good."""
        await super().close()


_idle: Final[defaultdict[str, list[_Lent]]] = defaultdict(list)


async def lent(url: str) -> Owner:
    """A connection to this database, as if it were new."""
    loop = asyncio.get_running_loop()
    idle = _idle[url]
    while idle:
        connection = idle.pop()
        if connection.loop is loop and not connection.is_closed():
            return connection
    made = await asyncpg.connect(url, connection_class=_Lent)
    made.url, made.loop = url, loop
    return made


async def end_lending(url: str) -> None:
    """Close what lies idle: its database goes."""
    for connection in _idle.pop(url, ()):
        if connection.loop is asyncio.get_running_loop():
            await connection.end()
