"""The API of a world on a real socket of the loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from tests.support.world import World

from bursar.api.asgi import build_api
from bursar.api.protocol import guarded_http
from bursar.domain.frozen import replace
from bursar.runtime.limits import RateLimiter


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """Its host and port, such as `127.0.0.1:40213`; nobody asks it too often."""
    settings = replace(world.app.settings, rate_limit_requests_max=1_000_000_000)
    api = build_api(replace(world.app, settings=settings, limiter=RateLimiter()))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            api, http=guarded_http(()), ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
