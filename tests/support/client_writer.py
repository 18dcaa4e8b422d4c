"""Writes `clients/python/`: models, a class of methods for each tag, and the client that has all.

Drawn from the API's own OpenAPI document, which is drawn from the routes. `make client` runs
it, and `tests/architecture/test_client.py` fails when a file is not what it gives.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from tests.support.client_models import (
    INDENT,
    Schema,
    attribute,
    class_of,
    docstring,
    enum_of,
    field_of,
    name_of,
    named,
    quoted,
    snake,
    struct_of,
    type_of,
)

from bursar.api.openapi import document

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "clients" / "python" / "bursar_client"

JSON: Final = "application/json"
_STREAM: Final = "text/event-stream"
_NOTHING: Final = "Nothing"
_HEADERS: Final = {
    "IdempotencyKey": "idempotency_key: str | None = None",
    "IfMatch": "if_match: int | None = None",
    "IfNoneMatch": "if_none_match: str | None = None",
}
_SENT: Final = {
    "IfMatch": '"If-Match": tag(if_match)',
    "IfNoneMatch": '"If-None-Match": if_none_match',
}

_MODELS: Final = '''"""What is sent and what comes back. Written by `make client`.

Unknown fields are passed over and unknown values of an enumeration are kept, so that a newer API
does not break an older client. What is sent leaves out every field that is not given.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Self

import msgspec
from msgspec import UNSET, UnsetType


class OpenEnum(StrEnum):
    """An enumeration that may grow: a value of tomorrow is a member without a name of its own."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        made = str.__new__(cls, value)
        made._name_ = made._value_ = str(value)
        return made
'''
_ROOMS: Final = '''"""The operations, one class for each group of them. Written by `make client`."""

import datetime as dt
from typing import Literal

from bursar_client import models
from bursar_client.listing import Listing
from bursar_client.wire import Asked, File, Wire, key_or_new, path, tag


class Room:
    """Some operations, over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
'''
_CLIENT: Final = '''"""The client: each group of operations by name. Written by `make client`."""

from dataclasses import replace
from types import TracebackType
from typing import Self

from bursar_client import rooms
from bursar_client.wire import Wire


class Bursar:
    """The API at an address, as somebody: an API key, or a person's token and an organization."""

    def __init__(
        self,
        url: str,
        credential: str | None = None,
        *,
        org_id: str | None = None,
        timeout_seconds: float = 30.0,
        tries_max: int = 4,
    ) -> None:
        wire = Wire(url, credential, org_id, timeout_seconds, tries_max)
        self._over(wire)

    def because(self, reason: str) -> Self:
        """The same, and every change says why: the reason stands in the audit log."""
        other = object.__new__(type(self))
        other._over(replace(self.wire, reason=reason))
        return other

    def close(self) -> None:
        """Close this thread's connection."""
        self.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _over(self, wire: Wire) -> None:
        self.wire = wire
