"""Bytes nobody should send, to the server as it is shipped: a `bursar run` of its own."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.support.tree import running

from bursar.api.crowds import PER_ADDRESS_MAX

GET = b"GET /health/live HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
LOGIN = b"POST /v1/auth/login HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
END = b"\r\n"


@dataclass(frozen=True)
class Said:
    """What came back on one connection until it was closed or fell silent."""

    raw: bytes
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        pieces = self.raw.split(b"HTTP/1.1 ")[1:]
        return [int(piece[:3]) for piece in pieces]

    @property
    def status(self) -> int:
        return self.statuses[0] if self.statuses else 0

    @property
    def head(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    """A fresh installation's API."""
    async with running() as tree:
        yield int(tree.environment["PORT"])


async def talk(port: int, *parts: bytes, seconds: float = 3, source: str = "127.0.0.1") -> Said:
    """Send these bytes, and read on until the other side closes or says nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    raw, is_closed = b"", False
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        is_closed = True
    try:
        async with asyncio.timeout(seconds):
            while not is_closed:
                piece = await reader.read(65_536)
                raw, is_closed = raw + piece, not piece
    except TimeoutError:
        pass
    except ConnectionError:
        is_closed = True
    writer.close()
    return Said(raw, is_closed)


CLOSE = b"Connection: close\r\n"
REFUSED = {
    "no host": (GET + END, 400),
    "two hosts": (GET + HOST + HOST + END, 400),
    "two hosts, one strange": (GET + HOST + b"Host: evil.example\r\n\r\n", 400),
    "an empty host": (GET + b"Host: \r\n\r\n", 400),
    "a foreign host": (GET + b"Host: evil.example\r\n\r\n", 400),
    "a host with a user": (GET + b"Host: localhost@evil.example\r\n\r\n", 400),
    "a host with a path": (GET + b"Host: localhost/evil\r\n\r\n", 400),
    "HTTP/1.0": (b"GET /health/live HTTP/1.0\r\n" + HOST + END, 400),
    "HTTP/2.0": (b"GET /health/live HTTP/2.0\r\n" + HOST + END, 400),
    "HTTP/1.2": (b"GET /health/live HTTP/1.2\r\n" + HOST + END, 400),
    "HTTP/0.9": (b"GET /health/live\r\n\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 64, 400),
    "nonsense": (b"\x00\xff\xfe hello\r\n\r\n", 400),
    "a lower-case method": (b"get /health/live HTTP/1.1\r\n" + HOST + END, 400),
    "an unknown method": (b"FROB /health/live HTTP/1.1\r\n" + HOST + END, 400),
    "a space before the colon": (GET + HOST + b"X : a\r\n\r\n", 400),
    "a folded line": (GET + HOST + b"X: a\r\n b\r\n\r\n", 400),
    "a folded line with a tab": (GET + HOST + b"X: a\r\n\tb\r\n\r\n", 400),
    "a first line that is folded": (GET + b" X: a\r\n" + HOST + END, 400),
    "NUL in a value": (GET + HOST + b"X: a\x00b\r\n\r\n", 400),
    "NUL in a name": (GET + HOST + b"X\x00Y: a\r\n\r\n", 400),
    "a bare CR in a value": (GET + HOST + b"X: a\rb\r\n\r\n", 400),
    "bare LF as line end": (b"GET /health/live HTTP/1.1\nHost: localhost\n\n", 400),
    "a bare LF after a header": (GET + b"Host: localhost\nX: a\r\n\r\n", 400),
    "a control character in the URL": (b"GET /health\x01 HTTP/1.1\r\n" + HOST + END, 400),
    "a control character in a value": (GET + HOST + b"X: a\x01b\r\n\r\n", 400),
    "a header without a name": (GET + HOST + b": a\r\n\r\n", 400),
    "a header without a colon": (GET + HOST + b"nothing\r\n\r\n", 400),
    "a name with a slash": (GET + HOST + b"X/Y: a\r\n\r\n", 400),
    "a name that is not ASCII": (GET + HOST + b"X\xc3\xa4: a\r\n\r\n", 400),
    "two lengths": (LOGIN + JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "two equal lengths": (LOGIN + JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a list of lengths": (LOGIN + JSON + b"Content-Length: 2, 2\r\n\r\n{}", 400),
    "a signed length": (LOGIN + JSON + b"Content-Length: +2\r\n\r\n{}", 400),
    "a negative length": (LOGIN + JSON + b"Content-Length: -2\r\n\r\n{}", 400),
    "a length in hex": (LOGIN + JSON + b"Content-Length: 0x2\r\n\r\n{}", 400),
    "a length of words": (LOGIN + JSON + b"Content-Length: two\r\n\r\n{}", 400),
    "an empty length": (LOGIN + JSON + b"Content-Length: \r\n\r\n{}", 400),
    "a length beyond numbers": (LOGIN + JSON + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
    "length and chunks": (
        LOGIN + JSON + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    ),
    "chunks and length": (
        LOGIN + JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400
    ),
    "chunks twice": (LOGIN + JSON + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
    "chunks with a vertical tab": (
        LOGIN + JSON + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400
    ),
    "identity": (LOGIN + JSON + b"Transfer-Encoding: identity\r\n\r\n", 400),
    "gzip as transfer": (LOGIN + JSON + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    "chunked, then identity": (
        LOGIN + JSON + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400
    ),
    "a chunk without a size": (
        LOGIN + JSON + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", 400
    ),
    "a chunk of a negative size": (
        LOGIN + JSON + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 400
    ),
    "a chunk of endless size": (
        LOGIN + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", 400
    ),
    "two credentials": (GET + HOST + b"Authorization: Bearer a\r\n" * 2 + END, 400),
    "a long line": (GET + HOST + b"X: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    "a long name": (GET + HOST + b"X" * 9_000 + b": a\r\n\r\n", 431),
    "too many lines": (GET + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + END, 431),
    "too much together": (
        GET + HOST + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 4_000) for n in range(9)) + END, 431
    ),
    "a long URL": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + END, 414),
    "a long query": (b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + END, 414),
    "a compressed body": (
        LOGIN + JSON + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415
    ),
    "a body of another type": (
        LOGIN + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415
    ),
    "a body of no type": (LOGIN + b"Content-Length: 2\r\n\r\n{}", 415),
    "a form": (
        LOGIN + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
        415,
    ),
    "a body too large by its length": (LOGIN + JSON + b"Content-Length: 1048577\r\n\r\n", 413),
    "TRACE": (b"TRACE /health/live HTTP/1.1\r\n" + HOST + END, 405),
    "CONNECT": (b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + END, 405),
    "OPTIONS": (b"OPTIONS /v1/customers HTTP/1.1\r\n" + HOST + END, 405),
    "a trailing slash": (b"GET /health/live/ HTTP/1.1\r\n" + HOST + END, 404),
    "two slashes": (b"GET //health/live HTTP/1.1\r\n" + HOST + END, 404),
    "steps upward": (b"GET /v1/../health/live HTTP/1.1\r\n" + HOST + END, 404),
    "hidden steps upward": (b"GET /%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + END, 404),
    "OPTIONS of everything": (b"OPTIONS * HTTP/1.1\r\n" + HOST + END, 404),
    "a socket": (
        GET + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        200,
    ),
}  # fmt: skip

# The others are closed upon what they have not said yet.
FOLLOWED = {200, 400, 404, 405}


@pytest.mark.parametrize("name", REFUSED)
async def test_heads(name: str, port: int) -> None:
    # Each is answered once, in the usual shape, and nothing after what is ambiguous is read as a
    # request; after another the next one is, which asks for the end.
    head, status = REFUSED[name]
    another = b"GET /smuggled HTTP/1.1\r\n" + HOST + CLOSE + END
    said = await talk(port, head + (another if status in FOLLOWED else b""), seconds=1.5)
    assert said.status == status, said.raw[:400]
    if status == 400:
        assert said.statuses == [400]
        assert said.is_closed
    if status >= 400:
        error = json.loads(said.body[: int(said.head["content-length"])])["error"]
        assert error["requestId"] == said.head["x-request-id"]
    assert "server" not in said.head
    assert said.head["x-content-type-options"] == "nosniff"


async def test_an_absolute_target(port: int) -> None:
    # A target in absolute form is either read for its path or refused; its host is never used.
    said = await talk(
        port, b"GET http://evil.example/health/live HTTP/1.1\r\n" + HOST + CLOSE + END
    )
    assert said.status in {200, 400, 404}
    assert b"evil" not in said.raw


async def test_several_on_one_line(port: int) -> None:
    # Requests behind each other are answered in order; a bodiless answer has no body.
    head = b"HEAD /health/live HTTP/1.1\r\n" + HOST + END
    said = await talk(port, (GET + HOST + END) * 2 + head + GET + HOST + CLOSE + END)
    assert said.statuses == [200] * 4
    assert said.raw.count(b'{"status":"ok"}') == 3


async def test_chunks_are_read(port: int) -> None:
    # A body in chunks is a body, with an extension and a trailer that nobody looks at.
    chunks = b"1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: a\r\n\r\n"
    said = await talk(port, LOGIN + JSON + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert said.status == 400
    assert b'"field":"email"' in said.body


async def test_an_expectation(port: int) -> None:
    # Whoever waits to be told to go on is told so, and then answered.
    ask = LOGIN + JSON + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    said = await talk(port, ask, b"{}")
    assert said.statuses[-1] == 400
    assert b'"field":"email"' in said.body


async def test_a_body_without_end(port: int) -> None:
    # Chunks that go on and on are cut at the limit.
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    said = await talk(port, LOGIN + JSON + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 40)
    assert said.status == 413
    assert said.is_closed


async def test_a_body_too_large_hears_why(port: int) -> None:
    # Whoever sends all of it before they listen is told what was wrong, and not just cut off.
    body = b"a" * 8_388_608
    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
    said = await talk(port, LOGIN + JSON + length, body)
    assert (said.status, json.loads(said.body)["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert said.is_closed


async def test_a_head_without_end(port: int) -> None:
    # A head that goes on and on is refused while it arrives.
    said = await talk(port, GET + HOST + b"X: ", *[b"a" * 8_192] * 64)
    assert said.status in {431, 0}
    assert said.is_closed


async def test_a_hundred_halves(port: int) -> None:
    # A request in pieces of one byte is a request.
    ask = GET + HOST + CLOSE + END
    said = await talk(port, *[ask[place : place + 1] for place in range(len(ask))])
    assert said.status == 200


async def healthy(port: int, count: int) -> float:
    """The p99 of good requests, each on a connection of its own, in milliseconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        said = await talk(port, GET + HOST + CLOSE + END, source="127.0.0.1")
        times.append((time.perf_counter() - began) * 1_000)
        assert said.status == 200
    return statistics.quantiles(times, n=100)[98]


@pytest.mark.proof
async def test_a_crowd_of_slow_clients(port: int) -> None:
    # One address holds so many connections and no more, and the others do not feel it.
    alone = await healthy(port, 300)
    held = []
    for _ in range(PER_ADDRESS_MAX):
        held.append(await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.9", 0)))
        held[-1][1].write(GET + b"X-Slow: ")
    await asyncio.sleep(0.2)
    over = await talk(port, GET + HOST + END, source="127.0.0.9")
    assert (over.status, over.is_closed) == (429, True)
    beside = await healthy(port, 300)
    print(f"p99 of healthy requests: {alone:.1f} ms alone, {beside:.1f} ms beside {len(held)} slow")
    for _, writer in held:
        writer.close()
    assert beside < 2 * alone + 20
    await asyncio.sleep(0.5)
    assert (await talk(port, GET + HOST + CLOSE + END, source="127.0.0.9")).status == 200
