"""Looks at queues over all organizations, for whoever runs this installation."""

from bursar.domain.access import Permission
from bursar.domain.queues import (
    AgendaKind,
    Decision,
    Held,
    LetterGroup,
    QueueDecision,
    QueueLoad,
)
from bursar.domain.tasks import Queue
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx, Record
from bursar.runtime.queue import DEPTH, held_of

Q = sql.beside(__file__)


@query(requires=Permission.QUEUE_READ)
async def queue_loads(tx: ReadTx) -> tuple[QueueLoad, ...]:
    """Every queue, the empty ones too."""
    loads = {row["entrypoint"]: row for row in await tx.fetch(DEPTH)}
    speeds = {row["entrypoint"]: row for row in await tx.fetch(Q.speeds)}
    pauses = {row["entrypoint"]: row for row in await tx.fetch(Q.pauses)}
    return tuple(
        _load(queue, *(found.get(queue.value) for found in (loads, speeds, pauses)))
        for queue in Queue
    )


@query(requires=Permission.QUEUE_READ)
async def dead_letters(tx: ReadTx, queue: Queue | None, limit: int) -> tuple[Held, ...]:
    """Dead letters, the latest first, with what they asked for and how they failed."""
    rows = await tx.fetch(Q.letters, None if queue is None else queue.value, limit)
    return tuple(held_of(row) for row in rows)


@query(requires=Permission.QUEUE_READ)
async def dead_letter_groups(tx: ReadTx) -> tuple[LetterGroup, ...]:
    """Dead letters by what they have in common, the largest group first."""
    return tuple(map(_group, await tx.fetch(Q.letter_groups)))


@query(requires=Permission.QUEUE_READ)
async def agenda_kinds(tx: ReadTx) -> tuple[AgendaKind, ...]:
    """What waits for its time."""
    rows = await tx.fetch(Q.agenda)
    return tuple(AgendaKind(r["kind"], r["waiting"], r["due"], r["first_at"]) for r in rows)


@query(requires=Permission.QUEUE_READ)
async def queue_decisions(tx: ReadTx, limit: int) -> tuple[QueueDecision, ...]:
    """What was decided about queues, the latest first."""
    return tuple(map(_decision, await tx.fetch(Q.decisions, limit)))


def _load(
    queue: Queue, load: Record | None, speed: Record | None, pause: Record | None
) -> QueueLoad:
    return QueueLoad(
        queue=queue,
        waiting=load["waiting"] if load else 0,
        running=load["running"] if load else 0,
        held=load["held"] if load else 0,
        oldest_seconds=int(load["lag_seconds"]) if load else 0,
        finished=speed["finished"] if speed else 0,
        failed=speed["failed"] if speed else 0,
        mean_ms=speed["mean_ms"] if speed else 0,
        p95_ms=speed["p95_ms"] if speed else 0,
        paused_by=pause["paused_by"] if pause else None,
        paused_reason=pause["reason"] if pause else None,
    )


def _group(row: Record) -> LetterGroup:
    return LetterGroup(
        queue=Queue(row["entrypoint"]),
        kind=row["kind"],
        error=row["error"],
        letters=row["letters"],
        example=row["example"] or "",
        first_held_at=row["first_held_at"],
        last_held_at=row["last_held_at"],
    )


def _decision(row: Record) -> QueueDecision:
    return QueueDecision(
        decision=Decision(row["verb"]),
        queue=row["entrypoint"],
        jobs=tuple(row["jobs"]),
        decided_by=row["decided_by"],
        reason=row["reason"],
        decided_at=row["decided_at"],
    )
