"""The door of a process that still loads: it says whether it lives, and asks all others to wait.

What a probe is told is asked for there and then, of PostgreSQL itself. Every other request waits
until the whole application stands and is served by that; none is refused for having come early.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bursar.api.guard import AsgiApp, Guard, Receive, Scope, Send
from bursar.api.plain import send_answer
from bursar.api.trace import traced
from bursar.domain.refusals import Away
from bursar.runtime.idempotency import Answer
from bursar.runtime.settings import Settings
from bursar.runtime.telemetry import Telemetry

HEALTH: Final = "/health"
LIVE: Final = "/health/live"
ALIVE: Final = Answer(200, b'{"status":"ok"}')


def health(*, is_connected: bool, redis: str) -> Answer:
    """What `/health` says."""
    state = {
        "status": "ok" if is_connected else "unavailable",
        "database": "connected" if is_connected else "disconnected",
        "redis": redis,
    }
    return Answer(200 if is_connected else 503, msgspec.json.encode(state))


class Front:
    """The ASGI application of a process from its first moment on."""

    def __init__(
        self, settings: Settings, telemetry: Telemetry, is_answered: Callable[[], Awaitable[bool]]
    ) -> None:
        self._is_answered = is_answered
        # Redis is asked by the limiter, which is not there yet.
        self._early = {LIVE} if settings.redis_url is not None else {LIVE, HEALTH}
        hosts = settings.allowed_hosts
        self._guard = Guard(self._probed, allowed_hosts=hosts, telemetry=telemetry)
        self._left = Guard(_refused, allowed_hosts=hosts, telemetry=telemetry)
        self._whole: AsgiApp | None = None
        self._stands = asyncio.Event()

    def stand(self, whole: AsgiApp) -> None:
        """Everything is loaded: from now on this serves."""
        self._whole = whole
        self._stands.set()

    def leave(self) -> None:
        """The process ends; whoever still waits is told to come again."""
        self._stands.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = self._whole or (self._guard if self._is_probed(scope) else await self._awaited())
        await whole(scope, receive, send)

    def _is_probed(self, scope: Scope) -> bool:
        is_asked = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return is_asked and scope["path"] in self._early

    async def _awaited(self) -> AsgiApp:
        await self._stands.wait()
        return self._whole or self._left

    async def _probed(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path = traced(scope).route = scope["path"]
        answer = ALIVE
        if path == HEALTH:
            answer = health(is_connected=await self._is_answered(), redis="disabled")
        await send_answer(send, answer)


async def _refused(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Away
