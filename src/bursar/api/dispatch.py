"""From a request to an answer: who asks, what for, may they now, run it, remember it.

The one path that every route of the API takes, so that no route can forget a step. Nothing about a
noun is known here.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from litestar.connection import Request
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from msgspec import Struct

from bursar.api.auth import NOBODY, Credential, credential_of, org_of
from bursar.api.bodies import read_body, read_items
from bursar.api.envelope import JSON
from bursar.api.errors import STORED_KINDS, answer_for
from bursar.api.expanding import EXPAND, expanded
from bursar.api.fields import Nothing
from bursar.api.framework import reworded
from bursar.api.headers import (
    Scope,
    audit_reason,
    content_type,
    expected_version,
    header,
    idempotency_key,
    user_agent,
)
from bursar.api.limits import RequestLimits
from bursar.api.queries import read_query
from bursar.api.routes import ID_PREFIXES, Audience, Call, Method, Route, litestar_path
from bursar.api.streaming import MEDIA, Streamed
from bursar.api.tags import unless_known
from bursar.api.trace import Trace, traced
from bursar.domain.access import actor_label
from bursar.domain.ids import MalformedId, parse_id
from bursar.domain.refusals import (
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidInput,
    NotAuthenticated,
    Refusal,
)
from bursar.runtime.app import App, Caller
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.idempotency import Answer, Idempotency, Replayed
from bursar.runtime.ids import new_uuid

REPLAYED: Final = ("Idempotent-Replayed", "true")
DRY_RUN: Final = "dry_run"
LAST_EVENT_ID: Final = "Last-Event-ID"


class Incoming(Protocol):
    """As much of a request as a route looks at."""

    @property
    def scope(self) -> Any:
        """What came before the body."""
        ...

    @property
    def path_params(self) -> Mapping[str, Any]:
        """What stood in the path."""
        ...

    @property
    def receive(self) -> Callable[[], Awaitable[Any]]:
        """The next piece of the body."""
        ...


Wire = Request[Any, Any, Any]
Act = Callable[[Wire], Awaitable[Answer]]
Failed = Callable[[Exception, Wire], Answer]


class Edge(Struct, frozen=True):
    """What every route stands on."""

    app: App
    limits: RequestLimits


def endpoint(edge: Edge, route: Route) -> HTTPRouteHandler:
    """The route as the router wants it."""

    async def serve(request: Wire) -> Answer:
        return await served(edge, route, request)

    return plain_endpoint(route.method, route.path, serve)


def plain_endpoint(
    method: Method, path: str, act: Act, failed: Failed | None = None
) -> HTTPRouteHandler:
    """A path and what it answers; whatever is raised is answered by `failed`, or in JSON."""

    async def answer(request: Wire) -> ASGIResponse:
        trace = traced(request.scope)
        trace.route = path
        try:
            return response_of(await act(request))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            known = reworded(error)
            return response_of(failed(known, request) if failed else answer_for(known, trace))

    return HTTPRouteHandler(
        litestar_path(path), http_method=method, status_code=200, include_in_schema=False
    )(answer)


def response_of(answer: Answer) -> ASGIResponse:
    """The answer as the framework sends it."""
    if isinstance(answer, Streamed) and answer.pieces is not None:
        return ASGIStreamingResponse(
            iterator=answer.pieces,
            status_code=answer.status,
            headers=dict(answer.headers),
            media_type=MEDIA,
        )
    return ASGIResponse(
        body=answer.body, status_code=answer.status, headers=answer.headers, media_type=JSON
    )


async def body_of(request: Incoming) -> bytes:
    """The request's whole body; the guard bounds it."""
    chunks = []
    while True:
        message: Mapping[str, Any] = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidInput.at("body", "ended before it was whole", "cut_off")
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def served(edge: Edge, route: Route, request: Incoming) -> Answer:
    """The one path that every route takes."""
    credential = await _admitted(edge, route, request.scope, traced(request.scope))
    return await performed(edge, route, request, credential)


