"""A bare ASGI app on uvicorn and uvloop with an asyncpg pool: what every limit is made of.

`GET /health` asks PostgreSQL for nothing but a sign of life; everything else is the limit's own.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg
import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = Callable[[asyncpg.Pool, Message, bytes], Awaitable[tuple[int, bytes]]]

CONNECTIONS = 10  # as many as one API worker of Bursar has


class Bare:
    """Reads the body, asks `answer` for status and body, sends them."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._pool is not None
        if scope["path"] == "/health":
            await self._pool.fetchval("SELECT 1")
            await _send(send, 200, b'{"database":"connected"}')
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        await _send(send, *await self._answer(self._pool, scope, body))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        url = os.environ["LIMIT_DATABASE_URL"]
        self._pool = await asyncpg.create_pool(url, min_size=1, max_size=CONNECTIONS)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve(answer: Answer) -> None:
    """Serve on PORT until a signal."""
    uvicorn.run(
        Bare(answer),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
