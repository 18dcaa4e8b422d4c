"""Another organization's id, put into every place of the API that takes one.

The places are read from the document: paths, bodies at any depth, queries; beside them cursors,
`If-Match`, idempotency keys and metadata. A foreign id is an unknown id, word for word, and nothing
there changes. A place for which nobody has an id to put in fails the build.
"""

import asyncio
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest
from tests.api.client import Client, Response
from tests.api.operations import DOCUMENT, OPERATIONS, Operation
from tests.api.people import Things, key_client, member, things_of
from tests.support.fingerprints import fingerprint
from tests.support.world import Org, World

from bursar.api.errors import CODES
from bursar.api.examples import example_of
from bursar.domain.access import Role

SCHEMAS: Final[dict[str, Any]] = DOCUMENT["components"]["schemas"]
ID_PATTERN: Final = re.compile(r"\^(?:\(\?:)*([a-z|]+)\)?_\[0-9a-f\]")
# Named like ids, and none of ours: a tax office's number, a processor's token, a caller's own key.
NO_IDS: Final = frozenset({"taxId", "paymentMethodId"})
Step = str | int


@dataclass(frozen=True)
class Place:
    """Somewhere an id can stand: the way to it, and the prefixes it may have."""

    way: tuple[Step, ...]
    prefixes: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.way))


def prefixes_of(schema: dict[str, Any]) -> tuple[str, ...]:
    """Which ids a text may be; none for any other text."""
    found = ID_PATTERN.search(schema.get("pattern", ""))
    return tuple(found[1].split("|")) if found else ()


def places(schema: dict[str, Any], way: tuple[Step, ...] = ()) -> Iterator[Place]:
    """Every place in what this schema describes."""
    if "$ref" in schema:
        yield from places(SCHEMAS[schema["$ref"].rpartition("/")[2]], way)
    for option in schema.get("anyOf", []):
        yield from places(option, way)
    if schema.get("type") == "array":
        yield from places(schema.get("items", {}), (*way, 0))
    for name, each in schema.get("properties", {}).items():
        yield from places(each, (*way, name))
    if prefixes_of(schema):
        yield Place(way, prefixes_of(schema))


def put(schema: dict[str, Any], body: Any, way: tuple[Step, ...], value: str) -> Any:
    """The body with a value at a place; what is missing on the way is made up."""
    if not way:
        return value
    schema = _container(schema, way[0])
    step, rest = way[0], way[1:]
    if isinstance(step, int):
        items = body if isinstance(body, list) and body else [example_of(schema["items"], SCHEMAS)]
        return [put(schema["items"], items[0], rest, value), *items[1:]]
    made = dict(body if isinstance(body, dict) else example_of(schema, SCHEMAS))  # type: ignore[call-overload]  # an object's example is one
    made[step] = put(schema["properties"][step], made.get(step), rest, value)
    return made


def _container(schema: dict[str, Any], step: Step) -> dict[str, Any]:
    """The option of a schema that has this step."""
    if "$ref" in schema:
        return _container(SCHEMAS[schema["$ref"].rpartition("/")[2]], step)
    for option in schema.get("anyOf", []):
        if any(place.way[:1] == (step,) for place in places(option)):
            return _container(option, step)
    return schema


def body_schema(operation: Operation) -> dict[str, Any]:
    content = operation.described.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return found


