"""The first to see a request and the last to see its answer.

Refuses what no route should have to think about: header floods, foreign hosts, bodies that are too
large, too slow or of a type nobody reads. Gives every request an id, every answer the same security
headers, and the log one line. Whatever escapes from below becomes a 500 without a word of why.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager, suppress
from functools import lru_cache
from ipaddress import ip_address
from itertools import chain
from typing import Any, Final

from opentelemetry.trace import Span, Status, StatusCode, Tracer

from bursar.api.cors import Cors
from bursar.api.errors import (
    HEADERS_TOO_LARGE,
    URI_TOO_LONG,
    Protocol,
    answer_for,
    kept_request_id,
    new_request_id,
)
from bursar.api.headers import content_type, header, headers_of, parent_of, trace_of
from bursar.api.trace import Trace, begin
from bursar.domain.refusals import InvalidInput, NotFound, PayloadTooLarge, UnsupportedMedia
from bursar.runtime import tracing
from bursar.runtime.clock import monotonic
from bursar.runtime.deadlines import Deadline
from bursar.runtime.idempotency import Answer
from bursar.runtime.logging import bound, get_log
from bursar.runtime.telemetry import Telemetry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

AT_HAND: Final = "bursar.at_hand"
"""Where the server says, in the scope's state, whether something came that `receive` gives."""

BODY_MAX: Final = 1_048_576
BODY_SECONDS: Final = 15.0
REQUEST_SECONDS_MAX: Final = 30.0
URL_MAX: Final = 8_192
HEADER_MAX: Final = 8_192
HEADERS_MAX: Final = 32_768
HEADER_COUNT_MAX: Final = 100

_JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
_LINES: Final = "application/x-ndjson"
_LANES: Final = frozenset({"/v1/usage/batch"})
_FORM: Final = "application/x-www-form-urlencoded"
_CLOSING: Final = ("connection", "close")
_SERVER_FAULT: Final = 500
_DRAIN_MAX: Final = 32 * BODY_MAX
_DRAIN_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 1.0
_UNKNOWN_METHOD: Final = "TRACE"
_HOOKS: Final = "/webhooks/"
_PROBED: Final = frozenset({"/metrics", "/health", "/health/live", "/health/ready"})
_HOSTS_REMEMBERED: Final = 256
_FORMS: Final = ("/i/", "/account/", "/console", "/admin/")

SECURITY_HEADERS: Final = (
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("cache-control", "no-store"),
)
# How the head of most answers ends; these very pairs, so that one comparison knows them again.
ALWAYS: Final = [(name.encode(), text.encode()) for name, text in SECURITY_HEADERS]
_ALWAYS_NAMED: Final = frozenset(name for name, _ in ALWAYS)
_CLOSED: Final = {name.encode(): text.encode() for name, text in (_CLOSING,)}

log = get_log()


class Guard:
    """The outermost ASGI application."""

    def __init__(
        self,
        app: AsgiApp,
        *,
        allowed_hosts: tuple[str, ...],
        telemetry: Telemetry,
        cors_origins: tuple[str, ...] = (),
        tracer: Tracer | None = None,
    ) -> None:
        self._app = app
        self._hosts = allowed_hosts
        self._telemetry = telemetry
        self._cors = Cors(cors_origins)
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._guarded(scope, receive, send)
            case "lifespan":
                await self._app(scope, receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1008})

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = monotonic()
        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # the server looks at its own for what it sends
        trace = begin(scope, _request_id(scope))
        inlet = Inlet(
            receive,
            is_awaited=_has_body(scope),
            is_sent=not _waits_for_word(scope),
            is_at_hand=scope.get("state", {}).get(AT_HAND, _never),
        )
        outlet = Outlet(send, trace, inlet, is_bodiless=method == "HEAD")
        with self._traced(scope, trace) as span, bound(**_names(scope, trace)):
            try:
                await self._answered(scope, inlet, outlet, trace)
            except Exception as error:  # noqa: BLE001 - the last place where anything can be answered
                await outlet.answer(answer_for(error, trace))
            finally:
                self._tell(trace, method, monotonic() - began)
                if span is not None:
                    _describe(span, trace, method)

    def _traced(self, scope: Scope, trace: Trace) -> AbstractContextManager[Span | None]:
        """The request as a span, if anybody listens; its name comes with its route."""
        given = None if self._tracer is None else parent_of(scope)
        return tracing.request(
            self._tracer, name="http", request_id=trace.request_id, traceparent=given
        )

    async def _answered(self, scope: Scope, inlet: "Inlet", outlet: "Outlet", trace: Trace) -> None:
        try:
            _refuse(scope, self._hosts)
        except Exception:
            trace.headers.append(_CLOSING)
            raise
        trace.headers += self._cors.headers(scope)
        preflight = self._cors.preflight(scope)
        if preflight is not None:
            await outlet.answer(preflight)
            return
        if scope["method"] == "OPTIONS":
            # The router would answer this by itself, and name some of the path's methods only.
            scope["method"] = _UNKNOWN_METHOD
        with Deadline(REQUEST_SECONDS_MAX):
            await self._app(scope, inlet, outlet)

    def _tell(self, trace: Trace, method: str, seconds: float) -> None:
        known = method if method in _METHODS else "OTHER"
        self._telemetry.request(
            method=known, route=trace.route, status=trace.status, seconds=seconds
        )
        if trace.is_broken:
            self._telemetry.unhandled(where="api")
        if trace.is_replay:
            self._telemetry.replay()
        log.info(
            "http.request",
            method=known,
            route=trace.route,
            status=trace.status,
            duration_ms=round(seconds * 1000, 1),
            org_id=trace.org_id,
            actor=trace.actor,
            is_replay=trace.is_replay,
        )


