"""The process's own line to PostgreSQL: its sign of life, and the signal that work has come.

While a process lives, a session advisory lock named after its boot id is held here; whoever finds
it free knows that the process is dead. After commits `signal` is called: at most every 20 ms one
NOTIFY goes out, outside any transaction, for a NOTIFY inside one makes commits wait for each
other, and it waits for no disk. Losing the line costs nothing but the poll's second: it is made
again, with the lock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from bursar.runtime.logging import get_log

CHANNEL: Final = "bursar_wake"

_NOTIFY: Final = f"NOTIFY {CHANNEL}"
# A signal says nothing that must outlive the server, so it need not wait for the disk, nor keep
# those waiting there whose work must.
_LIGHTLY: Final = "SET synchronous_commit = off"
_SIGN_OF_LIFE: Final = "SELECT pg_try_advisory_lock(hashtextextended($1::uuid::text, 0))"
_ALIVE: Final = "SELECT 1"
_BETWEEN_SIGNALS_SECONDS: Final = 0.02
_KEEPALIVE_SECONDS: Final = 5.0
_COMMAND_SECONDS: Final = 5.0
_LOCK_RETRY_SECONDS: Final = 0.1
_BACKOFF_FIRST_SECONDS: Final = 0.05
_BACKOFF_MAX_SECONDS: Final = 1.0

Line: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

log = get_log()


class LineLost(Exception):
    """The connection ended; it is made again."""


_LOST: Final = (
    OSError,
    LineLost,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server was killed, and the driver saw half of its last words
)


class Wake:
    """Sends and hears signals, and shows that this process lives.

    `woken` is set whenever somebody may have left work; whoever waits for it clears it.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Line]], boot_id: UUID, *, is_listening: bool = False
    ) -> None:
        self.woken = asyncio.Event()
        self._connect = connect
        self._boot_id = boot_id
        self._is_listening = is_listening
        self._due = asyncio.Event()
        self._holding = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def signal(self) -> None:
        """Work was left behind by a commit; tell every worker soon. Never blocks, never fails."""
        self.woken.set()
        self._due.set()

    async def start(self, *, timeout_seconds: float = 10.0) -> None:
        """Open the line; returns once the sign of life is up.

        Raises:
            TimeoutError: PostgreSQL could not be reached in time.
        """
        assert self._task is None, "a line is opened once"
        self._task = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._holding.wait()
        except TimeoutError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Hang up: from now on this process counts as dead."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def is_holding(self) -> bool:
        """Whether the sign of life is up at this moment."""
        return self._holding.is_set()

    async def _keep(self) -> None:
        backoff = _BACKOFF_FIRST_SECONDS
        while True:
            try:
                await self._hold_line()
            except _LOST as lost:
                log.warning("wake.line_lost", reason=f"{type(lost).__name__}: {lost}")
            backoff = _BACKOFF_FIRST_SECONDS if self._was_held() else backoff * 2
            await asyncio.sleep(min(backoff, _BACKOFF_MAX_SECONDS))

    def _was_held(self) -> bool:
        was_held = self._holding.is_set()
        self._holding.clear()
        return was_held

    async def _hold_line(self) -> None:
        line = await self._connect()
        try:
            line.add_termination_listener(self._on_end)
            await line.execute(_LIGHTLY, timeout=_COMMAND_SECONDS)
            if self._is_listening:
                await line.add_listener(CHANNEL, self._on_signal)
            await self._raise_sign(line)
            self._holding.set()
            # What was signaled while the line was down went nowhere.
            self.signal()
            while True:
                await self._serve(line)
        finally:
            line.terminate()

    async def _raise_sign(self, line: Line) -> None:
        """Our own former session may hold it for a moment longer, or somebody may be looking."""
        while True:
            if await line.fetchval(_SIGN_OF_LIFE, self._boot_id, timeout=_COMMAND_SECONDS):
                return
            await asyncio.sleep(_LOCK_RETRY_SECONDS)

    async def _serve(self, line: Line) -> None:
        """One signal, or, when there is none for a while, a look whether the line is alive."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_KEEPALIVE_SECONDS):
                await self._due.wait()
        if line.is_closed():
            raise LineLost("closed by the server")
        if self._due.is_set():
            self._due.clear()
            await line.execute(_NOTIFY, timeout=_COMMAND_SECONDS)
            await asyncio.sleep(_BETWEEN_SIGNALS_SECONDS)
        else:
            await line.execute(_ALIVE, timeout=_COMMAND_SECONDS)

    def _on_end(self, _line: object) -> None:
        self._due.set()

    def _on_signal(self, line: object, pid: int, _channel: str, _payload: object) -> None:
        if not isinstance(line, asyncpg.Connection) or pid != line.get_server_pid():
            self.woken.set()
