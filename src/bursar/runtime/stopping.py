"""What a signal means at each moment of a process's life.

While a process starts, it cancels; while it serves, it drains; a second one ends at once. Whatever
is underway always unwinds, so what was opened is closed again.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Final

_EXIT_SIGNAL: Final = 128
_NUMBERS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Hears SIGTERM and SIGINT for one process."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.is_heard = False

    @contextmanager
    def meaning(self, act: Callable[[], object]) -> Iterator[None]:
        """For the length of the block a signal means this; one that came before it, too."""
        before, self._act = self._act, act
        if self.is_heard:
            act()
        try:
            yield
        finally:
            self._act = before

    def hear(self, number: int) -> None:
        """A signal came."""
        if self.is_heard:
            os._exit(_EXIT_SIGNAL + number)
        self.is_heard = True
        self._act()


async def until_stopped(program: Callable[[Stop], Coroutine[None, None, None]]) -> None:
    """Run a program that may be stopped at any moment; to be stopped is a good end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    stop = Stop(task.cancel)
    for number in _NUMBERS:
        loop.add_signal_handler(number, stop.hear, number)
    try:
        await program(stop)
    except asyncio.CancelledError:
        if not stop.is_heard:
            raise
    finally:
        for number in _NUMBERS:
            loop.remove_signal_handler(number)
