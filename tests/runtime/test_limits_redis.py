"""Rate limits through a real Redis: shared by processes, and what its death and return mean."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.tree import free_ports

from bursar.runtime import limits
from bursar.runtime.limits import RateLimiter
from bursar.runtime.secret import Secret

pytestmark = pytest.mark.system


@asynccontextmanager
async def redis_server(port: int) -> AsyncIterator[str]:
    """A redis-server without a disk, on loopback, gone at the end."""
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is in .ci/packages"
    with tempfile.TemporaryDirectory(prefix="bursar-redis-") as folder:
        server = await asyncio.create_subprocess_exec(
            program,
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", folder),
            *("--save", "", "--appendonly", "no", "--maxmemory", "32mb"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            await answering(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            await server.wait()


async def answering(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


async def test_processes_share_one_count() -> None:
    # Two limiters on one Redis let through no more than one limit between them.
    async with redis_server(free_ports()[0]) as url:
        one, other = RateLimiter(Secret(url)), RateLimiter(Secret(url))
        states = await asyncio.gather(
            *(
                limiter.hit("a", limit=10, window_seconds=60)
                for limiter in (one, other)
                for _ in range(20)
            )
        )
        assert sum(state.is_allowed for state in states) == 10
        assert await one.check()
        assert await other.check()
        await one.close()
        await other.close()


async def test_redis_dies_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its death costs no request; when it answers again, the count is shared again.
    monkeypatch.setattr(limits, "_ALONE_SECONDS", 0.2)
    (port, _), was_shared = free_ports(), []
    limiter = RateLimiter(Secret(f"redis://127.0.0.1:{port}/0"))

    async def hit() -> None:
        assert (await limiter.hit("a", limit=100, window_seconds=60)).is_allowed
        was_shared.append(await limiter.check())

    async with redis_server(port):
        await hit()
    await hit()
    async with redis_server(port):
        await asyncio.sleep(0.3)
        await hit()
        await limiter.close()
    assert was_shared == [True, False, True]
