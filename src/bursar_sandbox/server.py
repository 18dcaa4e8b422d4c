"""The sandbox on a socket: carries out what the core asks for, delays, drops and deliveries.

It decides nothing. The core runs on the event loop's own thread, one request after another.
"""

import asyncio
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bursar_sandbox.core.outbox import Delivery
from bursar_sandbox.core.refusals import Refusal
from bursar_sandbox.core.wire import BODY_BYTES_MAX, Request, Response, json_response
from bursar_sandbox.sandbox import Sandbox

TICK_S = 0.05
SENDS_MAX = 16
SEND_TIMEOUT_S = 10
DRAIN_S = 1.0
TAKEN = range(200, 300)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Shell:
    """One sandbox, its server and its webhook sender."""

    sandbox: Sandbox
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _sender: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Answer requests on a bound socket and send webhooks, until `stop`."""
        application = web.Application(client_max_size=BODY_BYTES_MAX + 1)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=DRAIN_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self._sender = asyncio.create_task(self._deliver())

    async def stop(self) -> None:
        """Let running requests end, within a second, and close the books."""
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        if self._runner is not None:
            await self._runner.cleanup()
        self.sandbox.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            refusal = Refusal(413, {"type": "invalid_request_error", "message": "Body too large."})
            return _sent(json_response(413, refusal.body()))
        response = self._handled(
            Request(request.method, request.path_qs, dict(request.headers), body)
        )
        self._woken.set()
        if response.delay_ms:
            await asyncio.sleep(response.delay_ms / 1000)
        if response.is_dropped and request.transport is not None:
            request.transport.abort()
            return web.Response()  # nobody is there to read it
        return _sent(response)

    def _handled(self, request: Request) -> Response:
        try:
            return self.sandbox.handle(request)
        except Exception:
            log.exception("sandbox.unexpected_failure")
            error = {"type": "api_error", "message": "An unknown error occurred"}
            return json_response(500, {"error": error})

    async def _deliver(self) -> None:
        """Send what is due, for ever; ending it ends what is on the way."""
        timeout = aiohttp.ClientTimeout(total=SEND_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                await self._keep_sending(session)
            finally:
                on_the_way = list(self._sending.values())
                for task in on_the_way:
                    task.cancel()
                await asyncio.gather(*on_the_way, return_exceptions=True)

    async def _keep_sending(self, session: aiohttp.ClientSession) -> None:
        while True:
            self._send_due(session)
            self._woken.clear()
            # Not `wait_for`: woken in the very moment of its end, it would go on for ever.
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._woken.wait()

    def _send_due(self, session: aiohttp.ClientSession) -> None:
        """Start what is due, a bounded number at a time."""
        for delivery in self.sandbox.due_deliveries():
            if len(self._sending) >= SENDS_MAX:
                return
            if delivery.delivery_id not in self._sending:
                task = asyncio.create_task(self._send(session, delivery))
                self._sending[delivery.delivery_id] = task

    async def _send(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        is_delivered = False
        try:
            async with session.post(
                delivery.url, data=delivery.body, headers=delivery.headers, allow_redirects=False
            ) as answer:
                is_delivered = answer.status in TAKEN
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.info("sandbox.delivery_failed %s %s", delivery.event_id, type(problem).__name__)
        finally:
            self._sending.pop(delivery.delivery_id, None)
        self.sandbox.settle_delivery(delivery.delivery_id, is_delivered=is_delivered)
        self._woken.set()


def _sent(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=response.headers, body=response.body)


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener
