"""The way of one answer to its socket: few writes, nothing lost, nothing late, nothing smuggled."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from bursar.api.exchange import Exchange
from bursar.api.guard import ALWAYS

OK = (b"content-type", b"application/json"), (b"content-length", b"4")


class Socket(asyncio.Transport):
    """The wire: remembers what was written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


class Line:
    """A connection with one request on it."""

    def __init__(self, method: str = "GET", *, keep_alive: bool = True) -> None:
        self.socket = Socket()
        self.answers = 0
        log = logging.getLogger("uvicorn.error")
        scope: Any = {"type": "http", "method": method}
        self.exchange = Exchange(
            scope=scope,
            transport=self.socket,
            flow=FlowControl(self.socket),
            logger=log,
            access_logger=log,
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self._answered,
        )

    async def start(self, *headers: tuple[bytes, bytes]) -> None:
        await self.exchange.send(
            {"type": "http.response.start", "status": 200, "headers": list(headers)}
        )

    async def body(self, body: bytes, *, more: bool = False) -> None:
        await self.exchange.send({"type": "http.response.body", "body": body, "more_body": more})

    def _answered(self) -> None:
        self.answers += 1


HEAD = b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: application/json\r\ncontent-length: 4\r\n"


async def test_what_every_answer_says_is_written_as_anything_else_is() -> None:
    # At the end of a head it is written at once, elsewhere line by line: the same lines, each once.
    usual, other = Line(), Line()
    await usual.start(*OK, *ALWAYS)
    await usual.body(b"body")
    await other.start(*ALWAYS, *OK)
    await other.body(b"body")
    said = b"".join(name + b": " + text + b"\r\n" for name, text in ALWAYS)
    assert usual.socket.written == [HEAD + said + b"\r\nbody"]
    assert sorted(usual.socket.written[0].split(b"\r\n")) == sorted(
        other.socket.written[0].split(b"\r\n")
    )


async def test_what_comes_before_it_is_still_looked_at() -> None:
    # A line break smuggled into a header before it ends the answer, not the header.
    with pytest.raises(RuntimeError, match="Invalid HTTP header value"):
        await Line().start(*OK, (b"x-own", b"a\r\nset-cookie: b"), *ALWAYS)


async def test_head_and_body_leave_together() -> None:
    # An answer that says how long it is costs one write, and then it is over.
    line = Line()
    await line.start(*OK)
    assert line.socket.written == []
    await line.body(b"body")
    assert line.socket.written == [HEAD + b"\r\nbody"]
    assert (line.answers, line.exchange.response_complete) == (1, True)
    with pytest.raises(RuntimeError, match="already completed"):
        await line.body(b"body")


async def test_a_stream_begins_before_its_first_event() -> None:
    # Whoever opens a stream hears that it is open, however long nothing happens; the rest flows on.
    line = Line()
    await line.start((b"content-type", b"text/event-stream"))
    assert len(line.socket.written) == 1
    await line.body(b"one", more=True)
    assert line.socket.written[1:] == [b"3\r\none\r\n"]


async def test_a_body_in_pieces_comes_whole() -> None:
    # What says how long it is may still come in several writes; it ends with the last of them.
    line = Line()
    await line.start(*OK)
    await line.body(b"bo", more=True)
    await line.body(b"dy")
    assert b"".join(line.socket.written) == HEAD + b"\r\nbody"
    assert line.answers == 1


@pytest.mark.parametrize("body", [b"", b"bod", b"bodies"])
async def test_a_body_of_another_length_is_refused(body: bytes) -> None:
    # What follows on the line would be read as part of this answer, or the other way round.
    line = Line()
    await line.start(*OK)
    with pytest.raises(RuntimeError, match="Content-Length"):
        await line.body(body)
    assert line.answers == 0


async def test_the_last_answer_of_a_connection_says_so() -> None:
    # Whoever is about to be hung up on is told, whoever wanted it so.
    for line, headers in ((Line(keep_alive=False), OK), (Line(), (*OK, (b"connection", b"close")))):
        await line.start(*headers)
        await line.body(b"body")
        assert b"\r\nconnection: close\r\n" in b"".join(line.socket.written)
        assert line.socket.is_closed


async def test_an_answer_to_head_has_no_body() -> None:
    # The head says how long the body would be, and the answer is over with it.
    line = Line("HEAD")
    await line.start(*OK)
    await line.body(b"")
    assert b"".join(line.socket.written) == HEAD + b"\r\n"
    assert line.answers == 1


@pytest.mark.parametrize("text", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb", b"a\0b", b"\x7f"])
async def test_nobody_smuggles_a_header(text: bytes) -> None:
    # A value that ends its line would say more than it was asked to.
    line = Line()
    with pytest.raises(RuntimeError, match="header value"):
        await line.start(*OK, (b"x-note", text))
    assert line.socket.written == []


async def test_nobody_smuggles_a_name() -> None:
    # A name that ends its line would do the same.
    line = Line()
    with pytest.raises(RuntimeError, match="header name"):
        await line.start(*OK, (b"x-note: a\r\nb", b"c"))
    assert line.socket.written == []


async def test_nothing_is_said_to_who_is_gone() -> None:
    # The line may belong to nobody by now.
    line = Line()
    line.exchange.disconnected = True
    await line.start(*OK)
    await line.body(b"body")
    assert line.socket.written == []


async def test_nothing_is_said_to_who_left_meanwhile() -> None:
    # Also when they left between the head and the body.
    line = Line()
    await line.start(*OK)
    line.exchange.disconnected = True
    await line.body(b"body")
    assert (line.socket.written, line.answers) == ([], 0)
