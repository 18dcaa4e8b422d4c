"""The Python client against a server that answers as it is told: keys, tries, errors and lists."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from bursar_client.client import Bursar
from bursar_client.models import (
    CustomerOut,
    InvoicePatch,
    InvoiceStatus,
    NewCustomer,
    RefreshBody,
    SignInBody,
)
from bursar_client.refusals import (
    Conflict,
    Declined,
    Invalid,
    NotReached,
    ServerFailed,
    StillRunning,
    TooMany,
)
from bursar_client.wire import WAIT_MAX_SECONDS

AT = "2026-01-31T09:30:00.000Z"
CUSTOMER: dict[str, Any] = {
    "id": "cust_1", "object": "customer", "email": "g@example.com", "name": "Grace",
    "currency": "usd", "taxId": None, "taxTreatment": "standard", "address": None, "metadata": {},
    "stripeCustomerId": None, "defaultPaymentMethodId": None, "deletedAt": None, "erasedAt": None,
    "version": 1, "createdAt": AT, "updatedAt": AT,
}  # fmt: skip
NOBODY = NewCustomer(email="g@example.com", name="Grace")


@dataclass
class Heard:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))


@dataclass
class Script:
    """What to answer, in order: status, body and headers, or None to hang up."""

    answers: list[tuple[int, Any, dict[str, str]] | None]
    heard: list[Heard] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)


@contextmanager
def scripted(*answers: tuple[int, Any, dict[str, str]] | None) -> Iterator[tuple[Bursar, Script]]:
    """A client, and the server that it asks."""
    script = Script(list(answers))

    class Scripted(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            named = {name.lower(): text for name, text in self.headers.items()}
            heard = Heard(self.command, self.path, named, self.rfile.read(length))
            script.heard.append(heard)
            script.connections.add(self.client_address)
            told = script.answers.pop(0)
            if told is None:
                self.close_connection = True
                return
            status, body, headers = told
            raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            if status not in {204, 304}:
                self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing."""

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Scripted, f"do_{method}", Scripted.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Bursar(f"http://127.0.0.1:{server.server_port}", "bsk_secret") as bursar:
            bursar.wire.sleep = script.waited.append
            yield bursar, script
    finally:
        server.shutdown()
        server.server_close()


def good(data: object, status: int = 200, **beside: object) -> tuple[int, Any, dict[str, str]]:
    return status, {"data": data, **beside}, {}


def refused(status: int, code: str, **facts: Any) -> tuple[int, Any, dict[str, str]]:
    headers = {"Retry-After": facts.pop("after")} if "after" in facts else {}
    said = {"code": code, "message": "No.", "requestId": "r-1", "docUrl": "/docs/errors"}
    return status, {"error": {**said, **facts}}, headers


def a_customer(**more: object) -> dict[str, object]:
    """One as the API shows it."""
    return {**CUSTOMER, **more}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        refused(500, "INTERNAL_ERROR"),
        refused(502, "PAYMENT_PROVIDER_ERROR"),
        refused(503, "SERVICE_UNAVAILABLE", after="1"),
        refused(429, "RATE_LIMIT_EXCEEDED", after="2"),
        refused(409, "IDEMPOTENCY_IN_PROGRESS", after="1"),
        (502, b"<html>Bad gateway</html>", {}),
    ],
    ids=["hung-up", "500", "502", "503", "429", "running", "proxy"],
)
def test_a_write_is_tried_again_under_its_key(
    answer: tuple[int, Any, dict[str, str]] | None,
) -> None:
    # The same request, letter for letter, and the key that was made for it; after a wait that is
    # not shorter than the API asked for.
    with scripted(answer, answer, good(a_customer(), 201)) as (bursar, script):
        made = bursar.customers.create_customer(NOBODY)
    assert made.id == "cust_1"
    assert len({each.headers["idempotency-key"] for each in script.heard}) == 1
    assert len({each.body for each in script.heard}) == 1
    assert len(script.heard) == 3
    asked_for = float(answer[2].get("Retry-After", 0)) if answer else 0.0
    assert len(script.waited) == 2
    assert all(each >= max(asked_for, 0.05) for each in script.waited)


def test_each_write_has_a_key_of_its_own_and_takes_the_callers() -> None:
    # Two writes never share a key by chance; a key that is given is used.
    with scripted(*(good(a_customer(), 201) for _ in range(3))) as (bursar, script):
        bursar.customers.create_customer(NOBODY)
        bursar.customers.create_customer(NOBODY)
        bursar.customers.create_customer(NOBODY, idempotency_key="order-7")
    keys = [each.headers["idempotency-key"] for each in script.heard]
    assert len(set(keys)) == 3
    assert keys[2] == "order-7"
    assert len(script.connections) == 1


def test_what_has_no_key_is_not_sent_twice() -> None:
    # A refresh token works once: an answer that is lost is not asked for again by itself.
    with scripted(None) as (bursar, script), pytest.raises(NotReached) as caught:
        bursar.auth.refresh(RefreshBody(refresh_token="once"))
    assert (len(script.heard), caught.value.idempotency_key) == (1, None)
    with scripted(refused(503, "SERVICE_UNAVAILABLE")) as (bursar, script):
        with pytest.raises(ServerFailed):
            bursar.auth.login(SignInBody(email="a@example.com", password="x"))
        assert len(script.heard) == 1


