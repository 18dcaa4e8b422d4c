"""Rate limits: a sliding-window counter per key, in this process or shared through Redis.

Counts and answers; what a limit is and who it binds, the caller says. Redis only makes the count
common to all processes: when it fails, is slow or talks nonsense, this process counts alone for a
while. A request is never let through uncounted, and never fails, because of Redis. The keys of this
process are bounded: whoever has not been seen for longest is forgotten first.
"""

import math
from asyncio import timeout
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from msgspec import Struct
from opentelemetry.trace import SpanKind

from bursar.runtime import tracing
from bursar.runtime.clock import monotonic, now
from bursar.runtime.logging import get_log
from bursar.runtime.secret import Secret
from limits import RateLimitItemPerSecond

KEYS_MAX: Final = 50_000
_REDIS_SECONDS: Final = 0.25
_REDIS_CONNECTIONS_MAX: Final = 20
_ALONE_SECONDS: Final = 5.0
_FRESH_SECONDS: Final = 1.0
_PROBE: Final = "probe"
_PROBES_MAX: Final = 1_000_000

log = get_log()


class LimitState(Struct, frozen=True):
    """Where a key stands after a hit; `reset_seconds` is when as much more would be let through."""

    limit: int
    remaining: int
    reset_seconds: int
    is_allowed: bool


class _Window(Struct):
    """What a key used up: in the window that runs, and in the one before it."""

    number: int
    used: int = 0
    before: int = 0

    def reach(self, number: int) -> None:
        """Let the windows pass that have passed."""
        if number == self.number:
            return
        self.before = self.used if number == self.number + 1 else 0
        self.number, self.used = number, 0


class Counters:
    """Sliding windows of this process: the one before counts by the part of it still in sight."""

    def __init__(self, *, keys_max: int = KEYS_MAX, clock: Callable[[], float] = monotonic) -> None:
        self._windows: OrderedDict[tuple[str, int], _Window] = OrderedDict()
        self._keys_max = keys_max
        self._clock = clock

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: str, *, limit: int, window_seconds: int, cost: int) -> LimitState:
        """Count as many requests of this key, or none of them."""
        assert 0 < cost <= limit, "what costs more than the limit would never pass"
        number, elapsed = divmod(self._clock(), window_seconds)
        window = self._window((key, window_seconds), int(number))
        in_sight = window.before * (1 - elapsed / window_seconds)
        is_allowed = in_sight + window.used + cost <= limit
        if is_allowed:
            window.used += cost
        left = window_seconds - elapsed
        wait = left if is_allowed else _wait(window, limit - cost, elapsed, window_seconds)
        return LimitState(
            limit=limit,
            remaining=max(math.floor(limit - in_sight - window.used), 0),
            reset_seconds=max(math.ceil(wait), 1),
            is_allowed=is_allowed,
        )

    def _window(self, key: tuple[str, int], number: int) -> _Window:
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= self._keys_max:
                self._windows.popitem(last=False)
            window = self._windows[key] = _Window(number)
            return window
        self._windows.move_to_end(key)
        window.reach(number)
        return window


def _wait(window: _Window, room: int, elapsed: float, seconds: int) -> float:
    """How long until no more than the room is in sight."""
    if window.used <= room:
        return seconds * (1 - (room - window.used) / window.before) - elapsed
    return seconds - elapsed + seconds * (1 - room / window.used)


class RateLimiter:
    """The counters of one process, common to all processes while Redis answers.

    `told` hears whether counts are shared, whenever that changes.
    """

    def __init__(
        self, redis_url: Secret | None = None, told: Callable[[bool], None] | None = None
    ) -> None:
        self._own = Counters()
        self._redis = None if redis_url is None else _redis(redis_url)
        self._shared = None if self._redis is None else SlidingWindowCounterRateLimiter(self._redis)
        self._told = told
        self._alone_until = 0.0
        self._known_at = -math.inf
        self._is_alone: bool | None = None  # nobody knows before Redis was asked

    async def hit(self, key: str, *, limit: int, window_seconds: int, cost: int = 1) -> LimitState:
        """Count a request of `key` that weighs `cost`, at most `limit` in any `window_seconds`."""
        assert limit > 0, "a limit lets something through"
        assert window_seconds > 0, "a window has a length"
        cost = min(cost, limit)
        if self._shared is not None and monotonic() >= self._alone_until:
            state = await self._hit_shared(self._shared, key, limit, window_seconds, cost)
            if state is not None:
                return state
        return self._own.hit(key, limit=limit, window_seconds=window_seconds, cost=cost)

    async def check(self) -> bool:
        """Whether counts are shared now: as the last second showed, or as a trial hit shows."""
        if self._shared is None:
            return False
        if monotonic() - self._known_at > _FRESH_SECONDS:
            await self._hit_shared(self._shared, _PROBE, _PROBES_MAX, 60, 1)
        return self._is_alone is False

    async def close(self) -> None:
        """Leave Redis."""
        if self._redis is not None:
            bridge = self._redis.bridge
            assert isinstance(bridge, RedispyBridge)
            await bridge.storage.aclose()

    async def _hit_shared(
        self, shared: SlidingWindowCounterRateLimiter, key: str, limit: int, seconds: int, cost: int
    ) -> LimitState | None:
        """The state in Redis; None when it cannot be had."""
        if self._is_alone:
            # One request tries for all of them; the others need not wait for a Redis that hangs.
            self._alone_until = monotonic() + _ALONE_SECONDS
        try:
            with tracing.span("redis hit", SpanKind.CLIENT, {"db.system.name": "redis"}):
                state = await _hit_in_time(
                    shared, RateLimitItemPerSecond(limit, seconds), key, cost
                )
        except Exception as failed:  # noqa: BLE001 - whatever Redis does, the request goes on
            self._go_alone(failed)
            return None
        self._come_back()
        return state

    def _go_alone(self, failed: Exception) -> None:
        self._alone_until = monotonic() + _ALONE_SECONDS
        if not self._is_alone:
            log.warning("limits.alone", reason=f"{type(failed).__name__}: {failed}")
        self._know(is_alone=True)

    def _come_back(self) -> None:
        self._alone_until = 0.0
        if self._is_alone:
            log.info("limits.shared")
        self._know(is_alone=False)

    def _know(self, *, is_alone: bool) -> None:
        self._known_at = monotonic()
        if is_alone is not self._is_alone and self._told is not None:
            self._told(not is_alone)
        self._is_alone = is_alone


async def _hit_in_time(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, key: str, cost: int
) -> LimitState:
    async with timeout(_REDIS_SECONDS):
        return await _hit(limiter, item, key, cost)


async def _hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, key: str, cost: int
) -> LimitState:
    is_allowed = await limiter.hit(item, key, cost=cost)
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
