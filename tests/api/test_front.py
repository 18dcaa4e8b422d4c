"""The door of a process that still loads: probes are answered, everybody else is served later."""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.world import World

from bursar.api.front import Front
from bursar.api.guard import SECURITY_HEADERS
from bursar.domain.frozen import replace
from bursar.runtime.secret import Secret

Message = MutableMapping[str, Any]


@dataclass
class Asked:
    """What came of one request."""

    status: int = 0
    body: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)


async def ask(front: Front, path: str, method: str = "GET") -> Asked:
    asked = Asked()

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            asked.status, asked.headers = message["status"], dict(message["headers"])
        else:
            asked.body += message["body"]

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await front(scope, receive, send)
    return asked


async def whole(_scope: Message, _receive: object, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"whole"})


def front_of(world: World, *, is_answered: bool = True, redis: str | None = None) -> Front:
    async def told() -> bool:
        return is_answered

    url = None if redis is None else Secret(redis)
    settings = replace(world.app.settings, redis_url=url)
    return Front(settings, world.app.telemetry, told)


async def test_a_probe_is_told_what_postgresql_says(world: World) -> None:
    # Health is asked for there and then, and answered as by the whole application, guarded.
    asked = await ask(front_of(world), "/health")
    assert (asked.status, asked.body) == (
        200,
        b'{"status":"ok","database":"connected","redis":"disabled"}',
    )
    assert {(name.encode(), text.encode()) for name, text in SECURITY_HEADERS} <= set(
        asked.headers.items()
    )
    assert b"x-request-id" in asked.headers
    asked = await ask(front_of(world, is_answered=False), "/health")
    assert (asked.status, b"disconnected" in asked.body) == (503, True)
    assert (await ask(front_of(world), "/health/live")).body == b'{"status":"ok"}'
    assert (await ask(front_of(world), "/health", "HEAD")).body == b""


async def test_others_wait_and_are_served(world: World) -> None:
    # Nothing is refused for coming early, readiness least of all: the whole application serves it.
    front = front_of(world)
    early = [
        asyncio.create_task(ask(front, path, method))
        for path, method in (
            ("/v1/customers", "GET"),
            ("/health/ready", "GET"),
            ("/health", "POST"),
        )
    ]
    done, _ = await asyncio.wait(early, timeout=0.1)
    assert done == set()
    front.stand(whole)
    assert {(each.status, each.body) for each in await asyncio.gather(*early)} == {(299, b"whole")}
    assert (await ask(front, "/health")).status == 299


async def test_an_end_is_told(world: World) -> None:
    # A process that ends while it loads leaves nobody waiting: the same may be sent again.
    front = front_of(world)
    early = asyncio.create_task(ask(front, "/v1/customers"))
    await asyncio.sleep(0)
    front.leave()
    asked = await early
    assert (asked.status, asked.headers[b"retry-after"]) == (503, b"1")


async def test_redis_is_not_guessed(world: World) -> None:
    # Whether limits are shared only the whole application knows, so health waits for it.
    front = front_of(world, redis="redis://127.0.0.1:1")
    early = asyncio.create_task(ask(front, "/health"))
    done, _ = await asyncio.wait([early], timeout=0.1)
    assert done == set()
    front.stand(whole)
    assert (await early).status == 299