def named_like_ids(schema: dict[str, Any], way: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property whose name says that it is an id."""
    if "$ref" in schema:
        yield from named_like_ids(SCHEMAS[schema["$ref"].rpartition("/")[2]], way)
    for option in schema.get("anyOf", []):
        yield from named_like_ids(option, way)
    if schema.get("type") == "array":
        yield from named_like_ids(schema.get("items", {}), way)
    for name, each in schema.get("properties", {}).items():
        if name.endswith(("Id", "Ids")) and name not in NO_IDS:
            yield f"{way}.{name}", each
        yield from named_like_ids(each, f"{way}.{name}")


IN_ORG: Final = [each for each in OPERATIONS if each.audience in {"org", "path_org"}]
IN_BODY: Final = [
    (operation, place)
    for operation in IN_ORG
    for place in dict.fromkeys(places(body_schema(operation)))
]
IN_QUERY: Final = [
    (operation, parameter["name"], prefixes_of(parameter["schema"]))
    for operation in IN_ORG
    for parameter in operation.parameters
    if parameter["in"] == "query" and prefixes_of(parameter["schema"])
]
IN_PATH: Final = [each for each in IN_ORG if "{" in each.path.replace("{organizationId}", "")]


@dataclass(frozen=True)
class Neighbors:
    """Two organizations full of things, and whoever asks in the first."""

    ours: Org
    things: Things
    theirs: Org
    foreign: Things
    askers: dict[str, Client]


@pytest.fixture(scope="module")
async def neighbors(world: World, anyone: Client) -> Neighbors:
    ours, theirs = await world.org(), await world.org()
    askers = {role.value: await member(world, ours, role, anyone) for role in Role}
    askers["billing:write"] = await key_client(ours, "billing:write", anyone)
    return Neighbors(ours, await things_of(ours), theirs, await things_of(theirs), askers)


def unknown(prefix: str) -> str:
    return f"{prefix}_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d"


def said(answer: Response, *ids: str) -> str:
    """What was answered, without the request's own name and the ids that were sent."""
    text = re.sub(rb'"requestId":"[^"]*"', b"", answer.body).decode()
    for each in sorted(ids, key=len, reverse=True):  # one may be the end of another
        text = text.replace(each, "<id>")
    return f"{answer.status} {text}"


def is_stream(answer: Response) -> bool:
    return answer.headers.get("content-type", "").startswith("text/event-stream")


def holds_nothing(answer: Response) -> bool:
    """Whether a list, or a stream, is empty."""
    return b"data:" not in answer.body if is_stream(answer) else not answer.value


def tells_nothing(answer: Response, foreign: Things, sent: str) -> bool:
    """Whether no other id of the neighbor is in the answer."""
    ids = {each for each in foreign.by_prefix.values() if each != sent}
    return not any(each in answer.body.decode("utf-8", "replace") for each in ids)


def statuses(answer: Response) -> set[int]:
    """The answer's status; or, where each of many has an answer of its own, all of theirs."""
    value = answer.value if answer.status == 200 and isinstance(answer.value, dict) else {}
    if "results" in value:
        return {each["status"] for each in value["results"]}
    if "rejected" in value:
        assert value["accepted"] == value["duplicates"] == 0
        known = {code.code: code.status for code in CODES.values()}
        return {known[each["code"]] for each in value["rejected"]}
    return {answer.status}


def test_every_place_has_a_case(neighbors: Neighbors) -> None:
    # A property that is named like an id says whose, and there is one of them to put in.
    unsaid = [
        f"{operation}: {way}"
        for operation in IN_ORG
        for way, schema in named_like_ids(body_schema(operation))
        if not any(True for _ in places(schema))
    ]
    assert unsaid == [], "these take ids of nobody knows what"
    # A place for the id of any resource at all, as in the log's filters, takes what there is.
    wanted = {place.prefixes[0] for _, place in IN_BODY if len(place.prefixes) == 1}
    wanted |= {prefixes[0] for _, _, prefixes in IN_QUERY if len(prefixes) == 1}
    wanted |= {
        str(parameter["example"]).partition("_")[0]
        for operation in IN_PATH
        for parameter in operation.parameters
        if parameter["in"] == "path"
    }
    assert wanted - neighbors.foreign.by_prefix.keys() == set(), "things_of makes none of these"
    print(
        f"foreign ids: {len(IN_PATH)} paths, {len(IN_BODY)} places in bodies,"
        f" {len(IN_QUERY)} in queries, each × {len(neighbors.askers)} callers"
    )


@pytest.mark.parametrize("operation", IN_PATH, ids=str)
async def test_in_the_path(operation: Operation, neighbors: Neighbors) -> None:
    # The same 404 as for an unknown id, whatever version or idempotency key comes with it.
    before = await fingerprint(neighbors.theirs)
    foreign = Things({**neighbors.foreign.by_prefix, "org": neighbors.ours.id})
    nobody = Things({prefix: unknown(prefix) for prefix in foreign.by_prefix})
    nobody.by_prefix["org"] = neighbors.ours.id
    for name, client in neighbors.askers.items():
        for headers in ({}, {"if_match": '"1"'}):
            theirs = await operation.ask(client, foreign, **headers)
            none = await operation.ask(client, nobody, **headers)
            ids = (*foreign.by_prefix.values(), *nobody.by_prefix.values())
            assert said(theirs, *ids) == said(none, *ids), name
            assert theirs.status in {403, 404}, (name, theirs.body)
    assert (await operation.ask(neighbors.askers["owner"], foreign)).status == 404
    assert await fingerprint(neighbors.theirs) == before


@pytest.mark.parametrize(
    ("operation", "place"), IN_BODY, ids=[f"{operation} {place}" for operation, place in IN_BODY]
)
async def test_in_the_body(operation: Operation, place: Place, neighbors: Neighbors) -> None:
    # Among ids of one's own, at any depth: refused like an unknown one, and nothing there changes.
    before = await fingerprint(neighbors.theirs)
    schema, path = body_schema(operation), operation.filled_path(neighbors.things)
    for prefix in neighbors.foreign.by_prefix.keys() & set(place.prefixes):
        there, nowhere = neighbors.foreign.by_prefix[prefix], unknown(prefix)
        for name, client in neighbors.askers.items():
            answers = []
            for value in (there, nowhere):
                example = neighbors.things.fill(copy.deepcopy(operation.body))
                body = put(schema, example, place.way, value)
                answers.append(await client.ask(operation.method, path, body))
            foreign, none = answers
            assert statuses(foreign) <= {400, 403, 404, 409}, (name, foreign.body)
            assert said(foreign, there, nowhere) == said(none, there, nowhere), name
            assert tells_nothing(foreign, neighbors.foreign, there)
    assert await fingerprint(neighbors.theirs) == before


@pytest.mark.parametrize(
    ("operation", "name", "prefixes"),
    IN_QUERY,
    ids=[f"{operation}?{name}" for operation, name, _ in IN_QUERY],
)
async def test_in_the_query(
    operation: Operation, name: str, prefixes: tuple[str, ...], neighbors: Neighbors
) -> None:
    # A filter by a foreign id finds what a filter by an unknown one finds: nothing.
    path = operation.filled_path(neighbors.things)
    for prefix in neighbors.foreign.by_prefix.keys() & set(prefixes):
        there, nowhere = neighbors.foreign.by_prefix[prefix], unknown(prefix)
        askers = neighbors.askers.values()
        asked = (
            each.get(f"{path}?{name}={value}") for each in askers for value in (there, nowhere)
        )
        answers = await asyncio.gather(*asked)  # at once: of a stream each waits for a moment
        for foreign, none in zip(answers[::2], answers[1::2], strict=True):
            assert said(foreign, there, nowhere) == said(none, there, nowhere)
            assert foreign.status in {200, 400, 403, 404}, foreign.body
            assert foreign.status != 200 or holds_nothing(foreign), foreign.body
            assert tells_nothing(foreign, neighbors.foreign, there)


@pytest.mark.parametrize(
    "operation",
    [
        each
        for each in IN_ORG
        if each.method == "GET"
        and any(parameter["name"] == "after" for parameter in each.parameters)
    ],
    ids=str,
)
async def test_a_foreign_cursor(operation: Operation, neighbors: Neighbors, anyone: Client) -> None:
    # A place in somebody else's list is no place in this one.
    there = anyone.bearing(neighbors.theirs.access_token, neighbors.theirs.id)
    piece = await there.get(f"{operation.filled_path(neighbors.foreign)}?limit=1")
    is_list = piece.status == 200 and not is_stream(piece)
    last = piece.json["meta"]["nextCursor"] if is_list else None
    cursor = last or neighbors.foreign.by_prefix["evt"]
    path = operation.filled_path(neighbors.things)
    refused = await neighbors.askers["owner"].get(f"{path}?after={quote(cursor)}")
    assert (refused.status, refused.fields) == (400, {"after"}), refused.body


@pytest.mark.parametrize(
    "operation",
    [each for each in IN_ORG if each.method == "POST" and each.path.count("/") == 2],
    ids=str,
)
async def test_a_foreign_idempotency_key_and_text(
    operation: Operation, neighbors: Neighbors, anyone: Client
) -> None:
    # Their key is not ours, and their ids in our texts are texts: never their answer or their row.
    there = anyone.bearing(neighbors.theirs.access_token, neighbors.theirs.id)
    key = f"shared {operation.path}".replace(" ", "-")
    await operation.ask(there, neighbors.foreign, idempotency_key=key)
    before = await fingerprint(neighbors.theirs)
    example = neighbors.things.fill(copy.deepcopy(operation.body))
    if isinstance(example, dict) and "metadata" in example:
        example["metadata"] = dict(neighbors.foreign.by_prefix)
    ours = await neighbors.askers["owner"].ask(
        operation.method, operation.path, example, headers={"idempotency_key": key}
    )
    assert "idempotent-replayed" not in ours.headers
    assert ours.status != 422, ours.body
    if not (isinstance(example, dict) and "metadata" in example):
        assert tells_nothing(ours, neighbors.foreign, "")
    assert await fingerprint(neighbors.theirs) == before
