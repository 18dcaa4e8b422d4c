"""Transactions bound to one organization, and the pool they come from.

A `Tx` begins, binds its organization and is told the time in two round trips, and ends in one; no
other code begins or ends a transaction. Conflicts between transactions are tried again from the
start. A COMMIT whose answer was lost is neither success nor failure: the caller is told that the
database was away and asks again with the same key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import asyncpg.exceptions as pg

from bursar.domain.ids import OrgId, print_id, uuid_of
from bursar.domain.tasks import Task
from bursar.domain.times import Instant
from bursar.runtime import clock
from bursar.runtime.crypto import KeyRing, context_mac
from bursar.runtime.ids import new_uuid
from bursar.runtime.logging import get_log
from bursar.runtime.queue import Connection, TaskQueue
from bursar.runtime.sql import Query

_CONTEXT_SECONDS: Final = 60
_ACQUIRE_SECONDS: Final = 2.0
_COMMAND_SECONDS: Final = 15.0
_CONNECT_SECONDS: Final = 5.0
_BEGIN_SECONDS: Final = 5.0
_COMMIT_SECONDS: Final = 5.0
_ROLLBACK_SECONDS: Final = 2.0
_TRIES_MAX: Final = 5
_INSISTING_MAX: Final = 1_000
_INSIST_FIRST_SECONDS: Final = 0.02
_INSIST_MAX_SECONDS: Final = 1.0
_BEGIN: Final = "BEGIN"
_BEGIN_LOOK: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_COMMIT: Final = "COMMIT"
_ROLLBACK: Final = "ROLLBACK"
_SETTINGS: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    "jit": "off",
}
_AGAIN: Final = (
    pg.SerializationError,
    pg.DeadlockDetectedError,
    # A migration changed a table under a prepared statement; the driver has forgotten it by now.
    pg.InvalidCachedStatementError,
    pg.OutdatedSchemaCacheError,
)
_AWAY: Final = (
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

_LOST: Final = (
    ConnectionError,
    pg.InterfaceError,
    pg.InternalClientError,
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
)

Result = TypeVar("Result")
Record = asyncpg.Record

log = get_log()


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached, or answered nothing that can be trusted; try again."""


class DeadLine(Exception):
    """The connection had died while it lay in the pool: nothing was begun on it."""


class CommitUnknown(ConnectionError):
    """PostgreSQL said COMMIT with a warning: it may or may not outlive this server."""


@dataclass(frozen=True, slots=True)
class Entrance:
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


class ReadTx:
    """A transaction that looks. Row-level security shows it one organization only."""

    def __init__(self, connection: Connection, org_id: OrgId, entrance: Entrance) -> None:
        self._connection = connection
        self.org_id = org_id
        self.now = entrance.now
        self.wall = entrance.wall
        self.mode = entrance.mode

    async def fetch(self, query: Query, *args: object) -> list[Record]:
        """All rows."""
        return await self._connection.fetch(query.text, *args)

    async def fetchrow(self, query: Query, *args: object) -> Record | None:
        """The first row, if any."""
        return await self._connection.fetchrow(query.text, *args)

    async def fetchval(self, query: Query, *args: object) -> Any:
        """The first column of the first row."""
        return await self._connection.fetchval(query.text, *args)


