"""A limit of time for what nearly always ends in time.

It does what `asyncio.timeout` does, for a fraction of what that costs: every request has two of
them. Those that are seconds away share one timer, which looks at all of them now and then.
"""

import asyncio
from types import TracebackType
from typing import Final

_SHARED_FROM_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.05


class Deadline:
    """`with Deadline(seconds): await …`: what takes longer is cut off, and a TimeoutError.

    One of a second or more may come late, by a twentieth of a second.
    """

    __slots__ = ("_cancelling", "_is_late", "_seconds", "_task", "_timer", "_watch")

    _task: "asyncio.Task[object]"

    def __init__(self, seconds: float) -> None:
        self._seconds = max(seconds, 0)
        self._is_late = False
        self._cancelling = 0
        self._timer: asyncio.TimerHandle | None = None
        self._watch: _Watch | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "only a task can be cancelled"
        self._task = task
        self._cancelling = task.cancelling()
        if self._seconds < _SHARED_FROM_SECONDS:
            self._timer = loop.call_later(self._seconds, self.cut)
        else:
            self._watch = _watch_of(loop)
            self._watch.add(self, self._seconds)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.remove(self)
        elif self._timer is not None:
            self._timer.cancel()
        # Somebody else who cancelled it meanwhile is obeyed.
        is_ours = self._is_late and self._task.uncancel() <= self._cancelling
        if is_ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cut(self) -> None:
        """The time is over."""
        self._is_late = True
        self._task.cancel()


class _Watch:
    """Looks after the deadlines of one loop for as long as there are any."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ends: dict[Deadline, float] = {}
        self._is_looking = False

    def add(self, deadline: Deadline, seconds: float) -> None:
        self._ends[deadline] = self.loop.time() + seconds
        if not self._is_looking:
            self._is_looking = True
            self.loop.call_later(_LOOK_SECONDS, self._look)

    def remove(self, deadline: Deadline) -> None:
        self._ends.pop(deadline, None)

    def _look(self) -> None:
        self._is_looking = bool(self._ends)
        if not self._is_looking:
            return
        self.loop.call_later(_LOOK_SECONDS, self._look)
        now = self.loop.time()
        for deadline in [each for each, end in self._ends.items() if end <= now]:
            self.remove(deadline)
            deadline.cut()


_watches: Final[list[_Watch]] = []


def _watch_of(loop: asyncio.AbstractEventLoop) -> _Watch:
    """The watch of this loop. A process has one loop at a time; who has an older watch keeps it."""
    for known in _watches:
        if known.loop is loop:
            return known
    made = _Watch(loop)
    _watches[:] = [made]
    return made
