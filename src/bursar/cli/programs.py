"""What only the assembly can put together, handed to the command line to open."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from msgspec import Struct

from bursar.runtime.settings import Settings

if TYPE_CHECKING:
    from bursar.runtime.app import App


class Programs(Struct, frozen=True):
    """The application for a single command.

    `opened` takes the name under which PostgreSQL should know the process.
    """

    opened: "Callable[[Settings, str], AbstractAsyncContextManager[App]]"
    version: str
