"""The router: one endpoint for a path and method, or the reason why there is none."""

import pytest

from bursar.api.errors import METHOD_NOT_ALLOWED, Protocol
from bursar.api.router import Endpoint, Message, Router, Wire
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer


def told(name: str, answer: Answer | None = None) -> Endpoint:
    method, _, path = name.partition(" ")

    async def act(wire: Wire) -> Answer:
        params = " ".join(f"{key}={value}" for key, value in wire.path_params.items())
        return answer or Answer(200, f"{name} {params}".strip().encode())

    return Endpoint(method, path, act)


ROUTER = Router(
    [
        told("GET /things"),
        told("POST /things"),
        told("GET /things/{thingId}"),
        told("GET /things/latest"),
        told("GET /things/{thingId}/parts/{partId}"),
        told("DELETE /things/{thingId}", Answer(204, b"")),
        told("GET /page", Answer(200, b"hi", (("Content-Type", "text/html"), ("ETag", '"1"')))),
    ]
)


async def sent(method: str, path: str) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await ROUTER({"type": "http", "method": method, "path": path}, receive, send)
    return messages


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/things", "GET /things"),
        ("POST", "/things", "POST /things"),
        ("GET", "/things/7", "GET /things/{thingId} thingId=7"),
        ("GET", "/things/latest", "GET /things/latest"),
        (
            "GET",
            "/things/latest7/parts/b",
            "GET /things/{thingId}/parts/{partId} thingId=latest7 partId=b",
        ),
    ],
)
async def test_a_path_has_one_endpoint(method: str, path: str, body: str) -> None:
    # What is spelled out wins over a parameter, and parameters keep their names.
    assert (await sent(method, path))[1]["body"].decode() == body


@pytest.mark.parametrize("path", ["/", "/thing", "/things/1/parts", "/things/1/parts/2/3", ""])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    # Also one that only leads to other paths.
    with pytest.raises(NotFound):
        await sent("GET", path)


async def test_another_method_is_told_which_there_are() -> None:
    # HEAD is answered wherever GET is.
    with pytest.raises(Protocol) as refused:
        await sent("PUT", "/things/7")
    assert refused.value.code is METHOD_NOT_ALLOWED
    assert refused.value.allow == "DELETE, GET, HEAD"


async def test_an_answer_is_sent_whole() -> None:
    # JSON unless it says otherwise, its length told; no content has neither.
    start, _ = await sent("GET", "/things")
    assert start["headers"] == [(b"content-type", b"application/json"), (b"content-length", b"11")]
    start, body = await sent("GET", "/page")
    assert (b"content-type", b"text/html") in start["headers"]
    assert (b"etag", b'"1"') in start["headers"]
    assert body["body"] == b"hi"
    start, _ = await sent("DELETE", "/things/7")
    assert (start["status"], start["headers"]) == (204, [])


def test_no_path_is_answered_twice() -> None:
    # Which of two would win, nobody could tell.
    with pytest.raises(AssertionError):
        Router([told("GET /a/{x}"), told("GET /a/{y}")])
