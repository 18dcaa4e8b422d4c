"""From a path and a method to what answers them, and the answer onto the wire.

A tree of path segments, built once; a segment that is spelled out wins over a parameter. Knows no
noun and no rule of the API: an endpoint is given the request and gives a whole answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from bursar.api.envelope import JSON
from bursar.api.errors import METHOD_NOT_ALLOWED, Protocol
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON: Final = (b"content-type", JSON.encode())
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Wire:
    """One request as it came: its head, the rest of it, and what its path names."""

    scope: Scope
    receive: Receive
    path_params: Mapping[str, str]

    @property
    def method(self) -> str:
        """GET stands for HEAD, too."""
        method: str = self.scope["method"]
        return method


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path such as `/v1/invoices/{invoiceId}`, a method, and what answers."""

    method: str
    path: str
    answer: Callable[[Wire], Awaitable[Answer]]


@dataclass(slots=True)
class _Place:
    """A place in the tree: what follows it, and what answers there."""

    named: dict[str, "_Place"] = field(default_factory=dict)
    any_other: "_Place | None" = None
    endpoints: dict[str, tuple[Endpoint, tuple[str, ...]]] = field(default_factory=dict)

    def next(self, segment: str) -> "_Place":
        """The place behind this segment of a path, made when it is new."""
        if not segment.startswith("{"):
            return self.named.setdefault(segment, _Place())
        if self.any_other is None:
            self.any_other = _Place()
        return self.any_other


class Router:
    """The ASGI application over all endpoints."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Place()
        for endpoint in endpoints:
            self._add(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            NotFound: no such path.
            Protocol: the path answers to other methods.
        """
        assert scope["type"] == "http", "nothing else is let in"
        endpoint, params = self._found(scope["path"], scope["method"])
        await send_answer(send, await endpoint.answer(Wire(scope, receive, params)))

    def _add(self, endpoint: Endpoint) -> None:
        place, names = self._root, []
        for segment in endpoint.path.split("/")[1:]:
            place = place.next(segment)
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
        assert endpoint.method not in place.endpoints, f"{endpoint.path} is answered twice"
        place.endpoints[endpoint.method] = endpoint, tuple(names)

    def _found(self, path: str, method: str) -> tuple[Endpoint, dict[str, str]]:
        place = self._root
        values: list[str] = []
        for segment in path.split("/")[1:]:
            following = place.named.get(segment)
            if following is None:
                following = place.any_other
                values.append(segment)
            if following is None:
                raise NotFound("No such path.")
            place = following
        if method not in place.endpoints:
            raise _refusal(place)
        endpoint, names = place.endpoints[method]
        return endpoint, dict(zip(names, values, strict=True))


def _refusal(place: _Place) -> Exception:
    if not place.endpoints:
        return NotFound("No such path.")
    known = {*place.endpoints, *(["HEAD"] if "GET" in place.endpoints else [])}
    allow = ", ".join(sorted(known))
    return Protocol(METHOD_NOT_ALLOWED, f"This path answers to {allow}.", allow=allow)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send the whole answer; JSON, unless it says otherwise."""
    headers = [(name.lower().encode(), text.encode()) for name, text in answer.headers]
    if answer.status != _NO_CONTENT:
        if not any(name == b"content-type" for name, _ in headers):
            headers.append(_JSON)
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
