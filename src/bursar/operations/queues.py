"""What whoever runs this installation decides about queues and dead letters."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.refusals import NotFound
from bursar.domain.tasks import Queue
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import queues

LETTERS_AT_ONCE_MAX: Final = 1_000


class RetryLetters(Struct, frozen=True):
    """Dead letters by their numbers."""

    job_ids: tuple[int, ...]


class RetryAlike(Struct, frozen=True):
    """All dead letters of one queue, kind and class of error, so many a second."""

    queue: Queue
    kind: str
    error: str
    per_second: int


class DiscardLetters(Struct, frozen=True):
    """Dead letters by their numbers; the caller's reason says why."""

    job_ids: tuple[int, ...]


class PauseQueue(Struct, frozen=True):
    """A queue nobody should work for now."""

    queue: Queue
    reason: str


class ResumeQueue(Struct, frozen=True):
    """A queue that is to be worked again."""

    queue: Queue


@operation(requires=Permission.QUEUE_WRITE)
async def retry_letters(tx: Tx, command: RetryLetters) -> int:
    """Give dead letters all their attempts again.

    Raises:
        NotFound: none of them is one (any more).
    """
    return _some(await queues.retry_letters(tx, command.job_ids, distance=timedelta(0)))


@operation(requires=Permission.QUEUE_WRITE)
async def retry_alike(tx: Tx, command: RetryAlike) -> int:
    """Give dead letters that failed alike their attempts again, a thousand at most, evenly spread.

    Raises:
        NotFound: there is none like this.
    """
    found = await queues.alike(
        tx, command.queue, kind=command.kind, error=command.error, limit=LETTERS_AT_ONCE_MAX
    )
    distance = timedelta(microseconds=1_000_000 // command.per_second)
    return _some(await queues.retry_letters(tx, found, distance=distance))


@operation(requires=Permission.QUEUE_WRITE)
async def discard_letters(tx: Tx, command: DiscardLetters) -> int:
    """Throw dead letters away: what they would have done is not done.

    Raises:
        NotFound: none of them is one (any more).
    """
    return _some(await queues.discard_letters(tx, command.job_ids))


@operation(requires=Permission.QUEUE_WRITE)
async def pause_queue(tx: Tx, command: PauseQueue) -> bool:
    """Let nobody claim from a queue until it is resumed; what runs is finished."""
    return await queues.pause(tx, command.queue, command.reason)


@operation(requires=Permission.QUEUE_WRITE)
async def resume_queue(tx: Tx, command: ResumeQueue) -> bool:
    """Have a queue worked again."""
    return await queues.resume(tx, command.queue)


def _some(count: int) -> int:
    if count == 0:
        raise NotFound("No such dead letter.")
    return count