'''


def files() -> dict[str, str]:
    """Every written file by its name."""
    told = document(version="0", server_url="/")
    made = Writer(told["paths"], told["components"]["schemas"], told["tags"])
    drafts = {"models.py": made.models(), "rooms.py": made.rooms(), "client.py": made.client()}
    return {name: _formatted(text) for name, text in drafts.items()}


def write() -> None:
    """Write all of them."""
    for name, text in files().items():
        (FOLDER / name).write_text(text)


class Writer(Struct, frozen=True):
    """The document, and what is written of it."""

    paths: Schema
    schemas: Schema
    tags: Iterable[Schema]

    def models(self) -> str:
        """What is sent and what comes back."""
        names = sorted(self.schemas.keys() - {_NOTHING, "ErrorEnvelope"})
        enums = [name for name in names if "enum" in self.schemas[name]]
        sent = self._sent()
        structs = [struct_of(name, self.schemas[name], is_sent=name in sent, wider=self._wider())
                   for name in names if name not in enums]  # fmt: skip
        wide = [self._wide(name) for name in sorted(self._wider())]
        return "\n\n".join([_MODELS, *(enum_of(name, self.schemas[name]) for name in enums),
                            *structs, *wide])  # fmt: skip

    def rooms(self) -> str:
        """One class a tag."""
        return "\n\n".join([_ROOMS, *(self._room(each) for each in self.tags)])

    def client(self) -> str:
        """The class that has them all."""
        told = [
            f"{INDENT * 2}self.{attribute(name)} = rooms.{class_of(name)}(self.wire)"
            for name in (each["name"] for each in self.tags)
        ]
        return _CLIENT + "\n".join(told) + "\n"

    def _operations(self) -> Iterator[tuple[str, str, Schema]]:
        for path, verbs in self.paths.items():
            for method, operation in verbs.items():
                yield method.upper(), path, operation

    def _sent(self) -> set[str]:
        """The names of all that callers send."""
        found: set[str] = set()
        ahead = [
            operation["requestBody"]["content"][JSON]["schema"]
            for _, _, operation in self._operations()
            if "requestBody" in operation
        ]
        while ahead:
            for name in named(ahead.pop()):
                if name not in found:
                    found.add(name)
                    ahead.append(self.schemas[name])
        return found

    def _wider(self) -> dict[str, Schema]:
        """What `expand` may bring along, by the name of the resource it is brought to."""
        found: dict[str, Schema] = {}
        for _, _, operation in self._operations():
            one = _given(operation)
            if one is not None and "allOf" in one:
                name = name_of(one["allOf"][0])
                found[name] = {**found.get(name, {}), **one["allOf"][1]["properties"]}
        return found

    def _wide(self, name: str) -> str:
        wider = self._wider()
        fields = [
            field_of(each, {**schema, "default": None}, wider)
            for each, schema in wider[name].items()
        ]
        about = docstring(f"{name}, with what `expand` brought along.")
        return "\n".join(
            [f"class Wide{name}({name}, kw_only=True, frozen=True):", about, "", *fields, ""]
        )

    def _room(self, tag: Schema) -> str:
        mine = [(method, path, each) for method, path, each in self._operations()
                if each["tags"][0] == tag["name"]]  # fmt: skip
        methods = [
            _method(method, path, each)
            for method, path, each in mine
            if _STREAM not in each["responses"].get("200", {}).get("content", {})
        ]
        head = [f"class {class_of(tag['name'])}(Room):", docstring(tag["description"]), ""]
        return "\n".join(head) + "\n" + "\n".join(methods)


def _given(operation: Schema) -> Schema | None:
    """The resource that comes back, or each of them in a list."""
    for status in ("200", "201", "202"):
        content = operation["responses"].get(status, {}).get("content", {})
        if JSON in content:
            one: Schema = content[JSON]["schema"]["properties"]["data"]
            return one["items"] if one.get("type") == "array" else one
    return None


def _is_pieces(operation: Schema) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    return JSON in content and "meta" in content[JSON]["schema"]["properties"]


def _is_list(operation: Schema) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    shown = content.get(JSON, {}).get("schema", {}).get("properties", {}).get("data", {})
    return bool(shown.get("type") == "array")


def _method(method: str, path: str, operation: Schema) -> str:
    """One operation: ids, then the body, then what has a name."""
    ids, queries, headers = _given_by(operation)
    kind, call = _ending(operation, has_cursor=any(each["name"] == "after" for each in queries))
    named = [f"{snake(each['name'])}: {_query_type(each['schema'])} = None" for each in queries]
    named += [_HEADERS[each] for each in headers]
    body = _body(operation)
    takes = ["self", *(f"{snake(each['name'])}: str" for each in ids)]
    takes += [] if body in {None, _NOTHING} else [f"body: models.{body}"]
    takes += ["*", *named] if named else []
    asked = _asked(method, path, operation)
    return "\n".join([
        f"{INDENT}def {snake(operation['operationId'])}({', '.join(takes)}) -> {kind}:",
        docstring(_about(operation), depth=2),
        f"{INDENT * 2}asked = {asked}",
        f"{INDENT * 2}{call}",
        "",
    ])  # fmt: skip


def _about(operation: Schema) -> str:
    summary, text = f"{operation['summary']}.", operation["description"]
    return summary if text.rstrip(".") == operation["summary"] else f"{summary}\n\n{text}"


def _asked(method: str, path: str, operation: Schema) -> str:
    """The request, as the method makes it."""
    ids, queries, headers = _given_by(operation)
    pattern = re.sub(r"\{\w+\}", "{}", path)
    names = "".join(f", {snake(each['name'])}" for each in ids)
    told = [quoted(method), f"path({quoted(pattern)}{names})" if ids else quoted(path)]
    if queries:
        pairs = (f"{quoted(each['name'])}: {snake(each['name'])}" for each in queries)
        told.append(f"query={{{', '.join(pairs)}}}")
    body = _body(operation)
    if body is not None:
        told.append("body={}" if body == _NOTHING else "body=body")
    if "IdempotencyKey" in headers:
        told.append("key=key_or_new(idempotency_key)")
    sent = [_SENT[each] for each in headers if each in _SENT]
    if sent:
        told.append(f"headers={{{', '.join(sent)}}}")
    return f"Asked({', '.join(told)})"


def _given_by(operation: Schema) -> tuple[list[Schema], list[Schema], list[str]]:
    """What stands in the path, what in the query, and the headers that callers may give."""
    told = operation["parameters"]
    ids = [each for each in told if each.get("in") == "path"]
    queries = [each for each in told if each.get("in") == "query"]
    return ids, queries, [name_of(each) for each in told if "$ref" in each]


def _ending(operation: Schema, *, has_cursor: bool) -> tuple[str, str]:
    """What a method gives, and the line that gives it."""
    one = _given(operation)
    if one is None:
        good = [each for code, each in operation["responses"].items() if code.startswith("2")]
        if any(each.get("content") for each in good):
            return "File", "return self.wire.file(asked)"
        return "None", "self.wire.nothing(asked)"
    kind = f"models.Wide{name_of(one['allOf'][0])}" if "allOf" in one else f"models.{name_of(one)}"
    if _is_pieces(operation):
        return (
            f"Listing[{kind}]",
            f"return Listing(self.wire, asked, {kind}, has_cursor={has_cursor})",
        )
    if _is_list(operation):
        return f"list[{kind}]", f"return self.wire.all_of(asked, {kind})"
    return kind, f"return self.wire.one(asked, {kind})"


def _body(operation: Schema) -> str | None:
    if "requestBody" not in operation:
        return None
    return name_of(operation["requestBody"]["content"][JSON]["schema"])


def _query_type(schema: Schema) -> str:
    kind = type_of(schema, {}, is_sent=True)
    return f"{'models.' if '$ref' in schema else ''}{kind} | None"


def _formatted(text: str) -> str:
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--quiet",
        "--stdin-filename",
        "written.py",
        "-",
    ]
    done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


if __name__ == "__main__":
    write()
