"""Whether PostgreSQL answers, asked over a line of its own: a full pool is no reason to say no.

Owns one connection, made when it is first asked over and made again when it was lost. However many
ask at once, one question is sent, and all of them have its answer within two seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

import asyncpg

from bursar.runtime.logging import get_log
from bursar.runtime.transactions import AWAY, LOST

Line: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_QUESTION: Final = "SELECT true"
_SECONDS: Final = 2.0

log = get_log()


def probing(url: str) -> Callable[[], Awaitable[Line]]:
    """How a line is made; a pooler could not keep a prepared statement on it."""
    return partial(asyncpg.connect, url, timeout=_SECONDS, statement_cache_size=0)


class Probe:
    """One line, asked one question at a time."""

    def __init__(self, connect: Callable[[], Awaitable[Line]], line: "Line | None" = None) -> None:
        self._connect = connect
        self._line = line
        self._asking: asyncio.Task[bool] | None = None
        self._is_closed = False

    async def is_answered(self) -> bool:
        """Whether PostgreSQL answers, asked outside of any organization."""
        if self._is_closed:
            return False
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    def close(self) -> None:
        """Leave; what is asked afterwards is not answered."""
        self._is_closed = True
        self._hang_up()

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._answer()
        except AWAY as away:
            self._hang_up()
            log.warning("health.database_away", reason=str(away) or type(away).__name__)
            return False

    async def _answer(self) -> bool:
        """Over the line there is; where that has died meanwhile, over a new one."""
        if self._line is not None:
            with suppress(*LOST):
                return bool(await self._line.fetchval(_QUESTION))
            self._hang_up()
        self._line = await self._connect()
        return bool(await self._line.fetchval(_QUESTION))

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.terminate()
