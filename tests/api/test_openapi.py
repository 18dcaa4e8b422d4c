"""The document says what the API does, completely, and nothing else."""

import re
from typing import Any

import msgspec
import pytest
import schemathesis
from schemathesis.core.result import Ok
from tests.api.client import Client
from tests.api.operations import DOCUMENT, OPERATIONS, Operation

from bursar.api.bodies import read_body
from bursar.api.errors import CODES, PROTOCOL_CODES
from bursar.api.rooms import ROUTES

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def refs(value: Any) -> set[str]:
    """Every reference in a part of the document."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(refs, value.values()))
    return set().union(*map(refs, value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere() -> None:
    # Nothing in the document points at nothing, and no component is left over.
    for ref in refs(DOCUMENT):
        place: Any = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
    used = {ref.rpartition("/")[2] for ref in refs(DOCUMENT) if "/schemas/" in ref}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_no_two_shapes_share_a_name() -> None:
    # Of two with one name each would be called by its module, and what is said of bodies missed it.
    assert [name for name in DOCUMENT["components"]["schemas"] if "." in name] == []


@every_operation
def test_every_operation_is_described(operation: Operation) -> None:
    # Each has a summary, a tag, a permission, an example, its errors and its way in.
    described = operation.described
    assert described["summary"]
    assert described["description"]
    assert described["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    assert {400, 429, 500, 503} <= operation.statuses
    if operation.audience == "anyone":
        assert described["security"] == []
    else:
        assert described["security"]
        assert {401, 403} <= operation.statuses
    if "{" in operation.path:
        assert 404 in operation.statuses
    if operation.method in {"POST", "PATCH"}:
        assert operation.body is not None
        assert {413, 415} <= operation.statuses
    good = [status for status in operation.statuses if status < 400]
    assert good
    for status in good:
        content = described["responses"][str(status)].get("content", {})
        assert (
            (status in {202, 204, 304} and not content)
            or {"application/pdf", "application/xml", "text/csv", "text/event-stream"}
            & content.keys()
            or content["application/json"]["example"]
        )


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.terms.takes is not None], ids=lambda r: r.name
)
def test_examples_are_accepted(route: Any) -> None:
    # The example of a body is one that the route reads.
    operation = next(each for each in OPERATIONS if each.described["operationId"] == route.name)
    read = read_body(msgspec.json.encode(operation.body), route.terms.takes)
    assert isinstance(read, route.terms.takes)


def test_no_pattern_is_pythons_own() -> None:
    # A pattern in the document means the same in every language.
    text = msgspec.json.encode(DOCUMENT).decode()
    patterns = re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', text)
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)
    assert not any("\\\\Z" in pattern for pattern in patterns)


def test_codes_are_complete() -> None:
    # The enumeration of codes is the table of codes.
    enum = DOCUMENT["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"]
    assert set(enum) == {code.code for code in (*CODES.values(), *PROTOCOL_CODES)}


def test_it_is_an_openapi_document() -> None:
    # A stranger's reader takes it, and sees every operation.
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    seen = {f"{each.method.upper()} {each.path}" for each in found}
    assert seen == {str(operation) for operation in OPERATIONS}


async def test_it_is_served(anyone: Client) -> None:
    # The document and its pages are there without a credential and without another host.
    served = await anyone.get("/docs/json")
    assert (served.status, served.json["paths"].keys()) == (200, DOCUMENT["paths"].keys())
    page = (await anyone.get("/docs/reference")).body.decode()
    for operation in OPERATIONS:
        assert f'id="{operation.described["operationId"]}"' in page
    errors = (await anyone.get("/docs/errors")).body.decode()
    for anchor in ("illegal_transition", "payment_declined", "internal_error"):
        assert f'id="{anchor}"' in errors
    for text in (page, errors):
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
        assert "<script" not in text