class Tx(ReadTx):
    """A transaction that changes: all of it becomes true, or none."""

    def __init__(
        self,
        connection: Connection,
        org_id: OrgId,
        entrance: Entrance,
        binding: "Binding",
        means: "Means",
    ) -> None:
        super().__init__(connection, org_id, entrance)
        self._binding = binding
        self._queue = means.queue
        self.keys = means.keys
        self.is_development = means.is_development
        self.actor = binding.actor
        self.request_id = binding.request_id
        self.reason = binding.reason
        self.begun = entrance.begun
        self.told: list[str] = []
        self.has_tasks = False

    async def execute(self, query: Query, *args: object) -> int:
        """Run a statement; gives how many rows it touched."""
        status = await self._connection.execute(query.text, *args)
        return int(status.rpartition(" ")[2])

    async def executemany(self, query: Query, rows: list[tuple[object, ...]]) -> None:
        """Run a statement for each row of arguments."""
        await self._connection.executemany(query.text, rows)

    def new_id(self, prefix: str) -> str:
        """A fresh id of the noun with this prefix."""
        return print_id(prefix, new_uuid())

    async def bind(self, org_id: OrgId) -> None:
        """Go on in another organization: only for the verb that has just made it."""
        context = self._binding.context(self._connection, uuid_of(org_id))
        await self._connection.fetchval(_BIND.text, context)
        self.org_id = org_id

    async def note_begun(self, made_id: str) -> None:
        """What this request makes first: `begun` of whoever sends it again before its answer."""
        if self._binding.key is not None:
            binding = self._binding
            await self.execute(
                _NOTE_BEGUN, binding.key, binding.claim, uuid_of(made_id), binding.scope
            )

    async def enqueue(self, *tasks: Task, delay: timedelta = timedelta(0)) -> None:
        """Leave work that becomes visible with this transaction's commit."""
        if tasks:
            self.has_tasks = True
            await self._queue.enqueue(self._connection, self.org_id, tasks, delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Who acts, for which organization, under which key and claim: what a transaction is told."""

    context_key: bytes = field(repr=False)
    scope: UUID
    org_id: OrgId
    actor: str
    request_id: str
    reason: str | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    key: str | None = None
    fingerprint: bytes | None = None
    claim: UUID | None = None
    boot_id: UUID | None = None
    job_id: int | None = None
    job_token: UUID | None = None

    def context(self, connection: Connection, scope: UUID | None = None) -> str:
        """The signed context: good for this backend, for as long as a transaction may take.

        It is always a parameter, never in a statement's text, which other sessions could read and
        use again on the same backend.
        """
        org = scope or self.scope
        pid = connection.get_server_pid()
        expires = int(clock.now().timestamp()) + _CONTEXT_SECONDS
        mac = context_mac(self.context_key, org, backend_pid=pid, expires_epoch=expires)
        return f"{org}|{pid}|{expires}|{mac}"


@dataclass(frozen=True, slots=True)
class Means:
    """What every changing transaction has at hand besides the database."""

    queue: TaskQueue
    keys: KeyRing
    is_development: bool


_ENTER: Final = Query("enter", "SELECT * FROM sec.enter($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
_BIND: Final = Query("bind", "SELECT set_config('bursar.context', $1, true)")
_STORE_ANSWER: Final = Query(
    "store_answer",
    "UPDATE idempotency_keys SET answer = $3 WHERE key = $1 AND claim = $2 AND org_id = $4",
)
_NOTE_BEGUN: Final = Query(
    "note_begun",
    "UPDATE idempotency_keys SET begun = $3 WHERE key = $1 AND claim = $2 AND org_id = $4",
)
_RELEASE_KEY: Final = Query(
    "release_key",
    "UPDATE idempotency_keys SET boot_id = NULL "
    "WHERE key = $1 AND claim = $2 AND answer IS NULL AND org_id = $3",
)


class Database:
    """The pool, and the three ways in: change, look, and the machine's own tables."""

    def __init__(self, pool: asyncpg.Pool, means: Means) -> None:
        self._pool = pool
        self._means = means
        self._insisting: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, url: str, *, means: Means, application_name: str, size: int = 10
    ) -> "Database":
        """Connect to PostgreSQL as the application."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            max_inactive_connection_lifetime=300.0,
            server_settings={**_SETTINGS, "application_name": application_name},
            reset=_keep,
        )
        return cls(pool, means)

    async def close(self) -> None:
        """Hand all connections back; waits for running transactions a moment only."""
        for task in self._insisting:
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pool.close(), timeout=5)
        self._pool.terminate()

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Connection]:
        """A connection with no organization bound: tenant tables refuse it."""
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                yield connection
        except (*_AWAY, *_AGAIN) as away:
            raise DatabaseAway(str(away)) from away

    async def change(
        self, binding: Binding, body: Callable[[Tx, Entrance], Awaitable[Result]], *, is_dry: bool
    ) -> Result:
        """Run `body` in one transaction; conflicts start it again, at most five times."""
        return await _persistently(lambda: self._change_once(binding, body, is_dry=is_dry))

    async def look(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        """Run `body` in one read-only transaction over one snapshot."""
        return await _persistently(lambda: self._look_once(binding, body))

    @property
    def pending(self) -> int:
        """How much of what `insist` was asked to do is not done yet."""
        return len(self._insisting)

    async def insist(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do it now, or, when PostgreSQL is away, in the background as soon as it is back."""
        try:
            await act()
        except DatabaseAway as away:
            if len(self._insisting) >= _INSISTING_MAX:
                raise
            log.warning("database.insists", reason=str(away), waiting=len(self._insisting) + 1)
            task = asyncio.create_task(_until_done(act))
            self._insisting.add(task)
            task.add_done_callback(self._insisting.discard)

    async def store_answer(self, tx: Tx, binding: Binding, stored: bytes) -> None:
        """Keep the answer of the key this transaction claimed."""
        await tx.execute(_STORE_ANSWER, binding.key, binding.claim, stored, binding.scope)

    async def release_key(self, tx: Tx, binding: Binding) -> None:
        """The request failed: whoever retries with the key goes on at once."""
        await tx.execute(_RELEASE_KEY, binding.key, binding.claim, binding.scope)

    async def _look_once(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        async with (
            self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection,
            _transaction(connection, _BEGIN_LOOK, end=_rolled_back),
        ):
            entrance = await _enter(connection, binding)
            return await body(ReadTx(connection, binding.org_id, entrance), entrance)

    async def _change_once(
        self, binding: Binding, body: Callable[[Tx, Entrance], Awaitable[Result]], *, is_dry: bool
    ) -> Result:
        end = _rolled_back if is_dry else _committed
        async with (
            self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection,
            _transaction(connection, _BEGIN, end=end),
        ):
            entrance = await _enter(connection, binding)
            tx = Tx(connection, binding.org_id, entrance, binding, self._means)
            return await body(tx, entrance)


async def _persistently(act: Callable[[], Awaitable[Result]]) -> Result:
    """Whatever PostgreSQL promises left nothing behind is tried again from the start."""
    for attempt in range(1, _TRIES_MAX + 1):
        try:
            return await act()
        except (DeadLine, *_AGAIN) as conflict:
            if attempt == _TRIES_MAX:
                raise DatabaseAway("the transaction kept losing to others") from conflict
            await asyncio.sleep(0.005 * attempt * (1 + new_uuid().int % 100 / 100))
        except pg.QueryCanceledError as canceled:
            raise DatabaseAway("a statement took too long") from canceled
        except _AWAY as away:
            raise DatabaseAway(str(away)) from away
    raise AssertionError("unreachable")


async def _until_done(act: Callable[[], Awaitable[None]]) -> None:
    pause = _INSIST_FIRST_SECONDS
    while True:
        await asyncio.sleep(pause)
        try:
            return await act()
        except DatabaseAway:
            pause = min(pause * 2, _INSIST_MAX_SECONDS)


async def _enter(connection: Connection, binding: Binding) -> Entrance:
    row = await connection.fetchrow(
        _ENTER.text,
        binding.context(connection),
        binding.user_id,
        binding.session_id,
        binding.api_key_id,
        binding.key,
        binding.fingerprint,
        binding.claim,
        binding.boot_id,
        binding.job_id,
        binding.job_token,
    )
    assert row is not None
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
    )


@asynccontextmanager
async def _transaction(
    connection: Connection, begin: str, *, end: Callable[[Connection], Awaitable[None]]
) -> AsyncIterator[None]:
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
    except _LOST as lost:
        raise DeadLine(str(lost)) from lost


async def _rolled_back(connection: Connection) -> None:
    await connection.execute(_ROLLBACK, timeout=_ROLLBACK_SECONDS)


async def _committed(connection: Connection) -> None:
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


async def _keep(_connection: Connection) -> None:
    """Every way in ends its own transaction and sets nothing that outlives it."""
