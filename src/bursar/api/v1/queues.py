"""`/v1/queues`: work that waits, and what ran out of attempts, for operators of the instance."""

from typing import Annotated, Literal

from msgspec import Meta

from bursar.api.envelope import all_of, changed, found
from bursar.api.fields import Body, NoQuery, Query, Text500
from bursar.api.operators import as_operator
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.fields import Shape
from bursar.domain.shapes.queues import (
    AgendaKindOut,
    DeadLetterGroupOut,
    DeadLetterOut,
    QueueDecisionOut,
    QueueOut,
)
from bursar.domain.tasks import Queue
from bursar.operations.queues import (
    LETTERS_AT_ONCE_MAX,
    DiscardLetters,
    PauseQueue,
    ResumeQueue,
    RetryAlike,
    RetryLetters,
    discard_letters,
    pause_queue,
    resume_queue,
    retry_alike,
    retry_letters,
)
from bursar.reads.queues import (
    agenda_kinds,
    dead_letter_groups,
    dead_letters,
    queue_decisions,
    queue_loads,
)
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Queues",
    prefix="/v1/queues",
    about="Work that waits and dead letters. Only operators of the instance find anything here.",
)
_SHOWN_MAX = 200

QueueName = Literal["notifications", "invoices", "payments", "integrations", "usage"]
JobIds = Annotated[
    list[Annotated[int, Meta(ge=1, le=2**53 - 1)]],
    Meta(min_length=1, max_length=LETTERS_AT_ONCE_MAX, examples=[[4711]]),
]
Kind = Annotated[str, Meta(max_length=100, examples=["ConfirmPayment"])]


class LetterQuery(Query, frozen=True):
    """Which dead letters: of one queue, or of all."""

    queue: QueueName | None = None


class Letters(Body, frozen=True):
    """Dead letters by their numbers."""

    job_ids: JobIds


class Alike(Body, frozen=True):
    """Dead letters that failed alike, as a group of the list names them, so many a second."""

    queue: QueueName
    kind: Kind
    error: Kind
    per_second: Annotated[int, Meta(ge=1, le=1000, examples=[10])] = 10


class Discarded(Body, frozen=True):
    """Dead letters to throw away, and why; what they would have done is not done."""

    job_ids: JobIds
    reason: Text500


class Pause(Body, frozen=True):
    """Which queue nobody should work, and why."""

    queue: QueueName
    reason: Text500


class Resumption(Body, frozen=True):
    """Which queue is to be worked again."""

    queue: QueueName


class LettersMoved(Shape, frozen=True):
    """How many dead letters it was."""

    letters: int


class QueueChanged(Shape, frozen=True):
    """Whether anything changed; the same again changes nothing."""

    is_changed: bool


def _list(shape: type[Shape], query: type[Query] = NoQuery) -> Terms:
    """What operators of the instance see; for everybody else it is not there."""
    return Terms(
        needs=Permission.SELF,
        gives=shape,
        is_list=True,
        query=query,
        audience=Audience.PERSON,
        refuses=(NotFound,),
    )


def _act(body: type[Body], shape: type[Shape]) -> Terms:
    """What they decide."""
    return Terms(
        needs=Permission.SELF,
        takes=body,
        gives=shape,
        audience=Audience.PERSON,
        refuses=(NotFound,),
    )


@ROOM.get("", _list(QueueOut))
async def list_queues(call: Call[None, NoQuery]) -> Answer:
    """List the queues: what waits, runs and is held, how old, how fast, and whether paused."""
    operator = await as_operator(call.caller)
    shown = await operator.look(queue_loads)
    return all_of(map(QueueOut.of, shown))


@ROOM.get("/dead-letters", _list(DeadLetterOut, LetterQuery))
async def list_dead_letters(call: Call[None, LetterQuery]) -> Answer:
    """List dead letters, the latest 200, with what they asked for and how they failed."""
    operator = await as_operator(call.caller)
    wanted = None if call.query.queue is None else Queue(call.query.queue)
    shown = await operator.look(dead_letters, wanted, _SHOWN_MAX)
    return all_of(map(DeadLetterOut.of, shown))


@ROOM.get("/dead-letter-groups", _list(DeadLetterGroupOut))
async def list_dead_letter_groups(call: Call[None, NoQuery]) -> Answer:
    """List dead letters by queue, kind and class of error, the largest group first."""
    operator = await as_operator(call.caller)
    shown = await operator.look(dead_letter_groups)
    return all_of(map(DeadLetterGroupOut.of, shown))


@ROOM.get("/agenda", _list(AgendaKindOut))
async def list_agenda(call: Call[None, NoQuery]) -> Answer:
    """List what waits for its time, by kind, over all organizations."""
    operator = await as_operator(call.caller)
    shown = await operator.look(agenda_kinds)
    return all_of(map(AgendaKindOut.of, shown))


@ROOM.get("/decisions", _list(QueueDecisionOut))
async def list_queue_decisions(call: Call[None, NoQuery]) -> Answer:
    """List the latest 200 decisions about queues: who retried, discarded, paused, and why."""
    operator = await as_operator(call.caller)
    shown = await operator.look(queue_decisions, _SHOWN_MAX)
    return all_of(map(QueueDecisionOut.of, shown))


@ROOM.post("/retry", _act(Letters, LettersMoved))
async def retry_dead_letters(call: Call[Letters, NoQuery]) -> Answer:
    """Give dead letters all their attempts again, at once."""
    operator = await as_operator(call.caller)
    command = RetryLetters(tuple(call.body.job_ids))
    return await changed(operator, retry_letters, command, found(LettersMoved))


@ROOM.post("/retry-alike", _act(Alike, LettersMoved))
async def retry_dead_letters_alike(call: Call[Alike, NoQuery]) -> Answer:
    """Retry the dead letters that failed alike, a thousand at most, so many a second."""
    operator = await as_operator(call.caller)
    body = call.body
    command = RetryAlike(Queue(body.queue), body.kind, body.error, body.per_second)
    return await changed(operator, retry_alike, command, found(LettersMoved))


@ROOM.post("/discard", _act(Discarded, LettersMoved))
async def discard_dead_letters(call: Call[Discarded, NoQuery]) -> Answer:
    """Throw dead letters away; the reason is kept with who decided it."""
    operator = replace(await as_operator(call.caller), reason=call.body.reason)
    command = DiscardLetters(tuple(call.body.job_ids))
    return await changed(operator, discard_letters, command, found(LettersMoved))


@ROOM.post("/pause", _act(Pause, QueueChanged))
async def pause_one_queue(call: Call[Pause, NoQuery]) -> Answer:
    """Let nobody claim from a queue until it is resumed; what runs is finished."""
    operator = await as_operator(call.caller)
    command = PauseQueue(Queue(call.body.queue), call.body.reason)
    return await changed(operator, pause_queue, command, found(QueueChanged))


@ROOM.post("/resume", _act(Resumption, QueueChanged))
async def resume_one_queue(call: Call[Resumption, NoQuery]) -> Answer:
    """Have a paused queue worked again."""
    operator = await as_operator(call.caller)
    command = ResumeQueue(Queue(call.body.queue))
    return await changed(operator, resume_queue, command, found(QueueChanged))
