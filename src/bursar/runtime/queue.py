"""Work for later, kept by PgQueuer: enqueued in the caller's transaction, claimed under a token.

PgQueuer neither counts deaths nor fences a worker that lost its job, so who holds a job stands in
`queue.claims`: whoever claims gets a fresh token, and nothing is finished, retried or kept alive
without it. Out of attempts, or the death of several workers: the job is held, never dropped.
Organizations take turns, so nobody's backlog delays another's job. Knows no task's meaning.
"""

import traceback
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, cast
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, JobId

from bursar.domain.ids import OrgId, print_id, uuid_of
from bursar.domain.queues import Held
from bursar.domain.tasks import QUEUE_RULES, TASKS, Queue, QueueRule, Task
from bursar.runtime import sql, tracing
from bursar.runtime.clock import now
from bursar.runtime.connections import Connection
from bursar.runtime.depth import Depth
from bursar.runtime.logging import get_log
from bursar.runtime.redaction import redacted_text

Q = sql.beside(__file__)
DEPTH: Final = Q.depth

PAYLOAD_BYTES_MAX: Final = 8_192
DEATHS_MAX: Final = 3
STALE_AFTER: Final = timedelta(seconds=30)

_TASKS_AT_ONCE_MAX: Final = 10_000
_LOG_ROWS_AT_ONCE: Final = 10_000
_KINDS: Final[dict[str, type[Task]]] = {kind.__name__: kind for kind in TASKS}
_AFTER_ALL: Final = "~"  # sorts behind every organization: the first claim starts with the first
_NO_DELAY: Final = timedelta(0)

# Every name is given: left to itself PgQueuer takes them from the environment.
_SETTINGS: Final = DBSettings(
    prefix="",
    db_schema="queue",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)
_ENVIRONMENT: Final = QueryBuilderEnvironment(_SETTINGS)
_BUILDER: Final = QueryQueueBuilder(_SETTINGS)
_SCHEDULES: Final = QuerySchedulerBuilder(_SETTINGS)

log = get_log()


class Source(Protocol):
    """Where a raw connection for the machine's own tables comes from."""

    def machine(self) -> AbstractAsyncContextManager[Connection]:
        """A connection in autocommit, bound to no organization."""
        ...


class TaskTooLarge(ValueError):
    """A task carries ids only; one beyond 8 kB is a bug of whoever asked for it."""


class UnknownTask(Exception):
    """A job was written by another release, or by nobody we know."""


class TaskDied(Exception):
    """Several workers died over one job; it is held before it takes the next."""


class TaskClaim(Struct, frozen=True):
    """The right to finish one job, until somebody else claims it."""

    job_id: int
    token: UUID


class Claimed(Struct, frozen=True):
    """A job in hand. `attempts` failed before; `deaths` are workers that never came back."""

    queue: Queue
    task: Task
    org_id: OrgId | None
    claim: TaskClaim
    attempts: int
    deaths: int
    traceparent: str | None = None


class Verdict(StrEnum):
    """What became of a failed attempt. Lost: somebody else has the job by now."""

    RETRIED = "retried"
    HELD = "held"
    LOST = "lost"


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job's payload holds."""

    kind: str
    org: UUID | None
    task: msgspec.Raw


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