async def performed(edge: Edge, route: Route, request: Incoming, credential: Credential) -> Answer:
    """The rest of that path, for somebody who is known and was let in."""
    scope, trace = request.scope, traced(request.scope)
    ids = _ids(route, request.path_params)
    org_id = org_of(credential, route.terms.audience, scope, ids)
    trace.actor, trace.org_id = actor_label(credential.actor), org_id
    raw = await body_of(request) if route.is_write else b""
    query = read_query(scope["query_string"], route.terms.query)
    caller = Caller(
        app=edge.app,
        org_id=org_id,
        actor=credential.actor,
        request_id=trace.request_id,
        reason=audit_reason(scope),
        address=edge.limits.address_of(scope),
        user_agent=user_agent(scope),
        idempotency=_idempotency(route, scope, raw),
        is_dry_run=getattr(query, DRY_RUN, False),
    )
    version = expected_version(scope) if route.terms.is_versioned else None
    last_seen = header(scope, LAST_EVENT_ID) if route.terms.is_resumed else None
    body = _body(route, scope, raw) if route.is_write else None
    answer = await _ran(route, Call(caller, ids, body, query, version, last_seen), trace)
    if route.terms.is_tagged:
        return unless_known(answer, scope)
    wish = getattr(query, EXPAND, None)
    return answer if wish is None else await expanded(caller, answer, wish)


async def _admitted(edge: Edge, route: Route, scope: Scope, trace: Trace) -> Credential:
    """Who asks, once they are known not to ask too often."""
    if route.terms.audience is Audience.ANYONE:
        await edge.limits.admit_address(scope, trace, route.spot)
        return NOBODY
    try:
        credential = await credential_of(edge.app, scope, edge.limits.seen_at(scope))
    except NotAuthenticated:
        await edge.limits.admit_address(scope, trace, route.spot)
        raise
    await edge.limits.admit_actor(credential.actor, route, scope, trace)
    return credential


def _ids(route: Route, given: Mapping[str, str]) -> dict[str, str]:
    assert given.keys() == set(route.parameters), route.path
    for name, text in given.items():
        prefix = ID_PREFIXES[name]
        try:
            parse_id(prefix, text=text)
        except MalformedId:
            raise InvalidInput.at(name, f"expected {prefix}_<uuid>", "wrong_format") from None
    return dict(given)


def _body(route: Route, scope: Scope, raw: bytes) -> object:
    """The body as the route takes it; no body at all counts as an empty one."""
    takes = route.terms.takes or Nothing
    if route.terms.reads is not None:
        return route.terms.reads(raw or b"{}", content_type(scope))
    if route.terms.judges is not None:
        return read_items(raw or b"{}", takes, route.terms.judges)
    return read_body(raw or b"{}", takes)


def _idempotency(route: Route, scope: Scope, raw: bytes) -> Idempotency | None:
    key = idempotency_key(scope) if route.keeps_answers else None
    if key is None:
        return None
    request = hashlib.sha256()
    for part in (route.method.encode(), scope["path"].encode(), scope["query_string"], raw):
        request.update(len(part).to_bytes(4, "big") + part)
    return Idempotency(key, request.digest(), new_uuid())


async def _ran(route: Route, call: Call[Any, Any], trace: Trace) -> Answer:
    """Run the route; what an idempotency key must remember or let go of is settled here."""
    try:
        return await route.act(call)
    except Replayed as replayed:
        trace.is_replay = True
        answer = replayed.answer
        return Answer(answer.status, answer.body, (*answer.headers, REPLAYED))
    except (IdempotencyInProgress, IdempotencyMismatch):
        raise  # the key is another request's: nothing of it is ours to settle
    except (Exception, asyncio.CancelledError) as failed:
        if call.caller.idempotency is None or call.caller.is_dry_run:
            raise
        return await _settled(call.caller, failed, trace)


async def _settled(caller: Caller, failed: BaseException, trace: Trace) -> Answer:
    """A decided refusal is kept for the key; any other failure lets a retry go on at once."""
    if isinstance(failed, Refusal) and failed.kind in STORED_KINDS:
        answer = answer_for(failed, trace)
        try:
            await caller.remember(answer)
        except DatabaseAway:
            await caller.release()
            raise
        return answer
    await caller.release()
    raise failed