class Inlet:
    """The request's body, as much and as slow as it may be."""

    def __init__(
        self,
        receive: Receive,
        *,
        is_awaited: bool,
        is_sent: bool,
        is_at_hand: Callable[[], bool],
    ) -> None:
        self._receive = receive
        self._is_at_hand = is_at_hand
        self._is_awaited = is_awaited
        self._is_sent = is_sent
        self._length = 0
        self._deadline = monotonic() + BODY_SECONDS
        self._is_whole = False

    @property
    def is_left(self) -> bool:
        """Whether some of the body was not read: what follows on the line is not a request."""
        return self._is_awaited and not self._is_whole

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        message = await (self._receive() if self._is_at_hand() else self._awaited())
        self._take(message)
        if self._length > BODY_MAX:
            raise too_large()
        return message

    async def _awaited(self) -> Message:
        try:
            with Deadline(self._deadline - monotonic()):
                return await self._receive()
        except TimeoutError:
            raise InvalidInput.at("body", "did not arrive in time", "too_slow") from None

    async def drain(self) -> None:
        """Read what is left of the body and keep none of it, so that its sender hears the answer.

        A connection that is closed over unread bytes is reset, and the answer is lost with it.
        Whoever waits for our word before sending the body hears the answer instead of it.
        """
        if not self._is_sent:
            return
        deadline = monotonic() + _DRAIN_SECONDS
        with suppress(TimeoutError):
            while self.is_left and self._length < _DRAIN_MAX:
                with Deadline(min(_SILENCE_SECONDS, deadline - monotonic())):
                    self._take(await self._receive())

    def _take(self, message: Message) -> None:
        self._length += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)


