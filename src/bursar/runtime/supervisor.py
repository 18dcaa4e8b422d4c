"""One process tree: children started together, started again when they die, ended together.

Owns only processes. Each child leads a process group of its own; a guardian outside the tree kills
those groups when the supervisor dies without a word. Nothing is written here: what people should
read goes through `say`, and the children's own output passes untouched.
"""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from msgspec import Struct

from bursar.runtime import guardian
from bursar.runtime.clock import monotonic

GRACE_SECONDS: Final = 10.0
_KILL_RESERVE_SECONDS: Final = 1.0
_GUARDIAN_SECONDS: Final = 5.0
_BOOT_SECONDS: Final = 5.0
_BOOT_FAILURES_MAX: Final = 3
_BACKOFF_FIRST_SECONDS: Final = 0.1
_BACKOFF_MAX_SECONDS: Final = 2.0
_EXIT_USAGE: Final = 2
_EXIT_SIGNAL: Final = 128
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_OUTSIDE_KILLS: Final = (-signal.SIGKILL, -signal.SIGTERM)
_PROBED: Final = (
    (socket.AF_INET, "0.0.0.0"),  # noqa: S104 - tried, never listened on
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::1"),
)
_PORTS_TRIED_MAX: Final = 100
_PORT_MAX: Final = 65_535


class Child(Struct, frozen=True):
    """One program of the tree."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    """Everything it sees, or `None` for what the supervisor itself sees."""
    is_once: bool = False
    """It is meant to end: an errand, not a server."""


class FreePort(Struct, frozen=True):
    """A port nobody listens on, and what to tell people when it is not the one they asked for."""

    port: int
    notice: str | None


async def run_tree(
    children: Sequence[Child],
    *,
    say: Callable[[str], None],
    grace_seconds: float = GRACE_SECONDS,
    changes: AsyncIterator[str] | None = None,
) -> int:
    """Run the children until a signal, or until one cannot be kept alive; the exit code.

    SIGTERM, SIGINT and SIGHUP end every child within the grace; a second one, at once. With
    `changes` of their source, each change starts every child again, and one that cannot be kept
    alive waits for the next.
    """
    assert len({child.name for child in children}) == len(children), "each child has its own name"
    tree = _Tree(children, say, grace_seconds)
    if changes is None:
        return await tree.run()
    following = asyncio.create_task(tree.follow(changes))
    try:
        return await tree.run()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def free_port(preferred: int, *, avoid: Collection[int] = ()) -> FreePort:
    """The preferred port, or the next one that is free on every loopback address.

    Raises:
        OSError: a hundred ports in a row are taken.
    """
    last = min(preferred + _PORTS_TRIED_MAX, _PORT_MAX + 1)
    for port in range(preferred, last):
        if port not in avoid and _is_free(port):
            notice = f"Port {preferred} is taken; using {port}." if port != preferred else None
            return FreePort(port, notice)
    raise OSError(f"no free port from {preferred} to {last - 1}")


def _is_free(port: int) -> bool:
    return all(_takes(family, address, port) for family, address in _PROBED)


def _takes(family: socket.AddressFamily, address: str, port: int) -> bool:
    """Whether we could listen there; an address this machine does not have is no obstacle."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as failed:
        return failed.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True


