"""Transactions bound to one organization, and the pool they come from.

A `Tx` begins, binds its organization and is told the time in two round trips, and ends in one; no
other code begins or ends a transaction. Conflicts between transactions are tried again from the
start. A COMMIT whose answer was lost is neither success nor failure: the caller is told that the
database was away and asks again with the same key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import asyncpg.exceptions as pg
from msgspec import Struct, field

from bursar.domain.access import Standing
from bursar.domain.frozen import printed
from bursar.domain.ids import OrgId, print_id, uuid_of
from bursar.domain.tasks import Task
from bursar.runtime import clock, tracing
from bursar.runtime.connections import Connection, DatabaseAway
from bursar.runtime.crypto import KeyRing, signed_context
from bursar.runtime.entrances import Entrance, entrance_of
from bursar.runtime.ids import new_uuid, new_uuids
from bursar.runtime.known_rows import KnownRows
from bursar.runtime.logging import get_log
from bursar.runtime.pooling import Pooling, lent
from bursar.runtime.queue import TaskQueue
from bursar.runtime.schema import is_expected
from bursar.runtime.sql import Query
from bursar.runtime.transactions import (
    AGAIN,
    AWAY,
    BEGIN,
    BEGIN_LOOK,
    LOST,
    MISFIT,
    SURVEY_SECONDS,
    UNHURRIED,
    DeadLine,
    committed,
    rolled_back,
    transaction,
)

_CONTEXT_SECONDS: Final = 60
_TURN_SECONDS: Final = 5
_COMMAND_SECONDS: Final = 15.0
_CONNECT_SECONDS: Final = 5.0
_STREAMED_AT_ONCE: Final = 2_000
_TRIES_MAX: Final = 5
_INSISTING_MAX: Final = 1_000
_INSIST_FIRST_SECONDS: Final = 0.02
_INSIST_MAX_SECONDS: Final = 1.0

Result = TypeVar("Result")
Record = asyncpg.Record

log = get_log()


class ReadTx:
    """A transaction that looks. Row-level security shows it one organization only."""

    standing: Standing  # told by whoever admitted the caller, before any verb or look runs

    def __init__(
        self,
        connection: Connection,
        org_id: OrgId,
        entrance: Entrance,
        *,
        patience: float | None = None,
    ) -> None:
        self._connection = connection
        self._patience = patience
        self.org_id = org_id
        self.now = entrance.now
        self.wall = entrance.wall
        self.mode = entrance.mode

    async def fetch(self, query: Query, *args: object) -> list[Record]:
        """All rows."""
        return await self._connection.fetch(query.text, *args, timeout=self._patience)

    async def fetchrow(self, query: Query, *args: object) -> Record | None:
        """The first row, if any."""
        return await self._connection.fetchrow(query.text, *args, timeout=self._patience)

    async def fetchval(self, query: Query, *args: object) -> Any:
        """The first column of the first row."""
        return await self._connection.fetchval(query.text, *args, timeout=self._patience)

    async def stream(self, query: Query, *args: object) -> AsyncIterator[Record]:
        """Row by row, as many as there are, of which only a few are in memory at a time."""
        prepared = await self._connection.prepare(query.text, timeout=self._patience)
        async for row in prepared.cursor(*args, prefetch=_STREAMED_AT_ONCE, timeout=self._patience):
            yield row


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
        self._pooling = means.pooling
        self.keys = means.keys
        self.is_development = means.is_development
        self.retry_minutes = means.retry_minutes
        self.known_rows = means.known_rows
        self.actor = binding.actor
        self.request_id = binding.request_id
        self.reason = binding.reason
        self.address = binding.address
        self.user_agent = binding.user_agent
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

    def new_uuids(self, count: int) -> list[UUID]:
        """Fresh ids in rising order, of rows that are written many at a time."""
        return new_uuids(count)

    async def bind(self, org_id: OrgId) -> None:
        """Go on in another scope: an organization just made, or the person this is about."""
        backend = await self._pooling.backend(self._connection)
        context = self._binding.context(backend, uuid_of(org_id))
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


class Binding(Struct, frozen=True, kw_only=True):
    """Who acts, for which organization, under which key and claim: what a transaction is told."""

    context_key: bytes
    scope: UUID
    org_id: OrgId
    actor: str
    request_id: str
    reason: str | None = None
    address: str | None = None
    user_agent: str | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    key: str | None = None
    fingerprint: bytes | None = None
    claim: UUID | None = None
    boot_id: UUID | None = None
    job_id: int | None = None
    job_token: UUID | None = None

    def __repr__(self) -> str:
        return printed(self, without="context_key")

    def context(self, backend: int, scope: UUID | None = None) -> str:
        """The signed context: good for this backend, for as long as a transaction may take.

        It is always a parameter, never in a statement's text, which other sessions could read and
        use again on the same backend. One serves all who come within a few seconds.
        """
        turn = int(clock.now().timestamp()) // _TURN_SECONDS
        expires = turn * _TURN_SECONDS + _CONTEXT_SECONDS
        org = scope or self.scope
        return signed_context(self.context_key, org, backend_pid=backend, expires_epoch=expires)


class Means(Struct, frozen=True):
    """What every changing transaction has at hand besides the database."""

    queue: TaskQueue
    keys: KeyRing
    is_development: bool
    retry_minutes: tuple[int, ...] = ()
    is_traced: bool = False
    pooling: Pooling = field(default_factory=Pooling)
    known_rows: KnownRows = field(default_factory=KnownRows)


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


Body: TypeAlias = Callable[[Tx, Entrance], Awaitable[Result]]
Enter: TypeAlias = Callable[[Connection, str], Awaitable[Entrance]]
"""Another way through `sec.enter`, given the signed context: for many who come at once."""


class Database:
    """The pool, and the three ways in: change, look, and the machine's own tables."""

    def __init__(self, pool: asyncpg.Pool, means: Means) -> None:
        self._pool = pool
        self._means = means
        self._pooling = means.pooling
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
            reset=_keep,
            init=tracing.watch if means.is_traced else None,
            **means.pooling.options(application_name),
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
            async with lent(self._pool) as connection:
                yield connection
        except (*AWAY, *AGAIN) as away:
            raise DatabaseAway(str(away)) from away
        except MISFIT as odd:
            await self._require_own_schema(odd)
            raise

    async def span(
        self, binding: Binding, act: Callable[[Connection, str], Awaitable[Result]]
    ) -> Result:
        """Run one statement that spans organizations, with the context of whoever may do so."""

        async def once() -> Result:
            async with (
                lent(self._pool) as connection,
                self._one_backend(connection, BEGIN, committed),
            ):
                backend = await self._pooling.backend(connection)
                return await act(connection, binding.context(backend))

        return await self._persistently(once)

    async def change(
        self, binding: Binding, body: Body[Result], *, is_dry: bool, enter: Enter | None = None
    ) -> Result:
        """Run `body` in one transaction; conflicts start it again, at most five times."""
        act = partial(self._change_once, binding, body, is_dry=is_dry, enter=enter)
        return await self._persistently(act)

    async def look(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        """Run `body` in one read-only transaction over one snapshot."""
        return await self._persistently(lambda: self._look_once(binding, body))

    async def survey(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        """Look at all there is of something; for an operator, since it may take minutes."""
        return await _persistently(lambda: self._survey_once(binding, body))

    async def glance(
        self, binding: Binding, query: Query, asked: Sequence[tuple[object, ...]]
    ) -> tuple[Entrance, list[Record]]:
        """Enter and read by one statement, in one round trip; gives a row for each that is asked.

        The query begins with `sec.glance($1, $2, $3, $4)`, gives all of its columns, and reads
        nothing before it has them; $5 is the organization, and what is asked follows, an array of
        each argument.
        """
        columns = tuple(zip(*asked, strict=True))
        return await _persistently(lambda: self._glance_once(binding, query, columns))

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

    async def _persistently(self, act: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await _persistently(act)
        except MISFIT as odd:
            await self._require_own_schema(odd)
            raise

    async def _require_own_schema(self, odd: Exception) -> None:
        """While the schema is another release's, nothing that misses in it is a bug of ours.

        Raises:
            DatabaseAway: this process is about to be replaced; its successor answers.
        """
        async with self.machine() as connection:
            if not await is_expected(connection):
                raise DatabaseAway("the schema is another release's") from odd

    async def _look_once(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        async with (
            lent(self._pool) as connection,
            transaction(connection, self._pooling.begin(BEGIN_LOOK), end=rolled_back),
        ):
            entrance = await self._enter(connection, binding)
            return await body(ReadTx(connection, binding.org_id, entrance), entrance)

    async def _glance_once(
        self, binding: Binding, query: Query, columns: tuple[tuple[object, ...], ...]
    ) -> tuple[Entrance, list[Record]]:
        async with (
            lent(self._pool) as connection,
            self._one_backend(connection, BEGIN_LOOK, rolled_back),
        ):
            context = binding.context(await self._pooling.backend(connection))
            who = binding.user_id, binding.session_id, binding.api_key_id
            try:
                rows = await connection.fetch(query.text, context, *who, binding.scope, *columns)
            except LOST as lost:
                raise DeadLine(str(lost)) from lost  # it changed nothing
        return entrance_of(rows[0]), rows

    def _one_backend(
        self, connection: Connection, begin: str, end: Callable[[Connection], Awaitable[None]]
    ) -> AbstractAsyncContextManager[None]:
        """Where a single statement can be signed for whoever answers it."""
        if not self._pooling.is_shared:
            return nullcontext()
        return transaction(connection, self._pooling.begin(begin), end=end)

    async def _survey_once(
        self, binding: Binding, body: Callable[[ReadTx, Entrance], Awaitable[Result]]
    ) -> Result:
        async with (
            lent(self._pool) as connection,
            transaction(connection, self._pooling.begin(BEGIN_LOOK) + UNHURRIED, end=rolled_back),
        ):
            entrance = await self._enter(connection, binding)
            tx = ReadTx(connection, binding.org_id, entrance, patience=SURVEY_SECONDS)
            return await body(tx, entrance)

    async def _change_once(
        self, binding: Binding, body: Body[Result], *, is_dry: bool, enter: Enter | None
    ) -> Result:
        end = rolled_back if is_dry else committed
        async with (
            lent(self._pool) as connection,
            transaction(connection, self._pooling.begin(BEGIN), end=end),
        ):
            entrance = await self._enter(connection, binding, enter)
            tx = Tx(connection, binding.org_id, entrance, binding, self._means)
            return await body(tx, entrance)

    async def _enter(
        self, connection: Connection, binding: Binding, enter: Enter | None = None
    ) -> Entrance:
        context = binding.context(await self._pooling.backend(connection))
        if enter is not None:
            return await enter(connection, context)
        row = await connection.fetchrow(
            _ENTER.text,
            context,
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
        return entrance_of(row)


async def _persistently(act: Callable[[], Awaitable[Result]]) -> Result:
    """Whatever PostgreSQL promises left nothing behind is tried again from the start."""
    for attempt in range(1, _TRIES_MAX + 1):
        try:
            return await act()
        except (DeadLine, *AGAIN) as conflict:
            if attempt == _TRIES_MAX:
                raise DatabaseAway("the transaction kept losing to others") from conflict
            await asyncio.sleep(0.005 * attempt * (1 + new_uuid().int % 100 / 100))
        except pg.QueryCanceledError as canceled:
            raise DatabaseAway("a statement took too long") from canceled
        except AWAY as away:
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


async def _keep(_connection: Connection) -> None:
    """Every way in ends its own transaction and sets nothing that outlives it."""
