"""Queues as whoever runs the installation sees them. What a job asked for is shown redacted."""

from typing import Annotated, Literal

from bursar.domain.queues import AgendaKind, Held, LetterGroup, QueueDecision, QueueLoad
from bursar.domain.shapes.fields import Shape, WireInstant, shown_as
from bursar.domain.times import wire_instant


class QueueOut(Shape, frozen=True, kw_only=True):
    """One queue. `finished`, `failed` and the seconds are of the last quarter of an hour."""

    object: Literal["queue"] = "queue"
    queue: Annotated[str, shown_as("payments")]
    waiting: int
    running: int
    held: int
    oldest_seconds: Annotated[int, shown_as(3)]
    finished: int
    failed: int
    mean_ms: Annotated[int, shown_as(180)]
    p95_ms: Annotated[int, shown_as(900)]
    is_paused: bool
    paused_by: str | None
    paused_reason: str | None

    @classmethod
    def of(cls, load: QueueLoad) -> "QueueOut":
        """The queue's shape."""
        return cls(
            queue=load.queue.value,
            waiting=load.waiting,
            running=load.running,
            held=load.held,
            oldest_seconds=load.oldest_seconds,
            finished=load.finished,
            failed=load.failed,
            mean_ms=load.mean_ms,
            p95_ms=load.p95_ms,
            is_paused=load.paused_by is not None,
            paused_by=load.paused_by,
            paused_reason=load.paused_reason,
        )


class DeadLetterOut(Shape, frozen=True, kw_only=True):
    """A job that ran out of attempts. `payload` and `traceback` are shown redacted."""

    object: Literal["dead_letter"] = "dead_letter"
    job_id: Annotated[int, shown_as(4711)]
    queue: Annotated[str, shown_as("payments")]
    kind: Annotated[str, shown_as("ConfirmPayment")]
    org_id: str | None
    attempts: Annotated[int, shown_as(5)]
    error: Annotated[str, shown_as("ProviderUnavailable: no answer within 20 s")]
    payload: str
    traceback: str
    created_at: WireInstant
    held_at: WireInstant

    @classmethod
    def of(cls, letter: Held) -> "DeadLetterOut":
        """The dead letter's shape."""
        return cls(
            job_id=letter.job_id,
            queue=letter.queue.value,
            kind=letter.kind,
            org_id=letter.org_id,
            attempts=letter.attempts,
            error=letter.error,
            payload=letter.payload,
            traceback=letter.traceback,
            created_at=wire_instant(letter.created_at),
            held_at=wire_instant(letter.held_at),
        )


class DeadLetterGroupOut(Shape, frozen=True, kw_only=True):
    """Dead letters that failed alike; `example` is the message of one of them."""

    object: Literal["dead_letter_group"] = "dead_letter_group"
    queue: Annotated[str, shown_as("payments")]
    kind: Annotated[str, shown_as("ConfirmPayment")]
    error: Annotated[str, shown_as("ProviderUnavailable")]
    letters: int
    example: str
    first_held_at: WireInstant
    last_held_at: WireInstant

    @classmethod
    def of(cls, group: LetterGroup) -> "DeadLetterGroupOut":
        """The group's shape."""
        return cls(
            queue=group.queue.value,
            kind=group.kind,
            error=group.error,
            letters=group.letters,
            example=group.example,
            first_held_at=wire_instant(group.first_held_at),
            last_held_at=wire_instant(group.last_held_at),
        )


class AgendaKindOut(Shape, frozen=True, kw_only=True):
    """How much of one kind waits for its time, and how much of it is due."""

    object: Literal["agenda_kind"] = "agenda_kind"
    kind: Annotated[str, shown_as("watch_payment")]
    waiting: int
    due: int
    first_at: WireInstant

    @classmethod
    def of(cls, found: AgendaKind) -> "AgendaKindOut":
        """The kind's shape."""
        return cls(
            kind=found.kind,
            waiting=found.waiting,
            due=found.due,
            first_at=wire_instant(found.first_at),
        )


class QueueDecisionOut(Shape, frozen=True, kw_only=True):
    """What somebody decided about a queue or its dead letters."""

    object: Literal["queue_decision"] = "queue_decision"
    decision: Literal["retried", "discarded", "paused", "resumed"]
    queue: Annotated[str, shown_as("payments")]
    job_ids: tuple[int, ...]
    decided_by: Annotated[str, shown_as("operator:usr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")]
    reason: str | None
    decided_at: WireInstant

    @classmethod
    def of(cls, made: QueueDecision) -> "QueueDecisionOut":
        """The decision's shape."""
        return cls(
            decision=made.decision.value,
            queue=made.queue,
            job_ids=made.jobs,
            decided_by=made.decided_by,
            reason=made.reason,
            decided_at=wire_instant(made.decided_at),
        )
