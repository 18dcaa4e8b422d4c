"""Requests and responses as values, and Stripe's nested form encoding.

A fault that a network would cause (a delay, a dropped line) is a field of the response: whoever
carries the response performs it. Nothing here knows a route.
"""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from bursar_sandbox.core.refusals import Refusal, invalid

Thing = dict[str, Any]
Form = dict[str, Any]

BODY_BYTES_MAX = 1 << 20
FIELDS_MAX = 2_000
DEPTH_MAX = 8


class Request(Struct, frozen=True):
    """One HTTP request. Header names are compared in lower case; `path` carries the query."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> str:
        return self.path.partition("?")[2]

    def header(self, name: str) -> str:
        """The header's value, or an empty string."""
        wanted = name.lower()
        return next((v for k, v in self.headers.items() if k.lower() == wanted), "")


class Response(Struct, frozen=True):
    """One HTTP response and how the line should treat it.

    `delay_ms` asks the carrier to wait first; `is_dropped` asks for a broken line and silence.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    delay_ms: int = 0
    is_dropped: bool = False

    def with_headers(self, more: dict[str, str]) -> "Response":
        return replace(self, headers={**self.headers, **more})


def json_response(status: int, body: Thing) -> Response:
    return Response(status, {"Content-Type": "application/json"}, msgspec.json.encode(body))


def dropped() -> Response:
    """The line breaks; the caller learns nothing."""
    return Response(0, {}, b"", is_dropped=True)


def parse_form(text: str) -> Form:
    """Read `a[b][c]=v` and `a[]=v` into nested dictionaries; a list keeps its indexes as keys.

    Raises:
        Refusal: malformed, too deep or too many fields.
    """
    form: Form = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeDecodeError) as problem:
        raise invalid("Invalid request: the body is not well-formed form data.") from problem
    for name, value in pairs:
        _plant(form, name, value)
    return form


def _plant(form: Form, name: str, value: str) -> None:
    keys = _keys(name)
    here = form
    for key in keys[:-1]:
        inner = here.setdefault(key or str(len(here)), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid request: {name} is given twice with different shapes.", name)
        here = inner
    last = keys[-1] or str(len(here))
    if isinstance(here.get(last), dict):
        raise invalid(f"Invalid request: {name} is given twice with different shapes.", name)
    here[last] = value


def _keys(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    if not rest.endswith("]") or not head:
        raise invalid(f"Invalid request: malformed parameter name {name[:80]}.", name[:80])
    keys = [head, *rest[:-1].split("][")]
    if len(keys) > DEPTH_MAX:
        raise invalid(f"Invalid request: {name[:80]} is nested too deeply.", name[:80])
    return keys


def parse_body(request: Request) -> Form:
    """The request's fields: the query for GET and DELETE, the form body (plus query) otherwise.

    Raises:
        Refusal: the body is too large, not UTF-8 or not form data.
    """
    if len(request.body) > BODY_BYTES_MAX:
        raise Refusal(413, {"type": "invalid_request_error", "message": "Request body too large."})
    try:
        text = request.body.decode()
    except UnicodeDecodeError as problem:
        raise invalid("Invalid request: the body is not UTF-8.") from problem
    joined = "&".join(part for part in (request.query, text) if part)
    return parse_form(joined)
