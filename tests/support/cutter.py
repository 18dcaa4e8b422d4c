"""A wire cutter: a proxy before PostgreSQL that knows a COMMIT when it sees one, and cuts there.

It reads both directions message by message, so a cut falls exactly where it is meant to: before
the server could commit, or after it did and before the answer. Random killing of processes hardly
ever reaches these moments. Everything but a COMMIT passes untouched.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

_SSL_REQUEST: Final = 80877103
_HEADER_BYTES: Final = 4
_DELAY_SECONDS: Final = 0.02
_PORT: Final = 5432
_ASKS_FOR_WORK: Final = frozenset(
    {b"Q", b"E"}
)  # a simple query, and the execution of a prepared one


class Cut(StrEnum):
    """What happens to one COMMIT. The first three never reach the server whole."""

    BEFORE = "before"
    BEFORE_RST = "before, reset"
    TORN = "half of it sent"
    AFTER = "after"
    AFTER_RST = "after, reset"
    TORN_ANSWER = "half of its answer sent"
    HALF_CLOSED = "after, one direction closed"
    DELAYED = "delayed"
    SILENCE = "after, and nothing more is heard"


NEVER_COMMITTED: Final = frozenset({Cut.BEFORE, Cut.BEFORE_RST, Cut.TORN})
LOUD: Final = tuple(cut for cut in Cut if cut not in {Cut.DELAYED, Cut.SILENCE})
"""Cuts that the client notices at once."""


class _Snipped(Exception):
    """The line was cut here."""


@dataclass
class WireCutter:
    """Where to connect instead; `choose` says for each COMMIT whether and how it is cut."""

    url: str
    choose: Callable[[], Cut | None] = lambda: None
    on_statement: Callable[[int], Awaitable[None]] | None = None
    """Called with the backend's pid right after a statement was sent to it, COMMIT included."""
    cuts: Counter[Cut] = field(default_factory=Counter)
    passed: int = 0

    @property
    def total(self) -> int:
        """How many COMMITs were cut; one that is only late is not."""
        return sum(self.cuts.values()) - self.cuts[Cut.DELAYED]

    @property
    def committed(self) -> int:
        """How many of them the server carried out."""
        return self.total - sum(self.cuts[cut] for cut in NEVER_COMMITTED)

    def decide(self) -> Cut | None:
        """Called once per COMMIT."""
        cut = self.choose()
        if cut is None:
            self.passed += 1
        else:
            self.cuts[cut] += 1
        return cut


@dataclass
class _Line:
    """One client's connection and ours to the server."""

    cutter: WireCutter
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    awaited: Cut | None = None
    backend: int = 0

    async def carry(self) -> None:
        """Both directions until either ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._upward())
            group.create_task(self._downward())

    async def _upward(self) -> None:
        await self._startup()
        while True:
            kind, message = await _message(self.client)
            if kind == b"Q" and message[5:].rstrip(b"\0;").upper() == b"COMMIT":
                await self._commit(message)
            else:
                await _send(self.to_server, message)
            if kind in _ASKS_FOR_WORK and self.cutter.on_statement is not None:
                await self.cutter.on_statement(self.backend)

    async def _startup(self) -> None:
        """Until the startup message has passed, messages have no kind."""
        while True:
            size = await self.client.readexactly(_HEADER_BYTES)
            rest = await self.client.readexactly(int.from_bytes(size) - _HEADER_BYTES)
            if int.from_bytes(rest[:_HEADER_BYTES]) != _SSL_REQUEST:
                await _send(self.to_server, size + rest)
                return
            await _send(self.to_client, b"N")

    async def _commit(self, message: bytes) -> None:
        cut = self.cutter.decide()
        match cut:
            case Cut.BEFORE | Cut.BEFORE_RST:
                self._snip(cut)
            case Cut.TORN:
                await _send(self.to_server, message[: len(message) // 2])
                self._snip(cut)
            case Cut.DELAYED:
                await asyncio.sleep(_DELAY_SECONDS)
                await _send(self.to_server, message)
            case _:
                self.awaited = cut
                await _send(self.to_server, message)

    async def _downward(self) -> None:
        while True:
            kind, message = await _message(self.server)
            if kind == b"K":
                self.backend = int.from_bytes(message[5:9])
            if self.awaited is not None and (kind, message[5:]) == (b"C", b"COMMIT\0"):
                await self._answer(self.awaited, message)
            else:
                await _send(self.to_client, message)

    async def _answer(self, cut: Cut, message: bytes) -> None:
        """The server has committed, and says so in this message."""
        match cut:
            case Cut.TORN_ANSWER:
                await _send(self.to_client, message[: len(message) // 2])
            case Cut.HALF_CLOSED:
                self.to_client.write_eof()
                await asyncio.sleep(_DELAY_SECONDS)
            case Cut.SILENCE:
                await asyncio.Event().wait()
        self._snip(cut)

    def _snip(self, cut: Cut) -> None:
        if cut in {Cut.BEFORE_RST, Cut.AFTER_RST}:
            for writer in (self.to_client, self.to_server):
                _reset_on_close(writer)
        raise _Snipped


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(1 + _HEADER_BYTES)
    rest = await reader.readexactly(int.from_bytes(head[1:]) - _HEADER_BYTES)
    return head[:1], head + rest


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(message)
    await writer.drain()


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Closing says RST and not FIN; what was not read yet is lost."""
    line = writer.get_extra_info("socket")
    if line.family == socket.AF_INET:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def wire_cutter(url: str) -> AsyncIterator[WireCutter]:
    """A cutter on loopback before the PostgreSQL of `url`, which listens on a Unix socket."""
    parts = urlsplit(url)
    path = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{_PORT}"
    lines: set[asyncio.Task[None]] = set()
    cutter = WireCutter("")

    async def accept(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        with suppress(asyncio.CancelledError):
            await _carry(cutter, path, client, to_client)
        lines.discard(task)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    login = parts.netloc.rpartition("@")[0]
    cutter.url = urlunsplit(
        (parts.scheme, f"{login}@{host}:{port}", parts.path, "sslmode=prefer", "")
    )
    try:
        yield cutter
    finally:
        listening.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


async def _carry(
    cutter: WireCutter, path: str, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
) -> None:
    try:
        server, to_server = await asyncio.open_unix_connection(path)
    except OSError:
        to_client.close()
        return
    line = _Line(cutter, client, to_client, server, to_server)
    ends = (_Snipped, asyncio.IncompleteReadError, OSError)
    try:
        await line.carry()
    except* ends:
        pass
    finally:
        to_client.close()
        to_server.close()
