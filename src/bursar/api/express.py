"""Express: routes so busy, or so simple, that the framework is passed by.

One takes the very path that every route takes (credential, limits, body, key, errors); only
finding the route and sending the answer are its own. No other route may answer to the same path.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bursar.api.dispatch import Edge, served
from bursar.api.envelope import JSON
from bursar.api.errors import answer_for
from bursar.api.guard import AsgiApp, Receive, Scope, Send
from bursar.api.plain import send_answer
from bursar.api.routes import Route
from bursar.api.trace import traced


class PlainRequest(Struct, frozen=True):
    """One request, as much of it as a route looks at."""

    scope: Scope
    receive: Receive
    path_params: Mapping[str, Any]


class Express:
    """Serves the busy routes, and hands everything else on."""

    def __init__(self, edge: Edge, routes: Sequence[Route], beyond: AsgiApp) -> None:
        self._edge = edge
        self._beyond = beyond
        busy = [route for route in routes if route.terms.is_express or _is_simple(route)]
        self._plain = {each.spot: each for each in busy if not each.parameters}
        self._patterns = [(_pattern(each), each) for each in busy if each.parameters]
        others = [each.spot for each in routes if not each.parameters]
        assert not any(pattern.fullmatch(spot) for pattern, _ in self._patterns for spot in others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._found(f"{scope.get('method')} {scope.get('path')}")
        if found is None:
            await self._beyond(scope, receive, send)
            return
        route, ids = found
        trace = traced(scope)
        trace.route = route.path
        try:
            answer = await served(self._edge, route, PlainRequest(scope, receive, ids))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            answer = answer_for(error, trace)
        await send_answer(send, answer)

    def _found(self, spot: str) -> tuple[Route, Mapping[str, str]] | None:
        """The busy route at this spot, and the ids in its path."""
        plain = self._plain.get(spot)
        if plain is not None:
            return plain, {}
        for pattern, route in self._patterns:
            match = pattern.fullmatch(spot)
            if match is not None:
                return route, match.groupdict()
        return None


def _is_simple(route: Route) -> bool:
    """A question whose path says all and whose answer is one piece of JSON: a list, mostly."""
    terms = route.terms
    is_json = terms.media == JSON and terms.or_media is None and not terms.is_resumed
    return route.method == "GET" and not route.parameters and is_json


def _pattern(route: Route) -> re.Pattern[str]:
    """Method and path, with whatever stands in a segment as the parameter it is."""
    parts = (_segment(part) for part in route.spot.split("/"))
    return re.compile("/".join(parts), re.DOTALL)


def _segment(part: str) -> str:
    return f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