class TaskQueue:
    """The queues as one process sees them; `boot_id` names it on the jobs it picks."""

    def __init__(self, boot_id: UUID) -> None:
        self._boot_id = boot_id
        self._served_last: dict[Queue, str] = {}

    async def enqueue(
        self,
        connection: Connection,
        org_id: OrgId | None,
        tasks: Sequence[Task],
        delay: timedelta = _NO_DELAY,
    ) -> None:
        """Leave tasks behind, in the connection's transaction: they exist if it commits.

        Raises:
            TaskTooLarge: nothing was enqueued.
        """
        assert len(tasks) <= _TASKS_AT_ONCE_MAX, "a bulk verb enqueues chunks, not items"
        if not tasks:
            return
        org = None if org_id is None else uuid_of(org_id)
        await _repository(connection).enqueue(
            [task.queue.value for task in tasks],
            [_packed(task, org) for task in tasks],
            [0] * len(tasks),
            [delay] * len(tasks),
            None,
            _headers(org, len(tasks)),
        )

    async def claim(
        self,
        connection: Connection,
        queue: Queue,
        *,
        limit: int,
        stale_after: timedelta = STALE_AFTER,
        ahead: timedelta = _NO_DELAY,
    ) -> list[Claimed]:
        """Take up to `limit` jobs that are due within `ahead`, or whose worker fell silent.

        A job over which too many workers died, and one that cannot be read, is dealt with here.
        """
        last = self._served_last.get(queue, _AFTER_ALL)
        rows = await connection.fetch(
            Q.claim.text, queue.value, limit, stale_after, ahead, last, self._boot_id
        )
        if rows:
            self._served_last[queue] = rows[-1]["turn"]
        found = [await self._opened(connection, queue, row) for row in rows]
        return [one for one in found if one is not None]

    async def complete(self, connection: Connection, claim: TaskClaim) -> bool:
        """The job is done and gone. False: it was no longer ours, and nothing changed."""
        async with connection.transaction():
            if not await _is_let_go(connection, Q.forget_claim, claim):
                return False
            await _repository(connection).log_jobs([(_job(claim), "successful", None)])
            return True

    async def fail(self, connection: Connection, job: Claimed, error: Exception) -> Verdict:
        """Retry later by the queue's rule, or hold when it was the last attempt."""
        rule = QUEUE_RULES[job.queue]
        return await self._put_off(connection, rule, job.claim, job.attempts, error)

    async def retry(
        self, connection: Connection, claim: TaskClaim, delay: timedelta, error: Exception
    ) -> bool:
        """Another attempt after the delay. False: it was no longer ours."""
        async with connection.transaction():
            if not await _is_let_go(connection, Q.lay_down_claim, claim):
                return False
            await _repository(connection).retry_job(_job(claim), delay, _record(claim, error))
            return True

    async def hold(self, connection: Connection, claim: TaskClaim, error: Exception) -> bool:
        """Keep the job as a dead letter until an operator decides. False: no longer ours."""
        async with connection.transaction():
            if not await _is_let_go(connection, Q.forget_claim, claim):
                return False
            await _repository(connection).log_jobs([(_job(claim), "failed", _record(claim, error))])
            return True

    async def hand_back(self, connection: Connection, claim: TaskClaim) -> bool:
        """Let another worker have the job at once: neither an attempt nor a death."""
        async with connection.transaction():
            if not await _is_let_go(connection, Q.lay_down_claim, claim):
                return False
            await connection.execute(Q.put_back.text, claim.job_id)
            return True

    async def heartbeat(
        self, connection: Connection, claims: Iterable[TaskClaim]
    ) -> frozenset[TaskClaim]:
        """Say that these jobs are being worked on; whichever is not in the answer is lost."""
        mine = {claim.job_id: claim for claim in claims}
        rows = await connection.fetch(
            Q.heartbeat.text, list(mine), [claim.token for claim in mine.values()]
        )
        return frozenset(mine[row["id"]] for row in rows)

    async def depth(self, connection: Connection) -> tuple[Depth, ...]:
        """Every queue, the empty ones too."""
        rows = {row["entrypoint"]: row for row in await connection.fetch(DEPTH.text)}
        return tuple(_depth(queue, rows.get(queue.value)) for queue in Queue)

    async def set_right(self, connection: Connection) -> int:
        """After the clock was put back: how many jobs waited for a moment that was none."""
        return len(await connection.fetch(Q.set_right.text))

    async def forget_log(self, connection: Connection, older_than: timedelta) -> int:
        """Remove history of jobs that are gone; returns how much, at most 10,000 rows at once."""
        return len(await connection.fetch(Q.forget_log.text, older_than, _LOG_ROWS_AT_ONCE))

    async def _opened(
        self, connection: Connection, queue: Queue, row: asyncpg.Record
    ) -> Claimed | None:
        claim, attempts, deaths = TaskClaim(row["id"], row["token"]), row["attempts"], row["deaths"]
        if deaths >= DEATHS_MAX:
            died = TaskDied(f"{deaths} workers died over this job")
            await self.hold(connection, claim, died)
            log.warning("job.held", job_id=claim.job_id, queue=queue.value, reason=str(died))
            return None
        try:
            task, org_id = _unpacked(row["payload"])
        except UnknownTask as unknown:
            # While releases roll, a newer one's task waits here for a worker that knows it.
            rule = QUEUE_RULES[queue]
            verdict = await self._put_off(connection, rule, claim, attempts, unknown)
            log.warning("job.unknown", job_id=claim.job_id, verdict=verdict, reason=str(unknown))
            return None
        return Claimed(queue, task, org_id, claim, attempts, deaths, row["traceparent"])

    async def _put_off(
        self,
        connection: Connection,
        rule: QueueRule,
        claim: TaskClaim,
        attempts: int,
        error: Exception,
    ) -> Verdict:
        if attempts + 1 >= rule.attempts_max:
            is_ours = await self.hold(connection, claim, error)
            return Verdict.HELD if is_ours else Verdict.LOST
        is_ours = await self.retry(connection, claim, backoff(rule, attempts, claim), error)
        return Verdict.RETRIED if is_ours else Verdict.LOST


