"""Rate limits: a sliding-window counter per key, in this process or shared through Redis.

Counts and answers; what a limit is and who it binds, the caller says. Redis only makes the count
common to all processes: when it fails, is slow or talks nonsense, this process counts alone for a
while. A request is never let through uncounted, and never fails, because of Redis.
"""

import math
from asyncio import timeout
from dataclasses import dataclass
from typing import Final

from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from bursar.runtime.clock import monotonic, now
from bursar.runtime.logging import get_log
from bursar.runtime.secret import Secret
from limits import RateLimitItemPerSecond

_REDIS_SECONDS: Final = 0.25
_REDIS_CONNECTIONS_MAX: Final = 20
_ALONE_SECONDS: Final = 5.0

log = get_log()


@dataclass(frozen=True, slots=True)
class LimitState:
    """Where a key stands after a hit; `reset_seconds` is when one more would be let through."""

    limit: int
    remaining: int
    reset_seconds: int
    is_allowed: bool


class RateLimiter:
    """The counters of one process, common to all processes while Redis answers."""

    def __init__(self, redis_url: Secret | None = None) -> None:
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._redis = None if redis_url is None else _redis(redis_url)
        self._shared = None if self._redis is None else SlidingWindowCounterRateLimiter(self._redis)
        self._alone_until = 0.0
        self._is_alone = False

    async def hit(self, key: str, *, limit: int, window_seconds: int) -> LimitState:
        """Count one request of `key`, at most `limit` in any `window_seconds`."""
        assert limit > 0, "a limit lets something through"
        assert window_seconds > 0, "a window has a length"
        item = RateLimitItemPerSecond(limit, window_seconds)
        if self._shared is not None and monotonic() >= self._alone_until:
            try:
                async with timeout(_REDIS_SECONDS):
                    state = await _hit(self._shared, item, key)
            except Exception as failed:  # noqa: BLE001 - whatever Redis does, the request goes on
                self._go_alone(failed)
            else:
                self._come_back()
                return state
        return await _hit(self._own, item, key)

    async def close(self) -> None:
        """Leave Redis and stop forgetting expired counters."""
        timer = self._own.storage.timer if isinstance(self._own.storage, MemoryStorage) else None
        if timer is not None:
            timer.cancel()
        if self._redis is not None:
            bridge = self._redis.bridge
            assert isinstance(bridge, RedispyBridge)
            await bridge.storage.aclose()

    @property
    def is_shared(self) -> bool:
        """Whether the last hit was counted in Redis, or the next one will be tried there."""
        return self._shared is not None and not self._is_alone

    def _go_alone(self, failed: Exception) -> None:
        self._alone_until = monotonic() + _ALONE_SECONDS
        if not self._is_alone:
            log.warning("limits.alone", reason=f"{type(failed).__name__}: {failed}")
        self._is_alone = True

    def _come_back(self) -> None:
        if self._is_alone:
            log.info("limits.shared")
        self._is_alone = False


async def _hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, key: str
) -> LimitState:
    is_allowed = await limiter.hit(item, key)
    stats = await limiter.get_window_stats(item, key)
    wait = math.ceil(stats.reset_time - now().timestamp())
    return LimitState(
        limit=item.amount,
        remaining=min(max(stats.remaining, 0), item.amount),
        reset_seconds=min(max(wait, 1), 2 * item.get_expiry()),
        is_allowed=bool(is_allowed),
    )


def _redis(url: Secret) -> RedisStorage:
    # Only naming the storage imports the Redis client, so whoever has no Redis does not pay for it.
    return RedisStorage(
        f"async+{url.reveal()}",
        implementation="redispy",
        key_prefix="bursar:limits",
        max_connections=_REDIS_CONNECTIONS_MAX,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
