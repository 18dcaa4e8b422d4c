"""Natural batching: what arrives while a commit is in flight goes out together with the next.

There is no timer. Alone, an item waits for nobody; under load batches grow by themselves, up to a
maximum. A batch leaves after what is ready to run has run: whoever was just answered may be back by
then. Items of one key go together, and keys do not wait for each other. Nothing here knows what an
item is.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct, field

from bursar.domain.refusals import Away

SIZE_MAX: Final = 1_000
WAITING_MAX: Final = 10_000
CROWD: Final = 8
_TURNS: Final = 3

Act = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


class BatcherFull(Away):
    """So many items wait already that another one would wait too long."""


class _Line(Struct):
    """What waits under one key."""

    waiting: "deque[tuple[Any, asyncio.Future[Any]]]" = field(default_factory=deque)
    moving: int = 0


class Batcher:
    """Gathers items by key; what an item comes to is an answer, or the exception it failed with."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(
        self, key: Hashable, item: object, act: Act, *, lanes: int = 1, size_max: int = SIZE_MAX
    ) -> Any:
        """What becomes of an item; `act` takes a batch and answers in the same order.

        With several lanes so many batches of a key may be under way at once: one is decided on
        while another one's commit is waited for. It takes a crowd to open another lane.

        Raises:
            BatcherFull: too much is waiting.
        """
        line = self._lines.setdefault(key, _Line())
        if len(line.waiting) >= WAITING_MAX:
            raise BatcherFull(f"{WAITING_MAX} wait already")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        line.waiting.append((item, answer))
        if not line.moving or (line.moving < lanes and len(line.waiting) >= CROWD):
            line.moving += 1
            task = asyncio.create_task(self._drain(key, line, act, size_max))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _drain(self, key: Hashable, line: _Line, act: Act, size_max: int) -> None:
        """Batch after batch, until nothing waits."""
        try:
            while line.waiting:
                await _breath()
                size = min(len(line.waiting), size_max)
                taken = [line.waiting.popleft() for _ in range(size)]
                # Whoever asked may be gone by now; then nothing of it has begun.
                await _serve([each for each in taken if not each[1].done()], act)
        finally:
            line.moving -= 1
            if not line.waiting and not line.moving:
                self._lines.pop(key, None)


async def _breath() -> None:
    """Let the loop turn: to read what has come, to begin it, and to bring it here.

    Without it one of N who ask again and again would travel alone, and the others after it: whoever
    is first would find nobody. It waits for nothing, so in an idle process it takes no time.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _serve(batch: Sequence[tuple[Any, "asyncio.Future[Any]"]], act: Act) -> None:
    if not batch:
        return
    try:
        answers = await act([item for item, _ in batch])
    except Exception as failed:  # noqa: BLE001 - whoever asked is told, each of them
        answers = [failed] * len(batch)
    for (_, waiting), answer in zip(batch, answers, strict=True):
        with suppress(asyncio.InvalidStateError):  # whoever asked is gone
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