def backoff(rule: QueueRule, attempts: int, claim: TaskClaim) -> timedelta:
    """Twice as long after each failed attempt, ±10 % drawn from the token, which is chance."""
    seconds = rule.backoff_seconds * 2**attempts
    tenths_of_percent = claim.token.int % 201 - 100
    return timedelta(milliseconds=seconds * (1_000 + tenths_of_percent))


def _repository(connection: Connection) -> Queries:
    driver = AsyncpgDriver(cast("asyncpg.Connection[Any]", connection))
    return Queries(driver, _ENVIRONMENT, _BUILDER, _SCHEDULES)


async def _is_let_go(connection: Connection, query: sql.Query, claim: TaskClaim) -> bool:
    return await connection.fetchval(query.text, claim.job_id, claim.token) is not None


def _job(claim: TaskClaim) -> Job:
    """As much of a job as PgQueuer's writes look at."""
    return Job.model_construct(id=JobId(claim.job_id))


def _record(claim: TaskClaim, error: Exception) -> TracebackRecord:
    return TracebackRecord(
        job_id=JobId(claim.job_id),
        timestamp=now(),
        exception_type=type(error).__name__,
        exception_message=redacted_text(str(error)),
        traceback=redacted_text("".join(traceback.format_exception(error))),
        additional_context=None,
    )


def _packed(task: Task, org: UUID | None) -> bytes:
    payload = msgspec.json.encode({"kind": type(task).__name__, "org": org, "task": task})
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise TaskTooLarge(f"{type(task).__name__} takes {len(payload)} bytes")
    return payload


def _headers(org: UUID | None, count: int) -> list[dict[str, str] | None] | None:
    """Whose jobs these are, and the trace in which they were asked for."""
    headers = {} if org is None else {"org": str(org)}
    headers |= tracing.carrier()
    return [headers] * count if headers else None


def _unpacked(payload: bytes) -> tuple[Task, OrgId | None]:
    try:
        envelope = _ENVELOPE.decode(payload)
        task = msgspec.json.decode(envelope.task, type=_KINDS[envelope.kind])
    except KeyError as missing:
        raise UnknownTask(f"no task is called {missing}") from None
    except (msgspec.DecodeError, TypeError) as wrong:
        raise UnknownTask(f"the payload cannot be read: {wrong}") from None
    return task, None if envelope.org is None else OrgId(print_id("org", envelope.org))


def _depth(queue: Queue, row: asyncpg.Record | None) -> Depth:
    if row is None:
        return Depth(queue, waiting=0, running=0, held=0, lag_seconds=0)
    return Depth(queue, row["waiting"], row["running"], row["held"], row["lag_seconds"])


def held_of(row: asyncpg.Record) -> Held:
    """A dead letter from its row; what it asked for is shown without what nobody should read."""
    try:
        task, org_id = _unpacked(row["payload"])
        kind = type(task).__name__
    except UnknownTask:
        kind, org_id = "unknown", None
    found = msgspec.json.decode(row["traceback"] or b"{}", type=dict[str, Any])
    return Held(
        job_id=row["id"],
        queue=Queue(row["entrypoint"]),
        kind=kind,
        org_id=org_id,
        attempts=row["attempts"] + 1,
        error=": ".join(
            filter(None, (found.get("exception_type"), found.get("exception_message")))
        ),
        traceback=str(found.get("traceback", "")),
        payload=redacted_text(bytes(row["payload"] or b"").decode(errors="replace")),
        created_at=row["created"],
        held_at=row["updated"],
    )
