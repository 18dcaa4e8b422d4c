"""Locks among processes, kept by the kernel: a lock goes when its holder ends, however it ends.

An exclusive lock lets one process act at a time. A shared one says "I am using this": whoever can
take it exclusively has learned that nobody does. Waiting is bounded and never blocks the loop.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bursar.runtime.clock import monotonic

_POLL_SECONDS: Final = 0.02


class LockBusy(Exception):
    """Another process held the lock for longer than we wait."""


@asynccontextmanager
async def exclusively(path: Path, *, timeout_seconds: float) -> AsyncIterator[None]:
    """Hold the lock for the length of the block.

    Raises:
        LockBusy: somebody else held it all the time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = monotonic() + timeout_seconds
        while not _take(descriptor, fcntl.LOCK_EX):
            if monotonic() > deadline:
                raise LockBusy(f"{path} was held by another process for {timeout_seconds:g} s.")
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class Presence:
    """One user among several of something shared."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def join(self) -> None:
        """Count as a user from now on; again is no harm."""
        if self.is_lost():
            self.leave()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_lost(self) -> bool:
        """Whether the file we are counted in is not the one others find by its name."""
        if self._descriptor is None:
            return False
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return True

    def leave(self) -> bool:
        """Count no more; true when nobody is left. Call it under the lock that guards `join`."""
        if self._descriptor is None:
            return False
        was_last = _take(self._descriptor, fcntl.LOCK_EX)
        os.close(self._descriptor)
        self._descriptor = None
        return was_last


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
