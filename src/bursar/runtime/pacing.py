"""A least time for what must not tell by its speed which way it went."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def lasting(seconds: float) -> AsyncIterator[None]:
    """End no sooner than so long after the beginning, however the block ends.

    What takes longer than that by itself is not hidden: the time is chosen well above it.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - loop.time()))
