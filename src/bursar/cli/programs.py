"""What only the assembly can put together, handed to the command line to start."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bursar.runtime.app import App
from bursar.runtime.settings import Settings


class Work(Protocol):
    """A worker process, until a signal."""

    def __call__(self, settings: Settings, *, has_demo_org: bool) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Programs:
    """The processes, and the application for a single command.

    `opened` takes the name under which PostgreSQL should know the process.
    """

    serve: Callable[[Settings, str], Awaitable[None]]
    work: Work
    context_key: Callable[[Settings], bytes]
    set_up: Callable[[Settings], Awaitable[bool]]
    opened: Callable[[Settings, str], AbstractAsyncContextManager[App]]
    version: str