def test_it_gives_up_and_names_the_key() -> None:
    # Four tries, longer and longer waits; the key lets the caller find out later.
    with scripted(None, None, None, None) as (bursar, script):
        with pytest.raises(NotReached) as caught:
            bursar.customers.create_customer(NOBODY)
        assert caught.value.idempotency_key == script.heard[0].headers["idempotency-key"]
        assert len(script.heard) == 4
        assert script.waited == sorted(script.waited)
    with scripted(*(refused(409, "IDEMPOTENCY_IN_PROGRESS") for _ in range(4))) as (bursar, script):
        with pytest.raises(StillRunning):
            bursar.customers.create_customer(NOBODY)
        assert len(script.heard) == 4


def test_a_long_wait_is_the_callers_to_decide() -> None:
    # Nobody is kept for longer than a minute without being asked.
    after = str(int(WAIT_MAX_SECONDS) + 1)
    with scripted(refused(429, "RATE_LIMIT_EXCEEDED", after=after)) as (bursar, script):
        with pytest.raises(TooMany) as caught:
            bursar.customers.get_customer("cust_1")
        assert (caught.value.retry_after, script.waited) == (float(after), [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(409, "CONFLICT", currentStatus="paid"), Conflict),
        (refused(402, "PAYMENT_DECLINED", declineCode="stolen_card"), Declined),
        (refused(400, "VALIDATION_ERROR", details=[
            {"field": "email", "message": "is none", "code": "wrong_format"}]), Invalid),
    ],
)  # fmt: skip
def test_a_refusal_is_not_asked_again_and_says_all(answer: Any, kind: type[Conflict]) -> None:
    # Its class, code, request id, fields and facts.
    with scripted(answer) as (bursar, script):
        with pytest.raises(kind) as caught:
            bursar.customers.create_customer(NOBODY)
        assert len(script.heard) == 1
    told = answer[1]["error"]
    assert (caught.value.status, caught.value.code) == (answer[0], told["code"])
    assert caught.value.request_id == "r-1"
    assert caught.value.facts == told
    assert caught.value.fields == {each["field"]: each["code"] for each in told.get("details", [])}


def test_an_answer_of_tomorrow_is_read() -> None:
    # A field and a value that this client does not know break nothing, and a code is kept.
    with scripted(good(a_customer(taxTreatment="lunar", moon={"phase": 1}))) as (bursar, _):
        shown = bursar.customers.get_customer("cust_1")
    assert (shown.tax_treatment, shown.name) == ("lunar", "Grace")
    assert InvoiceStatus("paid") is InvoiceStatus.PAID
    with scripted(refused(418, "TEAPOT")) as (bursar, _), pytest.raises(Exception, match="TEAPOT"):
        bursar.customers.get_customer("cust_1")


def test_what_is_sent() -> None:
    # A path that cannot be left, a version, a reason in UTF-8, and no field that was not given.
    with scripted(refused(404, "NOT_FOUND")) as (bursar, script):
        patch = InvoicePatch(memo=None, due_date=datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
        with pytest.raises(Exception, match="NOT_FOUND"):
            bursar.because("naïve").invoices.edit_draft("a/../b?c", patch, if_match=3, dry_run=True)
    (heard,) = script.heard
    assert (heard.method, heard.path) == ("PATCH", "/v1/invoices/a%2F..%2Fb%3Fc?dryRun=true")
    assert msgspec.json.decode(heard.body) == {"memo": None, "dueDate": "2026-01-31T09:30:00Z"}
    assert heard.headers["if-match"] == '"3"'
    assert heard.headers["authorization"] == "Bearer bsk_secret"
    assert heard.headers["x-audit-reason"].encode("latin-1").decode() == "naïve"


def test_going_through_a_list() -> None:
    # By cursor where there is one, by page where there is none; only as far as it is read.
    pieces = [
        good([a_customer(id="a"), a_customer(id="b")], meta={"nextCursor": "c2"}),
        good([a_customer(id="c")], meta={"nextCursor": None}),
    ]
    with scripted(*pieces) as (bursar, script):
        listing = bursar.customers.list_customers(limit=2, email="g@example.com")
        assert script.heard == []
        assert [each.id for each in listing] == ["a", "b", "c"]
        with pytest.raises(ValueError, match="page"):
            list(bursar.customers.list_customers(page=2))
    first, second = (each.query for each in script.heard)
    assert first == {"limit": "2", "email": "g@example.com"}
    assert second == {**first, "after": "c2"}


def test_a_piece_and_what_is_said_of_the_whole() -> None:
    # One request, as it was asked for.
    meta = {"page": 3, "pageSize": 1, "totalCount": 9, "totalPages": 9}
    with scripted(good([a_customer()], meta=meta)) as (bursar, script):
        piece = bursar.customers.list_customers(page=3, page_size=1).piece()
    assert [type(each) for each in piece.items] == [CustomerOut]
    assert (piece.meta.total_count, piece.meta.next_cursor) == (9, None)
    assert script.heard[0].query == {"page": "3", "pageSize": "1"}


def test_a_file_and_its_tag() -> None:
    # The bytes; then word that they still are the same.
    bytes_first = (200, b"%PDF-1.7", {"ETag": '"x"', "Content-Type": "application/pdf"})
    with scripted(bytes_first, (304, b"", {"ETag": '"x"'})) as (bursar, script):
        file = bursar.invoices.get_invoice_pdf("inv_1")
        again = bursar.invoices.get_invoice_pdf("inv_1", if_none_match=file.etag)
    assert (file.body, file.media_type, file.is_unchanged) == (
        b"%PDF-1.7", "application/pdf", False)  # fmt: skip
    assert replace(again, media_type="") == replace(
        file, body=b"", media_type="", is_unchanged=True)  # fmt: skip
    assert script.heard[1].headers["if-none-match"] == '"x"'