class Outlet:
    """The way out: completes the headers of whatever is answered, and remembers the status."""

    def __init__(self, send: Send, trace: Trace, inlet: Inlet, *, is_bodiless: bool) -> None:
        self._send = send
        self._trace = trace
        self._inlet = inlet
        self._is_bodiless = is_bodiless

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._inlet.is_left:
                await self._inlet.drain()
            self._trace.status = message["status"]
            message["headers"] = self._completed(message["headers"])
        elif self._is_bodiless and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Sends this answer, unless another has begun."""
        if self._trace.status:
            return
        headers = [(name.lower().encode(), text.encode()) for name, text in answer.headers]
        if answer.body:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(answer.body)).encode()))
        with suppress(OSError):  # whoever asked may be gone
            await self({"type": "http.response.start", "status": answer.status, "headers": headers})
            await self({"type": "http.response.body", "body": answer.body})

    def _completed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        added = {b"x-request-id": self._trace.request_id.encode()}
        for name, text in self._trace.headers:
            added[name.encode()] = text.encode()
        if self._inlet.is_left:
            added.update(_CLOSED)
        present = {name.lower() for name, _ in headers}
        own = [line for line in added.items() if line[0] not in present]
        present |= added.keys()
        if present.isdisjoint(_ALWAYS_NAMED):
            return [*headers, *own, *ALWAYS]
        return [*headers, *own, *(line for line in ALWAYS if line[0] not in present)]


def _never() -> bool:
    return False


def too_large() -> PayloadTooLarge:
    """The body is over the limit."""
    return PayloadTooLarge(f"The body is larger than {BODY_MAX} bytes.")


def _names(scope: Scope, trace: Trace) -> dict[str, str]:
    """What every log line of this request carries."""
    trace_id = trace_of(scope)
    told = {} if trace_id is None else {"trace_id": trace_id}
    return {"request_id": trace.request_id, **told, **tracing.names()}


def _describe(span: Span, trace: Trace, method: str) -> None:
    """Name a span when its route is known; an id or a query is never in it."""
    known = method if method in _METHODS else "OTHER"
    span.update_name(f"{known} {trace.route}" if trace.route else known)
    span.set_attribute("http.request.method", known)
    span.set_attribute("http.response.status_code", trace.status)
    span.set_attribute("bursar.request_id", trace.request_id)
    if trace.route:
        span.set_attribute("http.route", trace.route)
    if trace.status >= _SERVER_FAULT:
        span.set_status(Status(StatusCode.ERROR))


def _request_id(scope: Scope) -> str:
    given = headers_of(scope).get("x-request-id")
    kept = None if given is None else kept_request_id(given)
    return kept or new_request_id()


def _refuse(scope: Scope, hosts: tuple[str, ...]) -> None:
    """Refuse the request for what its first lines say.

    Raises:
        Refusal: or `Protocol`, with the reason.
    """
    _refuse_size(scope)
    _refuse_host(scope, hosts)
    path = scope["path"]
    if path != "/" and (path.endswith("/") or "//" in path):
        raise NotFound("No such path.")
    _refuse_body(scope, path)


def _refuse_size(scope: Scope) -> None:
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > URL_MAX:
        raise Protocol(URI_TOO_LONG, f"The URL is longer than {URL_MAX} bytes.")
    headers = scope["headers"]
    around = len(b": \r\n")
    length = sum(map(len, chain.from_iterable(headers))) + around * len(headers)
    # Where all of them together are no longer than one may be, none is.
    longest = 0 if length <= HEADER_MAX else max(len(name) + len(value) for name, value in headers)
    if len(headers) > HEADER_COUNT_MAX or length > HEADERS_MAX or longest > HEADER_MAX - around:
        raise Protocol(HEADERS_TOO_LARGE, "The headers are larger than this server reads.")


def _refuse_host(scope: Scope, hosts: tuple[str, ...]) -> None:
    given = header(scope, "Host")
    if given is not None and scope["path"] in _PROBED and _is_address(given):
        return  # whoever watches replicas asks each by its address; a stranger's page has a name
    if given is None or not is_allowed_host(given, hosts):
        raise InvalidInput.at("Host", "is not a name of this server", "unknown_host")


def _is_address(given: str) -> bool:
    inside, bracket, _ = given.removeprefix("[").partition("]")
    host = inside if bracket and given.startswith("[") else given.partition(":")[0]
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(_HOSTS_REMEMBERED)
def is_allowed_host(given: str, hosts: tuple[str, ...]) -> bool:
    """Whether a `Host` header names one of these hosts, on whatever port."""
    host, colon, port = given.lower().rpartition(":")
    if not colon or given.endswith("]"):
        host, port = given.lower(), "0"
    if not (port.isascii() and port.isdigit()):
        return False
    return any(
        host == known or (known.startswith("*.") and host.endswith(known[1:])) for known in hosts
    )


def _refuse_body(scope: Scope, path: str) -> None:
    if (header(scope, "Content-Encoding") or "identity").lower() != "identity":
        raise UnsupportedMedia("Request bodies are not compressed here.")
    length = header(scope, "Content-Length")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise InvalidInput.at("Content-Length", "expected a number")
    if length is not None and int(length[:20]) > BODY_MAX:
        raise too_large()
    if not _has_body(scope) or scope["method"] == "GET" or path.startswith(_HOOKS):
        return
    expected = {_FORM} if path.startswith(_FORMS) else _JSON_TYPES
    given = content_type(scope)
    if given not in expected and not (given == _LINES and path in _LANES):
        raise UnsupportedMedia(f"The body must be {min(expected)}.")


def _has_body(scope: Scope) -> bool:
    given = headers_of(scope)
    return "transfer-encoding" in given or given.get("content-length", "0") != "0"


def _waits_for_word(scope: Scope) -> bool:
    return "expect" in headers_of(scope)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
