"""What runs beside something else, and never longer than that."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def beside(errand: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let something run for as long as the block does, or less."""
    task = asyncio.create_task(errand)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
