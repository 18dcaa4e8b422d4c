"""What is decided about queues and dead letters: every change leaves a line that says by whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from bursar.domain.queues import Decision
from bursar.domain.tasks import Queue
from bursar.runtime import sql
from bursar.runtime.db import Record, Tx

Q = sql.beside(__file__)


async def alike(tx: Tx, queue: Queue, *, kind: str, error: str, limit: int) -> list[int]:
    """Dead letters that failed alike, the oldest first."""
    rows = await tx.fetch(Q.alike, queue.value, kind, error, limit)
    return [row["id"] for row in rows]


async def retry_letters(tx: Tx, jobs: Sequence[int], *, distance: timedelta) -> int:
    """Give dead letters all their attempts again, one after another; how many there were."""
    return await _note(tx, Decision.RETRIED, await tx.fetch(Q.retry_letters, list(jobs), distance))


async def discard_letters(tx: Tx, jobs: Sequence[int]) -> int:
    """Throw dead letters away; how many there were."""
    return await _note(tx, Decision.DISCARDED, await tx.fetch(Q.discard_letters, list(jobs)))


async def pause(tx: Tx, queue: Queue, reason: str) -> bool:
    """Let nobody claim from a queue; whether it was worked before."""
    is_changed = await tx.execute(Q.pause, queue.value, tx.actor, reason) > 0
    if is_changed:
        await tx.execute(Q.note_decision, Decision.PAUSED.value, queue.value, [], tx.actor, reason)
    return is_changed


async def resume(tx: Tx, queue: Queue) -> bool:
    """Have a queue worked again; whether it was paused."""
    is_changed = await tx.execute(Q.resume, queue.value) > 0
    if is_changed:
        await tx.execute(
            Q.note_decision, Decision.RESUMED.value, queue.value, [], tx.actor, tx.reason
        )
    return is_changed


async def _note(tx: Tx, decision: Decision, rows: Iterable[Record]) -> int:
    jobs: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        jobs[row["entrypoint"]].append(row["id"])
    for queue, ids in jobs.items():
        await tx.execute(Q.note_decision, decision.value, queue, ids, tx.actor, tx.reason)
    return sum(map(len, jobs.values()))
