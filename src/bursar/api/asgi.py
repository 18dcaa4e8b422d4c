"""The HTTP application: every room, every page, behind the guard.

What a route means stands in its table; here they are only put behind one another.
"""

from bursar.api.dispatch import Edge, endpoint
from bursar.api.guard import AsgiApp, Guard
from bursar.api.health import health_routes
from bursar.api.hosted import hosted_routes
from bursar.api.limits import RequestLimits
from bursar.api.provider_hooks import hooks
from bursar.api.reference import reference_routes
from bursar.api.rooms import ROUTES
from bursar.api.router import Router
from bursar.runtime.app import App


def build_api(app: App) -> AsgiApp:
    """The ASGI application to serve; `app` stays open as long as it runs."""
    edge = Edge(app, RequestLimits(app.limiter, app.settings))
    router = Router(
        [
            *(endpoint(edge, route) for route in ROUTES),
            *health_routes(app),
            *reference_routes(app),
            *hooks(edge),
            *hosted_routes(edge),
        ],
    )
    return Guard(
        router,
        allowed_hosts=app.settings.allowed_hosts,
        telemetry=app.telemetry,
        cors_origins=app.settings.cors_origins,
    )
