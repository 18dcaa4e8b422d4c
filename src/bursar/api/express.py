"""Express: routes so busy that the framework is passed by.

One takes the very path that every route takes (credential, limits, body, key, errors); only
finding the route and sending the answer are its own. A route with parameters is none of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bursar.api.dispatch import Edge, served
from bursar.api.envelope import JSON
from bursar.api.errors import answer_for
from bursar.api.guard import AsgiApp, Receive, Scope, Send
from bursar.api.routes import Route
from bursar.api.trace import traced
from bursar.runtime.idempotency import Answer


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """One request, as much of it as a route looks at."""

    scope: Scope
    receive: Receive
    path_params: Mapping[str, Any] = field(default_factory=dict)


class Express:
    """Serves the busy routes, and hands everything else on."""

    def __init__(self, edge: Edge, routes: Iterable[Route], beyond: AsgiApp) -> None:
        self._edge = edge
        self._beyond = beyond
        self._routes = {(each.method, each.path): each for each in routes if each.terms.is_express}
        assert not any(route.parameters for route in self._routes.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = (scope.get("method"), scope.get("path"))
        route = self._routes.get(place)  # type: ignore[arg-type]  # any pair may be looked for
        if route is None:
            await self._beyond(scope, receive, send)
            return
        trace = traced(scope)
        trace.route = route.path
        try:
            answer = await served(self._edge, route, PlainRequest(scope, receive))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            answer = answer_for(error, trace)
        await _send(send, answer)


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.lower().encode(), text.encode()) for name, text in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
