"""A whole installation as people run it: `bursar run` in a data directory of its own.

Its processes are found from its own data directory and process tree, and a signal is sent only
after the command line was read again: nothing else on the machine is ever touched.
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Final

import aiohttp

BURSAR: Final = str(Path(sys.executable).with_name("bursar"))
_START_SECONDS: Final = 150
_STOP_SECONDS: Final = 20
_PROBE_SECONDS: Final = 2
# Below those that systems choose for connections by themselves.
_GIVEN_TO_NOBODY: Final = range(15_000, 32_000)
_SHARE: Final = 1_000
_DICE: Final = random.SystemRandom()
_GIVEN: Final[deque[int]] = deque(maxlen=200)
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")


class Part(StrEnum):
    """What can be shot at."""

    API = "api"
    WORKER = "worker"
    POSTGRES = "postgres"


_COMMANDS: Final = {Part.API: "bursar.serving serve", Part.WORKER: "bursar.working worker"}


@dataclass(frozen=True)
class Tree:
    """A running installation."""

    folder: Path
    supervisor: asyncio.subprocess.Process
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def postgres_dir(self) -> Path:
        """Where its embedded PostgreSQL lives."""
        return Path(self.environment["DATA_DIR"]) / "postgres"

    def pids(self, part: Part) -> list[int]:
        """The part's processes that are alive now."""
        if part is Part.POSTGRES:
            return [pid for pid in self._recorded_server() if self._is_server(pid)]
        return [
            pid for pid in children(self.supervisor.pid) if _COMMANDS[part] in command_line(pid)
        ]

    def kill(self, part: Part, pid: int) -> bool:
        """SIGKILL, if the process still is what it was found as."""
        if pid not in self.pids(part):
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    @contextmanager
    def held(self, part: Part) -> Iterator[None]:
        """The part's processes stand still for as long as the block takes."""
        pids = self.pids(part)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in set(pids) & set(self.pids(part)):
                os.kill(pid, signal.SIGCONT)

    async def is_healthy(self) -> bool:
        """Whether all of the API stands, and its database answers."""
        timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self.url}/health/ready") as answer,
            ):
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def until_healthy(self) -> None:
        """Wait for it; a test fails where it does not come."""
        async with asyncio.timeout(_START_SECONDS):
            while not await self.is_healthy():
                assert self.supervisor.returncode is None, self.last_words()
                await asyncio.sleep(0.1)

    async def command(self, *arguments: str) -> asyncio.subprocess.Process:
        """Another `bursar` command on this installation."""
        return await asyncio.create_subprocess_exec(
            *(BURSAR, *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def last_words(self) -> str:
        """The end of what it printed."""
        return (self.folder / "run.log").read_text("utf-8", errors="replace")[-4_000:]

    def _recorded_server(self) -> list[int]:
        try:
            first = (self.postgres_dir / "postgres" / "postmaster.pid").read_text().split()[0]
        except (OSError, IndexError):
            return []
        return [int(first)] if first.isdigit() else []

    def _is_server(self, pid: int) -> bool:
        return f"-D {self.postgres_dir / 'postgres'} " in command_line(pid)


def command_line(pid: int) -> str:
    """What a process was started as; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def children(parent: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [
            int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        ]
    except OSError:
        return []


@asynccontextmanager
async def running(
    *, workers: int = 1, sandbox_url: str | None = None, under: Path | None = None
) -> AsyncIterator[Tree]:
    """A fresh installation, healthy, and ended as an operator would.

    With an address of the processor it starts none of its own; `under` is where its data lies.
    """
    folder = Path(tempfile.mkdtemp(prefix="bursar-storm-"))
    data = folder if under is None else under
    port, sandbox_port = free_ports()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "DATA_DIR": str(data / "data"),
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "LOG_LEVEL": "warning",
        "RATE_LIMIT_MAX_REQUESTS": "1000000",
        "WORKERS": str(workers),
    }
    if sandbox_url is not None:
        environment["SANDBOX_URL"] = sandbox_url
    with (folder / "run.log").open("wb") as log:
        supervisor = await asyncio.create_subprocess_exec(
            *(BURSAR, "run", "--no-demo"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
    tree = Tree(folder, supervisor, environment)
    try:
        await tree.until_healthy()
        yield tree
    finally:
        await _ended(tree)
        shutil.rmtree(folder, ignore_errors=True)


async def _ended(tree: Tree) -> None:
    """SIGTERM, and SIGKILL where that is not heard; a server that was left behind goes too."""
    with suppress(ProcessLookupError):
        tree.supervisor.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await tree.supervisor.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            tree.supervisor.kill()
        await tree.supervisor.wait()
    for pid in tree.pids(Part.POSTGRES):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)


def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on, and that no connection of somebody's is given meanwhile.

    Whoever gets one needs a while to listen on it, and so do others: who tests beside us takes from
    another share, and what we gave is not given again soon.
    """
    first = _SHARE * _share_of(os.environ.get("PYTEST_XDIST_WORKER", ""))
    ours = _GIVEN_TO_NOBODY[first : first + _SHARE]
    chosen = (each for each in _DICE.sample(ours, len(ours)) if each not in _GIVEN)
    one, other = islice(filter(_is_free, chosen), 2)
    _GIVEN.extend((one, other))
    return one, other


def _share_of(worker: str) -> int:
    """Which share is this worker's, by its number."""
    return int(worker.removeprefix("gw") or 0) % (len(_GIVEN_TO_NOBODY) // _SHARE)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
