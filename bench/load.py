"""The load generator, a program of its own: raw HTTP/1.1 over kept-alive loopback connections.

It reads one `Load` as JSON from its standard input and writes one `Measured`. Each connection has
one request in flight; none begins after the deadline, and every one that began is waited for.
"""

import asyncio
import resource
import sys
import time
import uuid
from collections import Counter
from contextlib import suppress
from itertools import cycle, islice
from typing import cast

import msgspec
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `paths` and `bodies` in turn, with the same headers."""

    ports: tuple[int, ...]  # connections are spread over them in turn
    method: str
    paths: list[str]
    headers: dict[str, str]
    bodies: list[str]
    has_keys: bool  # a fresh Idempotency-Key with every request
    connections: int
    seconds: float
    requests_max: int
    expects: int
    fresh: str = ""  # what a fresh text of the same length takes the place of in every body
    also: list[int] = []  # other statuses that are as good
    credentials: list[str] = []  # `Authorization`, in turn


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: how many in how many seconds, and what the generator itself cost."""

    good: int
    bad: dict[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float
    generator_cpu: float  # of one core

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds


class Generator(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends again."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._buffer = bytearray()
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class that asyncio knows.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_HEAD_END)
        if head < 0:
            return
        start = self._buffer.lower().index(_LENGTH, 0, head) + len(_LENGTH)
        end = self._buffer.find(b"\r\n", start)
        whole = head + len(_HEAD_END) + int(self._buffer[start:end])
        if len(self._buffer) < whole:
            return
        assert len(self._buffer) == whole, "one answer to one request"
        self._run.note(int(self._buffer[9:12]), time.perf_counter() - self._sent_at)
        self._buffer.clear()
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._run.bad[f"connection lost: {exc}"] += 1
            self.done.set_result(None)

    def _next(self) -> None:
        request = self._run.request()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class Run:
    """The whole load: what is left to send, and what was seen."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.bad: Counter[str] = Counter()
        self.waits: list[float] = []
        self._sent = 0
        self._deadline = time.perf_counter() + load.seconds
        lines = [f"{name}: {value}\r\n" for name, value in load.headers.items()]
        self._head = "".join(lines).encode()
        named = [f"Authorization: Bearer {each}\r\n".encode() for each in load.credentials]
        self._credentials = named or [b""]
        self._rests = [_rest(body.encode()) for body in load.bodies]
        self._mark = load.fresh.encode()
        self._stamp = uuid.uuid4().hex[:8]
        self._firsts = [
            f"{load.method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{load.ports[0]}\r\n".encode()
            for path in load.paths
        ]

    def request(self) -> bytes | None:
        """The next request's bytes, or None when it is enough."""
        if self._sent >= self.load.requests_max or time.perf_counter() >= self._deadline:
            return None
        first = self._firsts[self._sent % len(self._firsts)]
        rest = self._rests[self._sent % len(self._rests)]
        self._sent += 1
        if self._mark:
            fresh = f"{self._stamp}{self._sent:0{len(self._mark) - len(self._stamp)}d}"
            rest = rest.replace(self._mark, fresh.encode())
        credential = self._credentials[self._sent % len(self._credentials)]
        key = f"Idempotency-Key: {uuid.uuid4()}\r\n".encode() if self.load.has_keys else b""
        return first + self._head + credential + key + rest

    def note(self, status: int, wait: float) -> None:
        """One answer."""
        if status == self.load.expects or status in self.load.also:
            self.waits.append(wait)
        else:
            self.bad[str(status)] += 1


def _rest(body: bytes) -> bytes:
    """The end of the head, and the body."""
    if not body:
        return b"\r\n"
    return b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def run(load: Load) -> Measured:
    """Send it all."""
    state, loop = Run(load), asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        loop.create_connection(lambda: Generator(state), "127.0.0.1", port)
        for port in islice(cycle(load.ports), load.connections)
    ]
    connections = [protocol for _, protocol in await asyncio.gather(*opened)]
    await asyncio.gather(*(each.done for each in connections))
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    waits = sorted(state.waits) or [0.0]
    return Measured(
        good=len(state.waits),
        bad=dict(state.bad),
        seconds=seconds,
        p50_ms=1000 * waits[len(waits) // 2],
        p99_ms=1000 * waits[len(waits) * 99 // 100],
        generator_cpu=(used.ru_utime + used.ru_stime) / seconds,
    )


async def generate(load: Load) -> Measured:
    """Run the generator as a program of its own, and wait for what it measured."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await asyncio.wait_for(
            child.communicate(msgspec.json.encode(load)), load.seconds + 60
        )
    finally:
        with suppress(ProcessLookupError):
            child.kill()
    return msgspec.json.decode(said, type=Measured)


def main() -> None:
    """Read a load, run it, write what was measured."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(load))))


if __name__ == "__main__":
    main()
