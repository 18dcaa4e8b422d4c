"""The HTTP/1.1 connection, with the limits that the server itself does not set.

A head that is too large, too slow or ambiguous ends the connection before any application runs.
Everything that needs no parsing state is in `guard`; this is only what must be decided while the
head still arrives.
"""

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from bursar.api.crowds import Crowd
from bursar.api.errors import (
    CODES,
    HEADERS_TOO_LARGE,
    METHOD_NOT_ALLOWED,
    URI_TOO_LONG,
    Code,
    new_request_id,
)
from bursar.api.exchange import Exchange
from bursar.api.guard import (
    AT_HAND,
    HEADER_COUNT_MAX,
    HEADER_MAX,
    HEADERS_MAX,
    SECURITY_HEADERS,
    URL_MAX,
)
from bursar.domain.refusals import Kind
from bursar.runtime.logging import get_log
from bursar.runtime.settings_text import Proxies

HEAD_SECONDS: Final = 10.0
_HEAD_MAX: Final = URL_MAX + HEADERS_MAX + 1_024
_BAD: Final = CODES[Kind.INVALID]
_METHODS: Final = "GET, HEAD, POST, PATCH, DELETE"
_CROWDED: Final = CODES[Kind.TOO_MANY]
_ONLY_ONCE: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"authorization"})


class HeadRefused(Exception):
    """The head of the request breaks a limit; parsing ends here."""


class GuardedHttp(HttpToolsProtocol):
    """Uvicorn's protocol, refusing what its parser lets through."""

    crowd = Crowd(())

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._refusal = _BAD
        self._is_in_head = True
        self._is_owed = False  # something came, and no head was whole after it
        self._head_bytes = 0
        self._header_bytes = 0
        self._once: set[bytes] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._entered: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._entered = self.crowd.enter(self.client[0] if self.client else "")
        if self._entered is None:
            self._refusal = _CROWDED
            self.send_400_response("Too many connections.")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._entered is not None:
            self.crowd.leave(self._entered)
            self._entered = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_owed = self._is_in_head
        super().data_received(data)
        if self._is_owed and self._timer is None and not self.transport.is_closing():
            self._await_head()
        if was_in_head and self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_MAX:
                self._refusal = HEADERS_TOO_LARGE
                self.send_400_response("The head has no end.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = self._is_owed = True
        self._header_bytes = 0
        self._once = set()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > URL_MAX:
            self._refuse(URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        # As uvicorn's own, which would be one more call for each header.
        key = name.lower()
        self.headers.append((key, value))
        size = len(name) + len(value) + len(b": \r\n")
        self._header_bytes += size
        is_many = len(self.headers) > HEADER_COUNT_MAX
        if is_many or size > HEADER_MAX or self._header_bytes > HEADERS_MAX:
            self._refuse(HEADERS_TOO_LARGE)
        if key == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        if key in _ONLY_ONCE:
            if key in self._once:
                self._refuse(_BAD)
            self._once.add(key)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._is_in_head = self._is_owed = False
        self._head_bytes = 0
        is_ambiguous = {b"content-length", b"transfer-encoding"} <= self._once
        if is_ambiguous or self.parser.get_http_version() != "1.1" or b"host" not in self._once:
            self._refuse(_BAD)
        if self.parser.get_method() == b"CONNECT":
            self._refuse(METHOD_NOT_ALLOWED)
        super().on_headers_complete()
        # Before it begins: its task has yet to run.
        self.cycle.__class__ = Exchange
        self.cycle.scope["state"][AT_HAND] = self.cycle.message_event.is_set

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head = True

    def send_400_response(self, msg: str) -> None:
        """Answers in the shape of every other refusal, and closes."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        request_id = new_request_id()
        get_log().info(
            "http.refused", request_id=request_id, status=self._refusal.status, reason=msg
        )
        body = msgspec.json.encode(
            {
                "error": {
                    "code": self._refusal.code,
                    "message": self._refusal.meaning,
                    "requestId": request_id,
                    "docUrl": f"/docs/errors#{self._refusal.code.lower()}",
                }
            }
        )
        headers = (
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            ("x-request-id", request_id),
            *((("allow", _METHODS),) if self._refusal is METHOD_NOT_ALLOWED else ()),
            *SECURITY_HEADERS,
        )
        head = "".join(f"{name}: {text}\r\n" for name, text in headers)
        self.transport.write(STATUS_LINE[self._refusal.status] + head.encode() + b"\r\n" + body)
        self.transport.close()

    def _refuse(self, refusal: Code) -> None:
        self._refusal = refusal
        raise HeadRefused(refusal.code)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._timer = None
        if self._is_in_head and not self.transport.is_closing():
            self.transport.close()


def guarded_http(proxies: Proxies) -> type[GuardedHttp]:
    """The protocol of a server of its own, which knows its own crowd."""

    class Http(GuardedHttp):
        crowd = Crowd(proxies)

    return Http
