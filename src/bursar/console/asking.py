"""How a page asks and a button acts: by the API's own routes, as the person who is signed in.

A route brings its permission, its checks, its limits and its words with it, so the console cannot
show or change anything that the same person could not over HTTP. Nothing is asked around them.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, field

from bursar.api.auth import ORG_HEADER, Credential
from bursar.api.dispatch import Edge, performed
from bursar.api.errors import answer_for
from bursar.api.headers import Scope
from bursar.api.rooms import ROUTES
from bursar.api.routes import Route
from bursar.api.trace import Trace
from bursar.domain.ids import OrgId
from bursar.runtime.idempotency import Answer

BY_NAME: Final[Mapping[str, Route]] = {route.name: route for route in ROUTES}
_KEPT: Final = frozenset({b"user-agent", b"x-forwarded-for", b"host", b"last-event-id"})
_OWN_PREFIX: Final = "bursar."
_ERRORS_FROM: Final = 400
_TRACE: Final = "bursar.trace"


class Question(Struct, frozen=True, kw_only=True):
    """One call of a route: what stands in its path, its query, its body and its headers."""

    route: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    reason: str = ""
    key: str = ""
    version: int | None = None

    @property
    def path(self) -> str:
        """The path as a program would ask for it."""
        path = BY_NAME[self.route].path
        for name, text in self.ids.items():
            path = path.replace("{" + name + "}", text)
        return path

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def headers(self, org_id: OrgId | None) -> list[tuple[bytes, bytes]]:
        """What goes with it; a reason is UTF-8."""
        told = {
            ORG_HEADER: org_id or "",
            "x-audit-reason": self.reason,
            "idempotency-key": self.key,
            "if-match": "" if self.version is None else f'"{self.version}"',
        }
        return [(name.encode(), text.encode()) for name, text in told.items() if text]


class AnsweredNo(Exception):
    """The route answered with an error instead of raising it: it is kept for the form's key."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def no_of(error: Exception, trace: Trace) -> Answer:
    """What the API says to whatever went wrong."""
    return error.answer if isinstance(error, AnsweredNo) else answer_for(error, trace)


class Asker(Struct, frozen=True):
    """Somebody signed in, who may be in an organization."""

    edge: Edge
    scope: Scope
    credential: Credential
    org_id: OrgId | None = None

    async def answer(self, question: Question) -> Answer:
        """What the route answers.

        Raises:
            Refusal: whatever the route refuses.
            AnsweredNo: the same, where its answer is kept for the key that came with it.
        """
        route = BY_NAME[question.route]
        raw = b"" if question.body is None else msgspec.json.encode(question.body)
        request = _Inner(self._scope(question), dict(question.ids), raw)
        answer = await performed(self.edge, route, request, self.credential)
        if answer.status >= _ERRORS_FROM:
            raise AnsweredNo(answer)
        return answer

    async def ask(self, question: Question) -> dict[str, Any]:
        """The whole answer, decoded: `data`, and `meta` where there is one; empty if it is not."""
        answer = await self.answer(question)
        found: dict[str, Any] = msgspec.json.decode(answer.body) if answer.body else {}
        return found

    async def get(self, route: str, **ids: str) -> Any:
        """The `data` of a plain question."""
        return (await self.ask(Question(route=route, ids=ids)))["data"]

    def _scope(self, question: Question) -> Scope:
        kept = [pair for pair in self.scope["headers"] if pair[0] in _KEPT]
        bare = {
            name: value
            for name, value in self.scope.items()
            if name == _TRACE or not name.startswith(_OWN_PREFIX)
        }
        return bare | {
            "path": question.path,
            "query_string": urlencode(question.query).encode(),
            "headers": [*kept, *question.headers(self.org_id)],
        }


class _Inner:
    """A request that never was on the wire."""

    def __init__(self, scope: Scope, ids: dict[str, str], raw: bytes) -> None:
        self.scope = scope
        self.path_params = ids
        self._raw = raw

    async def receive(self) -> dict[str, Any]:
        """The whole body."""
        return {"type": "http.request", "body": self._raw, "more_body": False}
