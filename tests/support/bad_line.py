"""A line to the card processor that drops, delays, repeats and reorders what passes in either way.

Stands between Bursar and the processor on loopback: requests, their answers, and webhooks. Every
message meets its fate alone, by a seeded chance, until the line is calm.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiohttp
from aiohttp import web

_HOOK: Final = "/webhooks/"
_DELAY_SECONDS: Final = (0.05, 1.5)
_OVERTAKEN_SECONDS: Final = 2.0
_OVERTAKEN_BY: Final = 3
_HOP: Final = frozenset(
    {"host", "content-length", "content-encoding", "transfer-encoding", "connection"}
)


class Way(StrEnum):
    """What passes."""

    REQUEST = "requests"
    ANSWER = "answers"
    WEBHOOK = "webhooks"


class Fate(StrEnum):
    """What becomes of it."""

    PASSED = "passed"
    DROPPED = "dropped"
    DELAYED = "delayed"
    REPEATED = "repeated"
    OVERTAKEN = "overtaken"


TROUBLES: Final = tuple(fate for fate in Fate if fate is not Fate.PASSED)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def copy(self) -> bytes:
        """The same on the wire once more."""
        lines = [f"HTTP/1.1 {self.status} Again", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass
class BadLine:
    """Where to connect instead; `share` of all messages meet trouble until it `is_calm`."""

    chance: random.Random
    share: float
    url: str = ""
    processor_url: str = ""
    api_url: str = ""
    is_calm: bool = True
    fates: Counter[tuple[Way, Fate]] = field(default_factory=Counter)
    _passing: asyncio.Condition = field(default_factory=asyncio.Condition)
    _late: set[asyncio.Task[Said]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None

    def told(self) -> str:
        """How many of each way met trouble."""
        lines = []
        for way in Way:
            total = sum(count for (each, _), count in self.fates.items() if each is way)
            kinds = ", ".join(f"{self.fates[way, fate]} {fate}" for fate in TROUBLES)
            lines.append(f"{total} {way} ({kinds})")
        return "; ".join(lines)

    async def carry(self, request: web.Request) -> web.StreamResponse:
        """One message, and its answer; whose sender or receiver is gone is broken off."""
        try:
            if request.path.startswith(_HOOK):
                return await self._webhook(request)
            return await self._request(request)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return _broken(request)

    async def _request(self, request: web.Request) -> web.StreamResponse:
        fate = self._fate(Way.REQUEST)
        if fate is Fate.DROPPED:
            return _broken(request)
        await self._held(fate)
        body = await request.read()
        said = await self._sent(request, self.processor_url, body)
        if fate is Fate.REPEATED:
            await self._sent(request, self.processor_url, body)
        return await self._answered(request, said)

    async def _answered(self, request: web.Request, said: Said) -> web.StreamResponse:
        fate = self._fate(Way.ANSWER)
        if fate is Fate.DROPPED:
            return _broken(request)
        await self._held(fate)
        response = web.Response(status=said.status, headers=said.headers, body=said.body)
        if fate is Fate.REPEATED:
            await response.prepare(request)
            await response.write_eof()
            if request.transport is not None:
                request.transport.write(said.copy)
        return response

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        """Dropped, the processor believes that it was taken: it never comes again."""
        fate = self._fate(Way.WEBHOOK)
        if fate is Fate.DROPPED:
            return web.Response()
        await self._held(fate)
        body = await request.read()
        said = await self._sent(request, self.api_url, body)
        if fate is Fate.REPEATED:
            await self._sent(request, self.api_url, body)
        return web.Response(status=said.status, headers=said.headers, body=said.body)

    async def _sent(self, request: web.Request, to: str, body: bytes) -> Said:
        assert self._session is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        # Whoever asked may be killed meanwhile; what is on its way arrives all the same.
        sending = asyncio.create_task(
            _forwarded(self._session, request.method, to + request.path_qs, headers, body)
        )
        self._late.add(sending)
        sending.add_done_callback(self._over)
        return await asyncio.shield(sending)

    def _over(self, sending: "asyncio.Task[Said]") -> None:
        self._late.discard(sending)
        if not sending.cancelled():
            sending.exception()  # whoever still waits hears it, nobody else must

    def _fate(self, way: Way) -> Fate:
        is_bad = not self.is_calm and self.chance.random() < self.share
        fate = self.chance.choice(TROUBLES) if is_bad else Fate.PASSED
        if not self.is_calm:
            self.fates[way, fate] += 1
        return fate

    async def _held(self, fate: Fate) -> None:
        """Wait as long as its fate says; whatever passes meanwhile overtakes it."""
        if fate is Fate.DELAYED:
            await asyncio.sleep(self.chance.uniform(*_DELAY_SECONDS))
        async with self._passing:
            self._passing.notify_all()
            if fate is not Fate.OVERTAKEN:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_OVERTAKEN_SECONDS):
                    for _ in range(_OVERTAKEN_BY):
                        await self._passing.wait()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["BadLine"]:
        """Listening on loopback."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.carry)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as self._session:
            try:
                yield self
            finally:
                await runner.cleanup()
                await asyncio.gather(*self._late, return_exceptions=True)


async def _forwarded(
    session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str], body: bytes
) -> Said:
    async with session.request(
        method, url, headers=headers, data=body, allow_redirects=False
    ) as answer:
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
        return Said(answer.status, kept, await answer.read())


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
