"""Rate limits in this process, and what becomes of them when Redis misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.runtime.limits import Counters, RateLimiter
from bursar.runtime.secret import Secret

Mood = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def limiting(redis_url: str | None = None) -> AsyncIterator[RateLimiter]:
    limiter = RateLimiter(None if redis_url is None else Secret(redis_url))
    try:
        yield limiter
    finally:
        await limiter.close()


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes every byte and answers none."""
    while await reader.read(1_000):
        pass


async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers like a Redis that has run out of memory."""
    while await reader.read(10_000):
        writer.write(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")
        await writer.drain()


async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers in no protocol at all."""
    while await reader.read(10_000):
        writer.write(b"\xff\xfe<html>hello</html>\r\n" * 3)
        await writer.drain()


async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up in the middle of an answer."""
    await reader.read(1)
    writer.write(b"$100\r\nabc")


@asynccontextmanager
async def redis_in(mood: Mood) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await mood(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.close()


async def test_exactly_the_limit_is_let_through() -> None:
    # Of ten at once, three pass; what remains counts down; another key is unaffected.
    async with limiting() as limiter:
        states = [await limiter.hit("a", limit=3, window_seconds=60) for _ in range(10)]
        assert [state.is_allowed for state in states] == [True] * 3 + [False] * 7
        assert [state.remaining for state in states] == [2, 1, 0] + [0] * 7
        assert {state.limit for state in states} == {3}
        assert all(1 <= state.reset_seconds <= 120 for state in states)
        assert (await limiter.hit("b", limit=3, window_seconds=60)).is_allowed


async def test_the_window_slides() -> None:
    # A full window lets nobody through, and after it has passed there is room again.
    async with limiting() as limiter:
        while (await limiter.hit("a", limit=2, window_seconds=1)).is_allowed:
            pass
        await asyncio.sleep(2.1)
        assert (await limiter.hit("a", limit=2, window_seconds=1)).is_allowed


@given(st.integers(1, 30), st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_concurrent_hits_never_exceed_the_limit(limit: int, hits: int) -> None:
    # However many come at once, no more than the limit pass, and all that may do.
    async def rush() -> int:
        async with limiting() as limiter:
            states = await asyncio.gather(
                *(limiter.hit("a", limit=limit, window_seconds=3600) for _ in range(hits))
            )
            assert all(later.limit == earlier.limit for earlier, later in pairwise(states))
            return sum(state.is_allowed for state in states)

    assert asyncio.run(rush()) == min(limit, hits)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), min_size=1, max_size=60),
)
@settings(max_examples=200, deadline=None)
def test_a_wait_is_exactly_long_enough(limit: int, hits: list[tuple[float, int]]) -> None:
    # Whoever waits as long as they are told is let through, and no window holds twice the limit.
    hands, passed = Hands(), list[tuple[float, int]]()
    counters = Counters(clock=hands)
    for pause, cost in hits:
        hands.at += pause
        weight = min(cost, limit)
        state = counters.hit("a", limit=limit, window_seconds=10, cost=weight)
        assert 0 <= state.remaining <= limit
        assert 1 <= state.reset_seconds <= 20
        if not state.is_allowed:
            hands.at += state.reset_seconds
            state = counters.hit("a", limit=limit, window_seconds=10, cost=weight)
        assert state.is_allowed
        passed.append((hands.at, weight))
        assert sum(each for at, each in passed if at // 10 == hands.at // 10) <= limit


def test_memory_is_bounded() -> None:
    # A flood of new keys forgets those not seen for longest, and holds no more than it may.
    counters = Counters(keys_max=100)
    assert counters.hit("regular", limit=1, window_seconds=60, cost=1).is_allowed
    for number in range(1_000):
        counters.hit(f"stranger-{number}", limit=1, window_seconds=60, cost=1)
        assert not counters.hit("regular", limit=1, window_seconds=60, cost=1).is_allowed
    assert len(counters) == 100
    assert not counters.hit("stranger-999", limit=1, window_seconds=60, cost=1).is_allowed
    assert counters.hit("stranger-1", limit=1, window_seconds=60, cost=1).is_allowed


def test_a_heavy_request_counts_for_several() -> None:
    # Ten go, or none of them.
    counters = Counters()
    assert counters.hit("a", limit=25, window_seconds=60, cost=10).remaining == 15
    assert counters.hit("a", limit=25, window_seconds=60, cost=10).remaining == 5
    refused = counters.hit("a", limit=25, window_seconds=60, cost=10)
    assert (refused.is_allowed, refused.remaining) == (False, 5)


async def test_without_redis_the_process_counts_alone() -> None:
    # A closed port costs nothing but the sharing: limits hold, nothing raises.
    async with limiting("redis://127.0.0.1:1/0") as limiter:
        states = [await limiter.hit("a", limit=3, window_seconds=60) for _ in range(5)]
        assert [state.is_allowed for state in states] == [True, True, True, False, False]
        assert not await limiter.check()


@pytest.mark.parametrize("mood", [silent, full, babbling, dying])
async def test_a_redis_in_a_mood_opens_no_door(mood: Mood) -> None:
    # Slow, full, babbling or dying: the count goes on here, and no request waits for long.
    async with redis_in(mood) as url, limiting(url) as limiter:
        async with asyncio.timeout(3):
            states = [await limiter.hit("a", limit=2, window_seconds=60) for _ in range(4)]
        assert [state.is_allowed for state in states] == [True, True, False, False]
        assert not await limiter.check()


@pytest.mark.parametrize("mood", [silent, full, babbling, dying])
async def test_the_truth_is_known_before_the_first_hit(mood: Mood) -> None:
    # Whoever asks is told that counts are not shared, though nobody was counted yet.
    told = list[bool]()
    async with redis_in(mood) as url:
        limiter = RateLimiter(Secret(url), told.append)
        async with asyncio.timeout(3):
            assert not await limiter.check()
            assert not await limiter.check()
        await limiter.close()
    assert told == [False]


async def test_without_redis_nothing_is_shared() -> None:
    # Who never had Redis is not told that it went away.
    async with limiting() as limiter:
        assert not await limiter.check()


async def test_many_at_once_fall_back_together() -> None:
    # A hundred requests that meet a silent Redis are all counted, and none is let through twice.
    async with redis_in(silent) as url, limiting(url) as limiter:
        async with asyncio.timeout(3):
            states = await asyncio.gather(
                *(limiter.hit("a", limit=10, window_seconds=60) for _ in range(100))
            )
        assert sum(state.is_allowed for state in states) == 10
