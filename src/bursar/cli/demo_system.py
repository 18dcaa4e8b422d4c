"""The system the demo is played on: the one that runs, or one of its own while the demo lasts.

Its own has a data directory that is thrown away and ports nobody else uses, and is told nothing of
this installation's settings. It is ended by the signal an operator would send.
"""

import asyncio
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from bursar.cli.demo_http import Unexpected
from bursar.cli.entry import THE_REST
from bursar.cli.failing import Exit
from bursar.runtime import guardian
from bursar.runtime.clock import monotonic
from bursar.runtime.settings import FIELDS, Settings, child_environment

_HERE: Final = "127.0.0.1"
_DATA_DIR: Final = "DATA_DIR"
_START_SECONDS: Final = 150  # a machine may be busy
_NAMED_SECONDS: Final = 10  # it may be in the middle of a restart
_STOP_SECONDS: Final = 15
_PROBE_SECONDS: Final = 3
_POLL_SECONDS: Final = 0.1
_VERIFY_SECONDS: Final = 120
_LINES_SHOWN: Final = 8


class System(Struct, frozen=True):
    """Where the story is told, and the environment that its installation lives in."""

    url: str
    environment: dict[str, str]
    is_own: bool

    @property
    def folder(self) -> Path:
        """Where one of its own keeps what it has; nobody else looks there."""
        assert self.is_own, "another's folder is none of ours"
        return Path(self.environment[_DATA_DIR])

    async def verify(self, org_ids: list[str]) -> str:
        """Run `bursar verify`, which must look at these organizations and find nothing.

        Raises:
            Unexpected: it found something, or looked elsewhere.
        """
        deadline = monotonic() + _VERIFY_SECONDS
        code, out, err = await self.run("verify", "--format", "json")
        while code == Exit.UNREACHABLE and monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            code, out, err = await self.run("verify", "--format", "json")
        if code != Exit.DONE:
            said = b" ".join(err.split()).decode(errors="replace")
            raise Unexpected("`bursar verify` to exit with 0", came=f"{code}: {said}")
        checks: list[dict[str, Any]] = msgspec.json.decode(out)
        missing = set(org_ids) - {str(check["orgId"]) for check in checks}
        if missing:
            came = f"{len(checks)} of another installation; is DATA_DIR that of {self.url}?"
            raise Unexpected(f"checks of {min(missing)}", came=came)
        return f"{len(checks)} checks, all green"

    async def run(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """A command in that environment, to its end: exit code, data, words."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", THE_REST, *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_VERIFY_SECONDS):
                out, err = await child.communicate()
        except TimeoutError:
            raise Unexpected(f"an end within {_VERIFY_SECONDS} s", came="none") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return child.returncode or 0, out, err


@asynccontextmanager
async def found_or_started(
    session: aiohttp.ClientSession,
    settings: Settings,
    url: str | None,
    *,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[System]:
    """The running system, or a new one that ends with this block and is told `more` settings.

    Raises:
        Unexpected: nothing answers where one was named, or the new one does not start.
    """
    wanted = (url or f"http://{_HERE}:{settings.port}").rstrip("/")
    patience_seconds = 0 if url is None else _NAMED_SECONDS
    if await _is_healthy_within(session, wanted, patience_seconds):
        yield System(wanted, child_environment({}), is_own=False)
    elif url is not None:
        raise Unexpected(f"a healthy Bursar at {wanted}", came="none")
    else:
        async with started(session, more=more) as system:
            yield system


@asynccontextmanager
async def started(
    session: aiohttp.ClientSession, *, more: Mapping[str, str] | None = None
) -> AsyncIterator[System]:
    """A new one that ends with this block, told these settings besides.

    Raises:
        Unexpected: it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="bursar-demo-"))
    log = folder / "run.log"
    port, sandbox_port = _free_ports()
    environment = {**_environment(folder, port, sandbox_port), **(more or {})}
    system = System(f"http://{_HERE}:{port}", environment, is_own=True)
    try:
        with log.open("wb") as output:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bursar.cli.run", "run", "--no-demo"),
                env=system.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C is ours to hear; it is ended when the story is
            )
        try:
            async with _guarded(child):
                await _until_healthy(session, system.url, child, log)
                yield system
        finally:
            await _end(child)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _guarded(child: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """Somebody outside who ends the child when the demo is killed without a word."""
    guard = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", guardian.__file__),
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdin is not None, "it was asked for"
    guard.stdin.write(f"+{child.pid}\n".encode())
    try:
        yield
    finally:
        with suppress(ConnectionError):
            guard.stdin.write(f"-{child.pid}\n".encode())
            guard.stdin.close()
        await guard.wait()


def _environment(folder: Path, port: int, sandbox_port: int) -> dict[str, str]:
    """Nothing of what this installation is told, so that nothing of it is touched."""
    unset = {
        name: ""
        for variable in FIELDS.values()
        for name in (variable.name, variable.alias, f"{variable.name}_FILE")
        if name is not None
    }
    own = {
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        _DATA_DIR: str(folder / "installation"),
        "LOG_LEVEL": "warning",
    }
    return child_environment(unset | own)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind((_HERE, 0))
        return one.getsockname()[1], other.getsockname()[1]


async def _until_healthy(
    session: aiohttp.ClientSession, url: str, child: asyncio.subprocess.Process, log: Path
) -> None:
    deadline = monotonic() + _START_SECONDS
    while not await _is_healthy(session, url):
        if child.returncode is not None or monotonic() > deadline:
            came = f"exit code {child.returncode}; its last words: {_last_words(log)}"
            raise Unexpected(f"`bursar run` to be healthy within {_START_SECONDS} s", came=came)
        await asyncio.sleep(_POLL_SECONDS)


def _last_words(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:])


async def _is_healthy_within(
    session: aiohttp.ClientSession, url: str, patience_seconds: float
) -> bool:
    deadline = monotonic() + patience_seconds
    while not await _is_healthy(session, url):
        if monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _is_healthy(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether a Bursar there says that it and its database are well."""
    timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
    try:
        async with session.get(f"{url}/health", timeout=timeout) as answer:
            said = msgspec.json.decode(await answer.read(), type=dict[str, Any])
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
        return False
    return said.get("status") == "ok" and said.get("database") == "connected"


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
