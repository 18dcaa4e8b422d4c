"""The guard: what no route has to think about."""

import asyncio
import re
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import pytest
from structlog.testing import capture_logs
from tests.api.client import Client
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things
from tests.support.world import Org, World

from bursar.api import guard
from bursar.api.asgi import build_api
from bursar.api.errors import kept_request_id, new_request_id
from bursar.api.explorer import EXPLORER_PATHS
from bursar.api.guard import BODY_MAX, SECURITY_HEADERS, Guard, is_allowed_host
from bursar.domain.frozen import replace
from bursar.runtime.logging import carry
from bursar.runtime.telemetry import Telemetry

LOGIN = "/v1/auth/login"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost:80:80", "localhost:x", "", "[::1", "*"],
)
async def test_hosts_that_are_not_ours(host: str, anyone: Client) -> None:
    # A request for another host is none of ours, and no link is ever built from that name.
    answer = await anyone.get("/health/live", host=host)
    assert (answer.status, answer.fields) == (400, {"Host"})


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1", "[::1]:3000"])
async def test_hosts_that_are_ours(host: str, anyone: Client) -> None:
    # Our own names are known on any port.
    assert (await anyone.get("/health/live", host=host)).status == 200


@pytest.mark.parametrize("path", ["/metrics", "/health", "/health/live", "/health/ready"])
async def test_whoever_watches_asks_by_address(path: str, anyone: Client) -> None:
    # A replica is probed and scraped by its address, which no name could be made to lead to.
    for host in ("10.1.2.3:3000", "[2001:db8::7]:3000"):
        assert (await anyone.get(path, host=host)).status == 200
        assert (await anyone.get("/docs/json", host=host)).status == 400
    assert (await anyone.get(path, host="10.1.2.3.evil.example")).status == 400


def test_wildcard_hosts() -> None:
    # A wildcard covers the names below it, and not the name itself or a lookalike.
    hosts = ("*.example.com",)
    assert is_allowed_host("a.example.com:8080", hosts)
    assert not is_allowed_host("example.com", hosts)
    assert not is_allowed_host("evilexample.com", hosts)


async def test_two_hosts(anyone: Client) -> None:
    # A request with two hosts could mean either, so it means none.
    headers = [(b"host", b"localhost"), (b"host", b"localhost")]
    assert (await anyone.send("GET", "/health/live", b"", headers)).status == 400


@pytest.mark.parametrize(
    "media",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/jsonx", "application/xml", "application/json, text/plain"],
)  # fmt: skip
async def test_media_types(media: str, anyone: Client) -> None:
    # A body that does not say it is JSON is not read as JSON.
    answer = await anyone.post(LOGIN, b"{}", content_type=media)
    assert (answer.status, answer.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_json_with_parameters(anyone: Client) -> None:
    # JSON may say its charset.
    answer = await anyone.post(LOGIN, b"{}", content_type="Application/JSON; charset=utf-8")
    assert (answer.status, answer.fields) == (400, {"email", "password"})


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "zstd"])
async def test_compressed_bodies(encoding: str, anyone: Client) -> None:
    # Nothing that grows is read.
    answer = await anyone.post(LOGIN, b"\x1f\x8b", content_encoding=encoding)
    assert answer.status == 415


async def test_large_bodies(anyone: Client) -> None:
    # A body over one mebibyte is refused by what it says and by what it is; one of it is read.
    said = await anyone.post(LOGIN, b"{}", content_length=str(BODY_MAX + 1))
    assert (said.status, said.error["code"]) == (413, "PAYLOAD_TOO_LARGE")
    large = b'{"email": "' + b"a" * BODY_MAX + b'"}'
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"transfer-encoding", b"chunked"),
    ]
    assert (await anyone.send("POST", LOGIN, large, headers)).status == 413
    fits = b'{"email": "' + b"a" * (BODY_MAX - 13) + b'"}'
    assert len(fits) == BODY_MAX
    answer = await anyone.post(LOGIN, fits)
    assert answer.status == 400
    assert "email" in answer.fields


@pytest.mark.parametrize("length", ["-1", "1.5", "0x10", "٣".encode().decode("latin-1"), "", "1e3"])
async def test_content_length(length: str, anyone: Client) -> None:
    # A length is digits.
    assert (await anyone.post(LOGIN, b"{}", content_length=length)).status == 400


