"""One request and its answer, as the server holds them: a whole answer leaves in one write.

Head and body in two writes cost the server a second system call and its caller a second awakening.
So the head of an answer that says how long it is waits for its body. Whatever is answered in any
other way (a stream, a HEAD, the last of a connection) goes the server's own way.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HEADER_RE, STATUS_LINE, RequestResponseCycle

from bursar.api.guard import ALWAYS

_LENGTH: Final = b"content-length: "
_OWN_WAY: Final = frozenset({b"connection: ", b"transfer-encoding: "})
_NAMES_REMEMBERED: Final = 256
_END: Final = b"\r\n"
_CONTROLS: Final = bytes((*range(9), *range(10, 32), 127))  # all but the tab
_ALWAYS_WRITTEN: Final = b"".join(b"%b: %b\r\n" % line for line in ALWAYS) + _END


class Exchange(RequestResponseCycle):
    """Uvicorn's own, with a shorter way for answers that are whole."""

    _head: bytes | None = None  # of an answer whose body is about to come

    async def send(self, message: ASGISendEvent) -> None:
        """One message of the answer.

        Raises:
            RuntimeError: a header is none, or the body has another length than the head says.
        """
        if message["type"] == "http.response.start" and not self.response_started:
            self._head = self._held(message["status"], [*message.get("headers", ())])
            if self._head is not None:
                return
        elif message["type"] == "http.response.body" and self._head and not self.disconnected:
            head, self._head = self._head, None
            body = message.get("body", b"")
            if len(body) == self.expected_content_length and not message.get("more_body", False):
                self._answer(head + body)
                return
            self.transport.write(head)
        await super().send(message)

    def _held(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
        """The head of an answer that will be whole; None when it goes the server's own way."""
        is_free = not (self.disconnected or self.flow.write_paused)
        if not (self.keep_alive and is_free) or self.scope["method"] == "HEAD":
            return None
        is_usual = headers[-len(ALWAYS) :] == ALWAYS
        named = headers[: -len(ALWAYS)] if is_usual else headers
        length, parts, count = None, [STATUS_LINE[status]], 2
        for name, text in (*self.default_headers, *named):
            begun = _begun(name)
            if begun in _OWN_WAY:
                return None
            if begun == _LENGTH:
                length = int(text)
            parts += (begun, text, _END)
            count += 1
        if length is None:
            return None
        head = b"".join((*parts, _END))
        if len(head.translate(None, _CONTROLS)) != len(head) - count * len(_END):
            raise RuntimeError("Invalid HTTP header value.")
        if is_usual:
            head = head[: -len(_END)] + _ALWAYS_WRITTEN
        self.response_started, self.waiting_for_100_continue = True, False
        self.chunked_encoding, self.expected_content_length = False, length
        return head

    def _answer(self, whole: bytes) -> None:
        self.transport.write(whole)
        self.expected_content_length, self.response_complete = 0, True
        self.message_event.set()
        self.on_response()


@lru_cache(_NAMES_REMEMBERED)
def _begun(name: bytes) -> bytes:
    """How the line of a header begins: the same few names come again."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    return name.lower() + b": "
