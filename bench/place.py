"""Where a bench happens: a durable PostgreSQL of its own, and servers that end with it."""

import asyncio
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from bursar.runtime.clock import monotonic
from bursar.runtime.embedded import throwaway
from bursar.runtime.key_rings import key_ring
from bursar.runtime.migrations import migrate
from bursar.runtime.postgres_binaries import binaries
from bursar.runtime.settings import Settings, load

_LIMITS = Path(__file__).parent / "limits"
BURSAR = str(Path(sys.executable).parent / "bursar")
SHOWN = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "autovacuum",
    "shared_buffers",
    "wal_compression",
    "max_wal_size",
)
_START_SECONDS = 60.0
_POLL_SECONDS = 0.002
_STOP_SECONDS = 15.0
# The tables of the limits, in the same cluster and read and written by the same login.
_LIMIT_TABLES = """
CREATE SCHEMA bench;
CREATE TABLE bench.invoices (id uuid PRIMARY KEY, body text NOT NULL);
GRANT USAGE ON SCHEMA bench TO bursar_app;
GRANT SELECT, INSERT ON bench.invoices TO bursar_app;
"""


Made = Callable[["Place", int], tuple[tuple[str, ...], dict[str, str]]]
"""A server's command and environment, at a place and a port."""


class ServerFailed(Exception):
    """A server did not come up; the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Place:
    """The database both sides use, and the folder everything stays in."""

    folder: Path
    app_url: str
    owner_url: str
    superuser_url: str
    secret_key: str

    def environment(self, port: int) -> dict[str, str]:
        """What `bursar serve` is told: production, on the bench's database."""
        return {
            "APP_ENV": "production",
            "DATABASE_URL": self.app_url,
            "DATA_DIR": str(self.folder / "data"),
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "RATE_LIMIT_MAX_REQUESTS": "1000000",
            "SECRET_KEY": self.secret_key,
        }

    def settings(self) -> Settings:
        """The same, as the code reads it."""
        return load(self.environment(3000))

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """A connection for setting the stage and counting afterwards."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def checkpoint(self) -> None:
        """Start a round with nothing left to write from the one before."""
        async with self.superuser() as connection:
            await connection.execute("CHECKPOINT")

    async def shown_settings(self) -> dict[str, str]:
        """What PostgreSQL says of itself."""
        async with self.superuser() as connection:
            return {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}


@asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    """A migrated cluster with everything that makes a commit durable switched on."""
    # As root, PostgreSQL runs as another user, who must reach the folder.
    folder = Path(tempfile.mkdtemp(prefix="bursar-bench-"))
    try:
        async with throwaway(folder / "postgres", is_durable=True) as urls:
            place = Place(
                folder=folder,
                app_url=urls.app.reveal(),
                owner_url=urls.owner.reveal(),
                superuser_url=urls.superuser.reveal(),
                secret_key=secrets.token_hex(32),
            )
            await migrate(place.owner_url, context_key=key_ring(place.settings()).key("context"))
            async with place.superuser() as connection:
                await connection.execute(_LIMIT_TABLES)
            yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def pgbench(place: Place, script: str, *, clients: int, seconds: float) -> float:
    """How often a second PostgreSQL's own load generator gets through a script of the limits."""
    child = await asyncio.create_subprocess_exec(
        str(binaries() / "pgbench"),
        *("--no-vacuum", "--protocol=prepared", f"--file={_LIMITS / script}.pgbench"),
        *(f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={max(round(seconds), 1)}"),
        place.superuser_url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, failed = await asyncio.wait_for(child.communicate(), seconds + 60)
    found = re.search(rb"tps = ([0-9.]+)", said)
    if child.returncode or found is None:
        raise ServerFailed(failed.decode(errors="replace"))
    return float(found[1])


@dataclass(frozen=True, slots=True)
class Server:
    """What serves HTTP: its processes, each at a port of its own, as behind a proxy.

    `seconds` is how long it took from exec to the first good answer of the slowest.
    """

    ports: tuple[int, ...]
    pids: tuple[int, ...]
    seconds: float

    @property
    def port(self) -> int:
        """Where one asks that needs no more than one process."""
        return self.ports[0]

    @property
    def cpu_seconds(self) -> float:
        """CPU that all of it has used so far."""
        return sum(map(_cpu_seconds, self.pids))


@asynccontextmanager
async def serving(
    command: tuple[str, ...], environment: Mapping[str, str], *, port: int, log: Path
) -> AsyncIterator[Server]:
    """Run a server until the block ends; it is asked to leave, then made to."""
    started = monotonic()
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        await _answered(child, port, log)
        yield Server((port,), (child.pid,), monotonic() - started)
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _STOP_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()


@asynccontextmanager
async def both_serving(
    place: Place, limit: str, servers: int
) -> AsyncIterator[tuple[Server, Server]]:
    """Ours and the limit of this name, side by side, each by so many processes."""
    bare = partial(limit_server, name=limit)
    async with (
        several_serving(place, "ours", bursar_server, servers) as ours,
        several_serving(place, limit, bare, servers) as limiting,
    ):
        yield ours, limiting


@asynccontextmanager
async def several_serving(
    place: Place, name: str, made: Made, servers: int
) -> AsyncIterator[Server]:
    """One program in so many processes."""
    async with AsyncExitStack() as stack:
        each = []
        for number in range(servers):
            port = free_port()
            command, environment = made(place, port)
            log = place.folder / f"{name}-{number}.log"
            server = serving(command, environment, port=port, log=log)
            each.append(await stack.enter_async_context(server))
        ports = tuple(server.port for server in each)
        pids = tuple(pid for server in each for pid in server.pids)
        yield Server(ports, pids, max(server.seconds for server in each))


def bursar_server(place: Place, port: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """Ours: the API as an operator starts it."""
    return (BURSAR, "serve"), place.environment(port)


def limit_server(place: Place, port: int, name: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The limit of this name."""
    command = (sys.executable, "-m", f"bench.limits.{name}")
    return command, {**place.environment(port), "LIMIT_DATABASE_URL": place.app_url}


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _cpu_seconds(pid: int) -> float:
    """CPU that a program has used so far; zero where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _answered(child: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline and child.returncode is None:
        if await _is_connected(port):
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise ServerFailed(_end_of(log))


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _is_connected(port: int) -> bool:
    """Whether it answers 200 and says that it reached PostgreSQL."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    request = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        writer.write(request.encode())
        answer = await reader.read()
    except OSError:
        return False
    finally:
        writer.close()
    return answer.startswith(b"HTTP/1.1 200 ") and b"connected" in answer
