"""What only the assembly can put together, handed to the command line to start."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bursar.runtime.app import App
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop


class Work(Protocol):
    """A worker process, until a signal."""

    def __call__(
        self, settings: Settings, stop: Stop, *, has_demo_org: bool
    ) -> Coroutine[None, None, None]: ...


@dataclass(frozen=True, slots=True)
class Programs:
    """The processes, and the application for a single command.

    `opened` takes the name under which PostgreSQL should know the process.
    """

    work: Work
    context_key: Callable[[Settings], bytes]
    set_up: Callable[[Settings], Coroutine[None, None, bool]]
    opened: Callable[[Settings, str], AbstractAsyncContextManager[App]]
    version: str
