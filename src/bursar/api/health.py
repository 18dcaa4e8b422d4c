"""Is it alive, does it work, what does it count: for probes, load balancers and Prometheus."""

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Wire, plain_endpoint
from bursar.api.envelope import encoded
from bursar.api.front import ALIVE, HEALTH, LIVE, health
from bursar.runtime.app import App
from bursar.runtime.idempotency import Answer
from bursar.runtime.telemetry import CONTENT_TYPE


def health_routes(app: App) -> list[HTTPRouteHandler]:
    """`/health` and its two halves, and `/metrics`."""

    async def whole(_request: Wire) -> Answer:
        is_connected = await app.probe.is_answered()
        return health(is_connected=is_connected, redis=await _redis(app))

    async def live(_request: Wire) -> Answer:
        return ALIVE

    async def ready(_request: Wire) -> Answer:
        is_connected = await app.probe.is_answered()
        status = "ok" if is_connected else "unavailable"
        return Answer(200 if is_connected else 503, encoded({"status": status}))

    async def metrics(_request: Wire) -> Answer:
        return Answer(200, app.telemetry.exposition(), (("Content-Type", CONTENT_TYPE),))

    return [
        plain_endpoint("GET", HEALTH, whole),
        plain_endpoint("GET", LIVE, live),
        plain_endpoint("GET", "/health/ready", ready),
        plain_endpoint("GET", "/metrics", metrics),
    ]


async def _redis(app: App) -> str:
    """Whether rate limits are shared; without Redis all goes on, so the status stays as it is."""
    if app.settings.redis_url is None:
        return "disabled"
    return "connected" if await app.limiter.check() else "disconnected"
