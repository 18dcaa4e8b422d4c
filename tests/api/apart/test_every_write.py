"""Every operation that changes something: its idempotency key, and every text it takes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.client import Client, Response
from tests.api.operations import DOCUMENT, OPERATIONS, Operation
from tests.api.people import Things, things_of
from tests.support.world import Org, World

from bursar.runtime.ids import new_uuid

WRITES = [each for each in OPERATIONS if each.method != "GET"]
KEPT = [each for each in WRITES if not each.path.startswith("/v1/auth/")]
STORED = {200, 201, 202, 204, 402, 409}
FORBIDDEN = {
    "\x00": "control_character",
    "a\x07b": "control_character",
    "a\x1b[31m": "control_character",
    "a\x7f": "control_character",
    "a\x85": "control_character",
    "a\ud800": "control_character",
    "4242424242424242": "card_number_not_allowed",
    "my card: 5555-5555-5555-4444!": "card_number_not_allowed",
    "3782 822463 10005": "card_number_not_allowed",
}
# What takes longest to come about is made where it is asked for.
DEAREST = frozenset({"dsp"})
Path = tuple[str | int, ...]


@pytest.fixture
async def things(org: Org) -> Things:
    """One of each thing of an organization of the test's own."""
    return await things_of(org)


@dataclass(frozen=True)
class Refused:
    """An owner and their things, for requests none of which is accepted: it serves them all."""

    owner: Client
    things: Things


@pytest.fixture(scope="module")
async def refused(world: World, anyone: Client) -> Refused:
    """An organization that nothing happens to."""
    org = await world.org()
    return Refused(anyone.bearing(org.access_token, org.id), await things_of(org))


async def needed(org: Org, operation: Operation) -> Things:
    """What an operation asks for, of a founder who is known."""
    if operation.named:
        return await things_of(org, but=DEAREST - operation.named)
    await org.world.verify(org.user_id)
    return Things({})


async def send(
    client: Client, operation: Operation, things: Things, raw: bytes, key: str
) -> Response:
    path = operation.filled_path(things)
    return await client.ask(operation.method, path, raw, headers={"idempotency-key": key})


async def test_most_writes_are_replayed(owner: Client, things: Things) -> None:
    # The documented examples run: else the test of each would prove little.
    replayed = []
    for operation in KEPT:
        raw = json.dumps(things.fill(operation.body or {})).encode()
        key = f"k-{new_uuid()}"
        answers = [await send(owner, operation, things, raw, key) for _ in range(2)]
        replayed += [str(operation)] if "idempotent-replayed" in answers[1].headers else []
    print(f"{len(replayed)} of {len(KEPT)} writes were replayed")
    assert len(replayed) >= len(KEPT) // 2, sorted({str(each) for each in KEPT} - set(replayed))


@pytest.mark.parametrize("operation", [each for each in WRITES if each.body], ids=str)
async def test_texts(operation: Operation, refused: Refused) -> None:
    # In whatever field: NUL, controls, half characters and card numbers are refused by name.
    schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
    body = refused.things.fill(operation.body)
    path = operation.filled_path(refused.things)
    places = list(texts_of(schema))
    for place in places:
        for text, code in FORBIDDEN.items():
            sent = changed(body, place, text)
            answer = await refused.owner.ask(operation.method, path, json.dumps(sent).encode())
            if answer.status == 200 and "accepted" in answer.value:
                assert answer.value["accepted"] == 0, (place, text, answer.body)
                continue  # a batch refuses row by row
            assert answer.status == 400, (place, text, answer.body)
            found = {(each["field"], each["code"]) for each in answer.error["details"]}
            assert (shown(place), code) in found, (place, text, found)
            assert "4242424242424242" not in answer.body.decode()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_texts_of_queries(operation: Operation, refused: Refused) -> None:
    # The same holds for every text in a query, and for the reason that is kept.
    path = operation.filled_path(refused.things)
    for parameter in operation.parameters:
        if parameter["in"] != "query" or "string" not in json.dumps(parameter["schema"]):
            continue
        for text, code in FORBIDDEN.items():
            if "\ud800" in text:
                continue  # a URL cannot carry it
            query = f"{quote(parameter['name'])}={quote(text)}"
            answer = await refused.owner.ask(operation.method, f"{path}?{query}", b"{}")
            assert answer.status == 400, (parameter["name"], text, answer.body)
            assert (answer.fields, answer.codes) == ({parameter["name"]}, {code})


@pytest.mark.parametrize("text", ["4242 4242 4242 4242", "a\x07b"])
async def test_reasons(text: str, owner: Client) -> None:
    # A reason is kept for years: no card number and no control character gets there.
    answer = await owner.post("/v1/customers", {}, x_audit_reason=text)
    assert (answer.status, answer.fields) == (400, {"X-Audit-Reason"})


# The last of all: each leaves work behind, which whoever has no work left would have to do.
@pytest.mark.parametrize("operation", KEPT, ids=str)
async def test_keys(operation: Operation, owner: Client, org: Org) -> None:
    # The same request again is the same answer, letter for letter, and nothing happens; another
    # request with the key is refused. What was refused before anything ran keeps no key.
    things = await needed(org, operation)
    raw = json.dumps(things.fill(operation.body or {})).encode()
    key = f"key {new_uuid()}"
    first = await send(owner, operation, things, raw, key)
    again = await send(owner, operation, things, raw, key)
    other = await send(owner, operation, things, raw + b" ", key)
    assert "idempotent-replayed" not in first.headers
    if first.status not in STORED:
        assert first.status in {400, 403, 404, 412, 502}, first.body
        assert "idempotent-replayed" not in again.headers
        return
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert {name: again.headers.get(name) for name in ("etag", "location")} == {
        name: first.headers.get(name) for name in ("etag", "location")
    }
    assert (other.status, other.error["code"]) == (422, "IDEMPOTENCY_MISMATCH"), other.body


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return found
    options = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return resolved(options[0]) if options else schema


def texts_of(schema: dict[str, Any], place: Path = ()) -> Iterator[Path]:
    """The places of every text in what this schema describes; `*` stands for any key."""
    found = resolved(schema)
    match found.get("type"):
        case "object":
            for name, inner in found.get("properties", {}).items():
                yield from texts_of(inner, (*place, name))
            inner = found.get("additionalProperties")
            if isinstance(inner, dict):
                yield from texts_of(inner, (*place, "*"))
        case "array":
            yield from texts_of(found["items"], (*place, 0))
        case "string" | None:
            yield place


def changed(body: Any, place: Path, text: str) -> Any:
    """The same body with this text at that place."""
    if not place:
        return text
    step, *rest = place
    if isinstance(step, int):
        items = deepcopy(body) if isinstance(body, list) and body else [{}]
        return [changed(items[0], tuple(rest), text), *items[1:]]
    members = deepcopy(body) if isinstance(body, dict) else {}
    key = "anyKey" if step == "*" else step
    return {**members, key: changed(members.get(key), tuple(rest), text)}


def shown(place: Path) -> str:
    """The place as an answer names it."""
    said = ""
    for step in place:
        name = "anyKey" if step == "*" else step
        said += f"[{name}]" if isinstance(name, int) else f".{name}" if said else name
    return said
