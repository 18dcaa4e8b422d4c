"""The bytes on the line: what the server that is shipped does with heads nobody should send."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from tests.api.client import Client

from bursar.api import guard, protocol
from bursar.api.protocol import GuardedHttp

GOOD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


class Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@pytest.fixture(scope="module")
async def port(anyone: Client) -> AsyncIterator[int]:
    """The API on a real socket."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        anyone.app,
        http=GuardedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        server_header=False,
        date_header=False,
    )
    server = Announcing(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await server.is_up.wait()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    await serving
    listening.close()


async def talk(port: int, *parts: bytes, seconds: float = 5) -> bytes:
    """Send these bytes and read until the other side closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(200_000), seconds)
    except (ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def test_a_good_request(port: int) -> None:
    # What is well formed is answered, twice on one line.
    answer = await talk(port, GOOD + b"\r\n")
    assert status_of(answer) == 200
    assert b"\r\nserver:" not in answer.lower()
    twice = await talk(port, GOOD + b"\r\n" + GOOD + b"Connection: close\r\n\r\n")
    assert twice.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (GOOD + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (GOOD + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + b"\r\n", 431),
        (GOOD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 4000) for n in range(9)) + b"\r\n", 431),
        (GOOD + b"Host: localhost\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /health/live HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /health/live\r\n\r\n", 400),
        (GOOD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
        (GOOD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GOOD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (GOOD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (GOOD + b"X : a\r\n\r\n", 400),
        (GOOD + b"X: a\r\n b\r\n\r\n", 400),
        (GOOD + b"X: a\x00b\r\n\r\n", 400),
        (GOOD + b"X: a\rb\r\n\r\n", 400),
        (GOOD + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: localhost:80@evil.example\r\n\r\n", 400),
    ],
)
async def test_heads_that_are_refused(port: int, head: bytes, status: int) -> None:
    # A head that is too large or can be read in two ways is refused in the usual shape.
    answer = await talk(port, head, seconds=2)
    assert status_of(answer) == status, answer[:300]
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["requestId"].encode() in answer.partition(b"\r\n\r\n")[0]


async def test_an_endless_header(port: int) -> None:
    # A header line that never ends is refused while it still arrives.
    answer = await talk(port, GOOD + b"X: ", *[b"a" * 8192 for _ in range(64)], seconds=2)
    assert status_of(answer) in {431, 0}


async def test_a_slow_head(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A head that does not come to an end is cut off.
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    began = asyncio.get_running_loop().time()
    assert await talk(port, GOOD, seconds=3) == b""
    assert asyncio.get_running_loop().time() - began < 2


async def test_a_body_that_stops_halfway(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is there already is read without a watch; for what is not, nobody waits for ever.
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n"
    told = await talk(port, head + b'Content-Type: application/json\r\n\r\n{"email":', seconds=3)
    assert status_of(told) == 400
    assert b"too_slow" in told


async def test_a_body_that_comes_after_the_answer_is_known(port: int) -> None:
    # It is read before the line is closed over it, or the answer would be lost in a reset.
    head = b"TRACE /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head + b"Content-Type: application/json\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.write(b"{}" + GOOD + b"Connection: close\r\n\r\n")
        told = await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
    assert [int(each[:3]) for each in told.split(b"HTTP/1.1 ")[1:]] == [405, 200]


async def test_an_upload_that_is_too_large(port: int) -> None:
    # A body over the limit is refused also when no length was said.
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    told = await talk(port, head + b"Content-Length: 1048577\r\n\r\n")
    assert status_of(told) == 413
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    untold = await talk(port, head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 17)
    assert status_of(untold) == 413
