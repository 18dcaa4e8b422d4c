"""Endpoints in many moods, on loopback, bounded in time and size; each counts its connections."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Mood = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
END = b"\r\n\r\n"


@dataclass
class Endpoint:
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextlib.asynccontextmanager
async def endpoint(
    mood: Mood, tls: ssl.SSLContext | None = None, *, is_rash: bool = False
) -> AsyncIterator[Endpoint]:
    """A server that reads one whole request (or, if rash, none) and then is in its mood."""
    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        try:
            if not is_rash:
                made.requests.append(await whole_request(reader))
            await mood(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.ensure_future(serve(reader, writer)))

    made = Endpoint(0)
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        await asyncio.sleep(0.01)


async def whole_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(END)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def saying(raw: bytes) -> Mood:
    """Answers with these bytes and closes."""

    async def mood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.write_eof()
        await asyncio.sleep(0.05)

    return mood


def answering(status: str = "200 OK", headers: bytes = b"", body: bytes = b"ok") -> Mood:
    length = f"Content-Length: {len(body)}\r\n".encode()
    return saying(f"HTTP/1.1 {status}\r\n".encode() + headers + length + b"\r\n" + body)


async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.sleep(30)
    writer.close()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A complete head, and then a byte from time to time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _step in range(600):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def dripping_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A head that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _step in range(600):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body without end, as fast as the line takes it; at most 1 GB."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _step in range(16_384):
        writer.write(b"x" * 65_536)
        await writer.drain()


async def flooding_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ten megabytes of headers."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for step in range(2_000):
        writer.write(b"X-%d: " % step + b"x" * 5_000 + b"\r\n")
        await writer.drain()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up with RST instead of an answer."""
    line: socket.socket = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def cut_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promises more than it sends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


BOMB = gzip.compress(b"\0" * 20_000_000)
