"""The sandbox as a process on a socket, reached by the official SDK over real HTTP."""

import asyncio
import io
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web

from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.main import options_of
from bursar_sandbox.sandbox import Sandbox, SandboxSettings
from bursar_sandbox.server import TICK_S, Shell, bound

SECRET = "whsec_server"
INTENT: Any = {
    "amount": 700,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "return_url": "https://merchant.test/back",
}


@asynccontextmanager
async def _merchant(answers: list[int]) -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A webhook endpoint that verifies, records, and answers these statuses and then 200."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        untyped: Any = stripe.Webhook
        untyped.construct_event(body, request.headers["Stripe-Signature"], SECRET)
        heard.put_nowait(body)
        return web.Response(status=answers.pop(0) if answers else 200)

    application = web.Application()
    application.router.add_post("/hook", hook)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    listener = bound("127.0.0.1", 0)
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook", heard
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _served(*endpoints: Endpoint) -> AsyncIterator[str]:
    listener = bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    shell = Shell(Sandbox(SandboxSettings(public_url=url, endpoints=endpoints)))
    await shell.start(listener)
    try:
        yield url
    finally:
        await shell.stop()


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[stripe.StripeClient]:
    async with aiohttp.ClientSession() as session:
        yield stripe.StripeClient(
            "sk_test_sandbox",
            base_addresses={"api": url},
            http_client=stripe.AIOHTTPClient(session=session, timeout=5),
            max_network_retries=0,
        )


async def test_the_sdk_needs_only_the_address() -> None:
    # A payment over a real socket succeeds and its signed webhooks arrive, retried when refused.
    async with (
        _merchant([500]) as (hook, heard),
        _served(Endpoint(hook, SECRET)) as url,
        _client(url) as client,
    ):
        intent = await client.v1.payment_intents.create_async(INTENT)
        assert intent.status == "succeeded"
        bodies = [await asyncio.wait_for(heard.get(), 10) for _ in range(4)]
    assert sum(b'"charge.succeeded"' in body for body in bodies) in {1, 2}


async def test_a_dropped_answer_is_a_connection_error() -> None:
    # The line breaks after the effect: the caller learns nothing, the books know.
    async with _served() as url, _client(url) as client:
        key = {"Authorization": "Bearer sk_test_sandbox"}
        rule = {"kind": "drop_after", "path": "/v1/payment_intents", "times": 1}
        async with aiohttp.ClientSession(headers=key) as session:
            await session.post(f"{url}/_sandbox/faults", json=rule)
            with pytest.raises(stripe.APIConnectionError):
                await client.v1.payment_intents.create_async(INTENT)
            async with session.get(f"{url}/_sandbox/books") as answer:
                assert (await answer.json())["totals"]["usd"]["amount"] == 700


async def test_a_delay_is_real() -> None:
    # Over HTTP a delay takes its time, and other requests do not wait for it.
    async with _served() as url, aiohttp.ClientSession() as session:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slow = asyncio.create_task(_status(session, f"{url}/", {"Sandbox-Fault": "delay=400"}))
        assert await _status(session, f"{url}/_sandbox/health", {}) == 200
        assert loop.time() - began < 0.4
        assert await slow == 200
        assert loop.time() - began >= 0.4


async def _status(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    async with session.get(url, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_an_oversized_body_is_refused() -> None:
    # More than a mebibyte is 413 with an error object, whatever the route.
    body = io.BytesIO(b"x" * (1 << 21))
    async with (
        _served() as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/customers", data=body) as answer,
    ):
        assert answer.status == 413
        assert "error" in await answer.json()


async def test_it_ends_on_sigterm_and_finds_its_books_again(tmp_path: Path) -> None:
    # One line says where it listens; SIGTERM ends it within two seconds; a restart remembers.
    data = str(tmp_path / "books.db")
    seen: list[str] = []
    for _ in range(2):
        process, url = await _spawn("--data", data)
        async with _client(url) as client:
            listed = await client.v1.payment_intents.list_async()
            seen = [row.id for row in listed.data]
            await client.v1.payment_intents.create_async(INTENT)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 2) == 0
    assert len(seen) == 1


async def _spawn(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bursar_sandbox",
        "--port",
        "0",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    return process, line.decode().split()[-1]


def test_the_command_line() -> None:
    # Every option has a name, and a webhook needs both its address and its secret.
    given = options_of(
        ["--port", "0", "--webhook-url", "http://x/h", "--webhook-secret", "whsec_1"]
    )
    assert given.endpoints == (Endpoint("http://x/h", "whsec_1"),)
    assert options_of([]).endpoints == ()
    with pytest.raises(SystemExit):
        options_of(["--webhook-url", "http://x/h"])


async def test_a_stop_is_heard_whatever_happens_at_that_moment() -> None:
    # A request that wakes the sender in the very turn in which it is ended must not hide the end.
    shell = Shell(Sandbox(SandboxSettings()))
    await shell.start(bound("127.0.0.1", 0))
    await asyncio.sleep(TICK_S / 2)  # by now it waits
    shell._woken.set()
    ended, _ = await asyncio.wait({asyncio.create_task(shell.stop())}, timeout=5)
    assert ended
