"""Any `bursar` command as a real process in an installation of its own, and what is left of it."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.tree import BURSAR, command_line, free_ports

START_SECONDS: Final = 90
_KEPT: Final = ("PYTHONPATH", "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass
class Program:
    """One running command."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def said(self) -> str:
        """Everything it printed so far, words and data."""
        return self.log.read_text("utf-8", errors="replace")

    def tell(self, number: int) -> None:
        """Send it a signal; a test fails where it has ended by itself."""
        assert self.process.returncode is None, self.said[-3_000:]
        self.process.send_signal(number)

    async def until(self, holds: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
        """Wait; a test fails where it does not come, or the program ends first."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    assert self.process.returncode is None, self.said[-3_000:]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.said[-3_000:]) from None

    async def ended(self, *, seconds: float) -> int:
        """The exit code; a test fails where the program goes on."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@dataclass
class Place:
    """A folder, ports, and the environment of whatever is started there."""

    folder: Path
    environment: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    async def start(self, *arguments: str, **settings: str) -> Program:
        """Start a command; it is ended with the place."""
        log = self.folder / f"{len(self.programs)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(BURSAR, *arguments),
                env={**self.environment, **settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self.programs.append(Program(process, log))
        return self.programs[-1]

    async def run(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """A command to its end: the exit code and what it printed."""
        program = await self.start(*arguments, **settings)
        code = await program.ended(seconds=START_SECONDS)
        return code, program.said

    async def is_healthy(self, port: int | None = None) -> bool:
        """Whether all of the API stands, and its database answers."""
        return (await self.ask("/health/ready", port=port)).startswith("HTTP/1.1 200 ")

    async def is_alive(self, port: int) -> bool:
        """Whether a program answers there, whatever it has."""
        return (await self.ask("/health/live", port=port)).startswith("HTTP/1.1 200 ")

    async def ask(self, path: str, *, port: int | None = None) -> str:
        """A GET, whole: status line, headers, body; nothing when nobody answers."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
                try:
                    writer.write(
                        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                        "Connection: close\r\n\r\n".encode()
                    )
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return ""

    async def until_healthy(self, program: Program, port: int | None = None) -> None:
        """Wait for the API."""
        async with asyncio.timeout(START_SECONDS):
            while not await self.is_healthy(port):
                assert program.process.returncode is None, program.said[-3_000:]
                await asyncio.sleep(0.05)

    def alive(self) -> list[str]:
        """Every process whose command line or environment speaks of this folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                seen = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(str(self.folder)) in seen:
                found.append(f"{entry.name} {command_line(int(entry.name))}")
        return found


@asynccontextmanager
async def place(**settings: str) -> AsyncIterator[Place]:
    """An empty installation; whatever still runs at the end is killed, by its own pid."""
    folder = _folder()
    port, sandbox_port = free_ports()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "DATA_DIR": str(folder / "data"),
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        **settings,
    }
    made = Place(folder, environment)
    try:
        yield made
    finally:
        for program in made.programs:
            with suppress(ProcessLookupError):
                program.process.kill()
            await program.process.wait()
        await _clear(made)
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """Not pytest's own: as root, PostgreSQL runs as another user, who must reach it."""
    folder = Path(tempfile.mkdtemp(prefix="bursar-place-"))
    folder.chmod(0o711)
    return folder


async def _clear(made: Place) -> None:
    """Children of a killed program go by themselves; a server that was left behind is stopped."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL):
        for line in made.alive():
            with suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), number)
        for _ in range(40):
            if not made.alive():
                return
            await asyncio.sleep(0.05)
