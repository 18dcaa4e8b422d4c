"""What is quick and what is slow take the same time, up to a point."""

import asyncio
import time
from contextlib import suppress

import pytest

from bursar.runtime.pacing import lasting


@pytest.mark.parametrize("takes", [0.0, 0.05])
async def test_a_quick_and_a_slow_way_take_the_same_time(takes: float) -> None:
    # The least time is kept; and so it is when the block ends with a refusal.
    for is_refused in (False, True):
        began = time.perf_counter()
        with suppress(LookupError):
            async with lasting(0.2):
                await asyncio.sleep(takes)
                if is_refused:
                    raise LookupError
        took = time.perf_counter() - began
        assert 0.199 <= took < 10


async def test_what_takes_longer_is_not_kept_waiting() -> None:
    # Nothing is added to what was slow enough.
    began = time.perf_counter()
    async with lasting(5):
        await asyncio.sleep(5.1)
    assert time.perf_counter() - began < 10
