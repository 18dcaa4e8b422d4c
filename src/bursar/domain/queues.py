"""What an operator looks at and decides about queues: loads, groups of dead letters, decisions.

Owns the shapes of these facts alone; queues themselves are machinery.
"""

from enum import StrEnum

from msgspec import Struct

from bursar.domain.ids import OrgId
from bursar.domain.tasks import Queue
from bursar.domain.times import Instant


class Decision(StrEnum):
    """What was decided."""

    RETRIED = "retried"
    DISCARDED = "discarded"
    PAUSED = "paused"
    RESUMED = "resumed"


class QueueLoad(Struct, frozen=True):
    """One queue: what waits, runs and is held, and how it went in the last quarter of an hour.

    `mean_ms` and `p95_ms` are from the asking to the end, waiting included.
    """

    queue: Queue
    waiting: int
    running: int
    held: int
    oldest_seconds: int
    finished: int
    failed: int
    mean_ms: int
    p95_ms: int
    paused_by: str | None
    paused_reason: str | None


class Held(Struct, frozen=True):
    """A dead letter: what it asked for, and the error of its last attempt."""

    job_id: int
    queue: Queue
    kind: str
    org_id: OrgId | None
    attempts: int
    error: str
    traceback: str
    payload: str
    created_at: Instant
    held_at: Instant


class LetterGroup(Struct, frozen=True):
    """Dead letters that failed alike: same queue, same kind, same class of error."""

    queue: Queue
    kind: str
    error: str
    letters: int
    example: str
    first_held_at: Instant
    last_held_at: Instant


class AgendaKind(Struct, frozen=True):
    """How much of one kind waits for its time, over all organizations."""

    kind: str
    waiting: int
    due: int
    first_at: Instant


class QueueDecision(Struct, frozen=True):
    """What somebody decided about a queue, and why."""

    decision: Decision
    queue: str
    jobs: tuple[int, ...]
    decided_by: str
    reason: str | None
    decided_at: Instant
