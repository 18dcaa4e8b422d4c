"""Waiting for what nobody tells: it is looked at again and again, for a bounded time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 5
) -> None:
    """Wait until the condition holds; a test fails where it does not in time."""
    for _ in range(int(seconds * 100)):
        holds = condition()
        if holds if isinstance(holds, bool) else await holds:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the condition did not come to hold in time")