async def test_header_floods(anyone: Client) -> None:
    # Too many headers, too long a header and too long a URL are refused.
    many = {f"x-{number}": "a" for number in range(101)}
    assert (await anyone.get("/health/live", **many)).status == 431
    assert (await anyone.get("/health/live", x_long="a" * 9000)).status == 431
    assert (await anyone.get("/health/live?" + "a" * 9000)).status == 414


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/v1/customers/", "//v1/customers", "/v1//customers", "/v1", "/v1/../health",
     "/static/pages.css", "/static/../asgi.py", "/V1/customers", "/%2e%2e/etc/passwd"],
)  # fmt: skip
async def test_unknown_paths(path: str, owner: Client) -> None:
    # There is one spelling of a path; every other is the same 404, without a redirect.
    answer = await owner.get(path)
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "PROPFIND", "DELETE"])
async def test_unknown_methods(method: str, owner: Client) -> None:
    # A method the path does not know is a 405 that names those it knows.
    answer = await owner.ask(method, "/v1/customers")
    assert (answer.status, answer.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


async def test_head(anyone: Client) -> None:
    # HEAD is GET without the body.
    get = await anyone.get("/health/live")
    head = await anyone.ask("HEAD", "/health/live")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_request_ids(anyone: Client) -> None:
    # A caller's own id is kept when it is a UUID; any other text is not repeated.
    own = str(uuid4())
    assert (await anyone.get("/health/live", x_request_id=own)).headers["x-request-id"] == own
    for text in ("x", own + "\t", f"{{{own}}}", own.replace("-", ""), "a" * 36):
        answer = await anyone.get("/health/live", x_request_id=text)
        assert answer.headers["x-request-id"] != text
        assert str(UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]


def test_new_request_ids() -> None:
    # Chance in a UUID's own spelling, and no two alike.
    made = [new_request_id() for _ in range(1_000)]
    assert len(set(made)) == len(made)
    read = [UUID(each) for each in made]
    assert [str(each) for each in read] == made
    assert {(each.version, each.variant) for each in read} == {(4, RFC_4122)}
    assert {each.hex[16] for each in read} == set("89ab")


def test_kept_request_ids() -> None:
    # An id in capitals means the same id.
    own = str(uuid4())
    assert kept_request_id(own.upper()) == own


TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [
        (f"00-{TRACE_ID}-00f067aa0ba902b7-01", TRACE_ID),
        (f"cc-{TRACE_ID}-00f067aa0ba902b7-01", TRACE_ID),
        (f"ff-{TRACE_ID}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE_ID}-{'0' * 16}-01", None),
        (f"00-{TRACE_ID.upper()}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE_ID}-00f067aa0ba902b7-01-x", None),
        ("nonsense", None),
    ],
)
async def test_traces_are_continued(given: str, trace_id: str | None, anyone: Client) -> None:
    # Every log line of a request is found by the trace its caller is in; nonsense starts nothing.
    with capture_logs(processors=[carry]) as lines:
        assert (await anyone.get("/health/live", traceparent=given)).status == 200
    assert {line.get("trace_id") for line in lines} == {trace_id}


async def test_two_traces_are_none(anyone: Client) -> None:
    # A request in two traces is in neither, and is answered all the same.
    parent = f"00-{TRACE_ID}-00f067aa0ba902b7-01".encode()
    headers = [(b"host", b"localhost"), (b"traceparent", parent), (b"traceparent", parent)]
    assert (await anyone.send("GET", "/health/live", b"", headers)).status == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_headers_of_every_route(operation: Operation, owner: Client) -> None:
    # Every answer of every route carries the same security headers, and nothing is kept.
    answer = await operation.ask(owner, Things({"org": owner.headers["x-org-id"]}))
    assert {name: answer.headers[name] for name, _ in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(answer.headers)


async def test_headers_of_every_path(anyone: Client, world: World) -> None:
    # So does every page, probe, hook and error: whatever the router knows, and what it does not.
    router = build_api(world.app)._app._beyond  # type: ignore[attr-defined]  # looking inside
    paths = {re.sub(r"\{[^}]*\}", "x", route.path) for route in router.routes} | {"/nope", "/v1"}
    assert {"/health", "/metrics", "/docs", "/i/x", "/webhooks/stripe", "/v1/customers"} <= paths
    for path in sorted(paths):
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"):
            answer = await anyone.ask(method, path)
            said = (method, path, answer.status)
            assert answer.status < 500, said
            assert {name for name, _ in SECURITY_HEADERS} <= set(answer.headers), said
            policy = answer.headers["content-security-policy"]
            if path in EXPLORER_PATHS:  # pages that run scripts: files of ours, nothing else
                policy = policy.replace("script-src 'self';", "")
            assert "script" not in policy, said
            assert str(UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]


async def test_an_answer_without_content(owner: Client, org: Org) -> None:
    # 204 has no body, so it says nothing of one.
    customer = await org.customer(None)
    answer = await owner.delete(f"/v1/customers/{customer.id}")
    assert (answer.status, answer.body) == (204, b"")
    assert not {"content-length", "content-type"} & set(answer.headers)


async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("SELECT secret FROM vault")


async def test_what_nobody_expected(anyone: Client) -> None:
    # A bug is a 500 with an id and nothing of the bug; it is counted.
    telemetry = Telemetry(version="test")
    guarded = Guard(broken, allowed_hosts=("localhost",), telemetry=telemetry)
    answer = await replace(anyone, app=guarded).get("/")
    assert (answer.status, answer.error["code"]) == (500, "INTERNAL_ERROR")
    assert b"SELECT" not in answer.body
    assert answer.error["requestId"] == answer.headers["x-request-id"]
    assert b'unhandled_exceptions_total{where="api"} 1.0' in telemetry.exposition()


async def sleepy(_scope: Any, receive: Any, _send: Any) -> None:
    await receive()
    await asyncio.sleep(60)


async def test_slow_requests(anyone: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # What takes too long is given up, and may be sent again.
    monkeypatch.setattr(guard, "REQUEST_SECONDS_MAX", 0.05)
    guarded = Guard(sleepy, allowed_hosts=("localhost",), telemetry=world.app.telemetry)
    answer = await replace(anyone, app=guarded).get("/")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_health(anyone: Client) -> None:
    # The three probes say what they say in full.
    assert (await anyone.get("/health")).json == {
        "status": "ok",
        "database": "connected",
        "redis": "disabled",
    }
    assert (await anyone.get("/health/live")).json == {"status": "ok"}
    assert (await anyone.get("/health/ready")).json == {"status": "ok"}


async def test_metrics(anyone: Client) -> None:
    # Metrics know routes by their template and never by an id.
    await anyone.get("/v1/customers/cust_1")
    text = (await anyone.get("/metrics")).body.decode()
    assert 'route="/v1/customers/{customerId}"' in text
    assert "cust_1" not in text
