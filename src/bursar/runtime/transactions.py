"""How a transaction begins and ends on a connection, and what is believed of its end.

Owns the statements around a transaction and the verdict on a connection that failed in one. What
runs inside, and for whom, is `db`. A connection that cannot promise that nothing is left open on it
is closed, never kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg
import asyncpg.exceptions as pg

from bursar.runtime.connections import Connection

BEGIN: Final = "BEGIN"
BEGIN_LOOK: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# A survey reads all there is of something, so it joins whole sets: one wrong guess of how few rows
# there are, and a nested loop would never end. It may take its time.
UNHURRIED: Final = "; SET LOCAL enable_nestloop = off; SET LOCAL statement_timeout = '10min'"
SURVEY_SECONDS: Final = 610.0

_BEGIN_SECONDS: Final = 5.0
_COMMIT_SECONDS: Final = 5.0
_ROLLBACK_SECONDS: Final = 2.0
_COMMIT: Final = "COMMIT"
_ROLLBACK: Final = "ROLLBACK"
LOST: Final = (
    ConnectionError,
    pg.InterfaceError,
    pg.InternalClientError,
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
)
AGAIN: Final = (
    pg.SerializationError,
    pg.DeadlockDetectedError,
    # A migration changed a table under a prepared statement; the driver has forgotten it by now.
    pg.InvalidCachedStatementError,
    pg.OutdatedSchemaCacheError,
    # "Cache lookup failed", "tuple concurrently updated": one replaced what a statement stood on.
    pg.InternalServerError,
)
MISFIT: Final = (pg.SyntaxOrAccessError, pg.NotNullViolationError)
AWAY: Final = (
    OSError,
    TimeoutError,
    pg.InterfaceError,
    pg.InternalClientError,  # the server ended an idle connection, and the driver saw half of it
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.LockNotAvailableError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.TransactionTimeoutError,
    pg.StatementCompletionUnknownError,
    pg.ReadOnlySQLTransactionError,
)


class DeadLine(Exception):
    """The connection had died while it lay in the pool: nothing was begun on it."""


class CommitUnknown(ConnectionError):
    """PostgreSQL said COMMIT with a warning: it may or may not outlive this server."""


@asynccontextmanager
async def transaction(
    connection: Connection, begin: str, *, end: Callable[[Connection], Awaitable[None]]
) -> AsyncIterator[None]:
    """Begin, run the block, end; whatever is raised leaves no transaction behind."""
    try:
        await _begun(connection, begin)
        yield
        await end(connection)
    except BaseException:
        await _abandoned(connection)
        raise


async def _begun(connection: Connection, begin: str) -> None:
    try:
        await connection.execute(begin, timeout=_BEGIN_SECONDS)
    except LOST as lost:
        raise DeadLine(str(lost)) from lost


async def rolled_back(connection: Connection) -> None:
    """End it as if it had never been."""
    await connection.execute(_ROLLBACK, timeout=_ROLLBACK_SECONDS)


async def committed(connection: Connection) -> None:
    """Commit, and believe nothing but a plain success.

    A wait for a synchronous standby that was given up also says COMMIT; only its warning tells
    that another server may not have it.
    """
    warnings: list[str] = []

    def note(_connection: object, message: asyncpg.PostgresLogMessage) -> None:
        warnings.append(str(message))

    connection.add_log_listener(note)
    try:
        told = await connection.execute(_COMMIT, timeout=_COMMIT_SECONDS)
    except (OSError, TimeoutError, pg.InterfaceError):
        connection.terminate()
        raise
    finally:
        with suppress(pg.InterfaceError):
            connection.remove_log_listener(note)
    assert told == _COMMIT, "a verb went on after a statement of its transaction had failed"
    if warnings:
        raise CommitUnknown("; ".join(warnings))


async def _abandoned(connection: Connection) -> None:
    """Leave no transaction behind; a connection that cannot promise that is not worth keeping.

    The driver first waits for the end of whatever was canceled, a BEGIN or COMMIT as well.
    """
    try:
        await asyncio.shield(connection.execute(_ROLLBACK, timeout=_ROLLBACK_SECONDS))
    except BaseException:  # noqa: BLE001 - the first fault is the one to tell
        with suppress(pg.InterfaceError):  # it is back in the pool, closed
            connection.terminate()
