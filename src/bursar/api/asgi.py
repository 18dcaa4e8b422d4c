"""The HTTP application: every room, every page, behind the guard.

Litestar routes and runs; what a route means is in its table. Nothing of the framework's own errors,
documents or debugging reaches a caller.
"""

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Litestar
from litestar.connection import Request
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from bursar.api.account_pages import account_routes
from bursar.api.dispatch import Edge, endpoint
from bursar.api.envelope import JSON
from bursar.api.errors import answer_for
from bursar.api.express import Express
from bursar.api.framework import reworded
from bursar.api.guard import BODY_MAX, AsgiApp, Guard
from bursar.api.health import health_routes
from bursar.api.hosted import hosted_routes
from bursar.api.limits import RequestLimits
from bursar.api.provider_hooks import hooks
from bursar.api.reference import reference_routes
from bursar.api.rooms import ROUTES
from bursar.api.routes import Route
from bursar.api.trace import traced
from bursar.runtime.app import App

Annex = Callable[[Edge], Sequence[HTTPRouteHandler]]
"""More to serve behind the same guard: what stands above the API gives its routes so."""


def build_api(
    app: App, routes: Sequence[Route] = ROUTES, *, annexes: Sequence[Annex] = ()
) -> AsgiApp:
    """The ASGI application to serve; `app` stays open as long as it runs."""
    edge = Edge(app, RequestLimits(app.limiter, app.settings))
    litestar = Litestar(
        route_handlers=[
            *(endpoint(edge, route) for route in routes),
            *health_routes(app),
            *reference_routes(app),
            *hooks(edge),
            *hosted_routes(edge),
            *account_routes(edge),
            *(each for annex in annexes for each in annex(edge)),
        ],
        exception_handlers={Exception: _failed},
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
        request_max_body_size=BODY_MAX,
    )
    return Guard(
        Express(edge, routes, litestar),  # type: ignore[arg-type]  # the framework types its messages one by one
        allowed_hosts=app.settings.allowed_hosts,
        telemetry=app.telemetry,
        cors_origins=app.settings.cors_origins,
        tracer=app.tracer,
    )


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What the router itself refuses, in the shape of every other refusal."""
    answer = answer_for(reworded(error), traced(request.scope))
    headers = dict(answer.headers)
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=JSON)