class _Tree:
    """The running children and the way all of it ends."""

    def __init__(
        self, children: Sequence[Child], say: Callable[[str], None], grace_seconds: float
    ) -> None:
        self._children = children
        self._say = say
        self._grace_seconds = grace_seconds
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._changed: asyncio.Event | None = None
        self._renewed: set[str] = set()
        self._code = 0

    async def run(self) -> int:
        with _guarded() as guard, self._signals():
            keeping = [asyncio.create_task(self._keep(child, guard)) for child in self._children]
            try:
                await self._until_stopping(keeping)
                await self._end(keeping)
            finally:
                self._kill_all()
                await asyncio.gather(*keeping, return_exceptions=True)
        return self._code

    async def follow(self, changes: AsyncIterator[str]) -> None:
        """Start every child again whenever its source changed."""
        self._changed = asyncio.Event()
        async for path in changes:
            if self._stopping.is_set():
                return
            self._say(f"{path} changed; everything is started again.")
            self._renewed |= set(self._running)
            for process in self._running.values():
                _signal(process.pid, signal.SIGTERM)
            before, self._changed = self._changed, asyncio.Event()
            before.set()

    async def _until_stopping(self, keeping: Sequence["asyncio.Task[None]"]) -> None:
        """Until a signal, a child that cannot be kept, or every errand done."""
        stopping = asyncio.create_task(self._stopping.wait())
        everything = asyncio.gather(*keeping)
        await asyncio.wait((stopping, everything), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self._stopping.set()
        if everything.done():
            everything.result()

    async def _end(self, keeping: Sequence["asyncio.Task[None]"]) -> None:
        """Ask every child to end; after the grace, or at a second signal, make it."""
        for process in self._running.values():
            _signal(process.pid, signal.SIGTERM)
        ended = asyncio.gather(*keeping, return_exceptions=True)
        forced = asyncio.create_task(self._forced.wait())
        await asyncio.wait(
            (ended, forced),
            timeout=max(0.0, self._grace_seconds - _KILL_RESERVE_SECONDS),
            return_when=asyncio.FIRST_COMPLETED,
        )
        forced.cancel()
        for name in self._running:
            self._say(f"{name} did not end in time and was killed.")

    def _kill_all(self) -> None:
        for process in self._running.values():
            _signal_group(process.pid)

    async def _keep(self, child: Child, guard: Callable[[str], None]) -> None:
        """Run one child, and again when it dies, until the tree stops."""
        failures, backoff_seconds = 0, _BACKOFF_FIRST_SECONDS
        while not self._stopping.is_set():
            started = monotonic()
            code = await self._run_once(child, guard)
            if self._stopping.is_set() or (child.is_once and code == 0):
                return
            if child.name in self._renewed:
                self._renewed.discard(child.name)
                failures, backoff_seconds = 0, _BACKOFF_FIRST_SECONDS
                continue
            if child.is_once:
                self._say(f"{child.name} failed with exit code {code}.")
                return
            if monotonic() - started >= _BOOT_SECONDS:
                failures, backoff_seconds = 0, _BACKOFF_FIRST_SECONDS
            elif code not in _OUTSIDE_KILLS:
                failures += 1
            if failures >= _BOOT_FAILURES_MAX or code == _EXIT_USAGE:
                if not await self._is_changed(child, code):
                    return
                failures, backoff_seconds = 0, _BACKOFF_FIRST_SECONDS
                continue
            self._say(f"{child.name} ended ({_told(code)}); it is started again.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), backoff_seconds)
            backoff_seconds = min(2 * backoff_seconds, _BACKOFF_MAX_SECONDS)

    async def _run_once(self, child: Child, guard: Callable[[str], None]) -> int:
        try:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=subprocess.DEVNULL,
                env=child.environment,
                process_group=0,
            )
        except OSError as failed:
            self._say(f"{child.name} cannot be run: {failed.strerror}.")
            return _EXIT_USAGE
        guard(f"+{process.pid}\n")
        self._running[child.name] = process
        try:
            if self._stopping.is_set():
                _signal(process.pid, signal.SIGTERM)
            return await process.wait()
        finally:
            del self._running[child.name]
            _signal_group(process.pid)  # what it started and left behind
            guard(f"-{process.pid}\n")

    async def _is_changed(self, child: Child, code: int) -> bool:
        """Whether it is worth another try: never without a change of its source."""
        if self._changed is None:
            self._give_up(child, code)
            return False
        self._say(f"{child.name} does not start ({_told(code)}); it waits for the next change.")
        waits = (self._changed.wait(), self._stopping.wait())
        tasks = [asyncio.create_task(each) for each in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in tasks:
            each.cancel()
        return not self._stopping.is_set()

    def _give_up(self, child: Child, code: int) -> None:
        self._say(f"{child.name} does not start ({_told(code)}); everything is ended.")
        self._code = code if code > 0 else _EXIT_SIGNAL - code
        self._stopping.set()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._asked_to_stop, number)
        try:
            yield
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)

    def _asked_to_stop(self, number: int) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            return
        self._code = _EXIT_SIGNAL + number
        self._forced.set()


@contextmanager
def _guarded() -> Iterator[Callable[[str], None]]:
    """A guardian for the length of the block; it is told which groups are alive."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter and a file of ours
        [sys.executable, "-I", "-S", guardian.__file__],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None, "it was asked for"
    pipe = process.stdin

    def tell(line: str) -> None:
        with suppress(BrokenPipeError):
            pipe.write(line)
            pipe.flush()

    try:
        yield tell
    finally:
        with suppress(BrokenPipeError):
            pipe.close()
        process.wait(_GUARDIAN_SECONDS)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _told(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
