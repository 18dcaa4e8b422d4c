"""Every operation of the document: who may, whose is it, and what it does with hostile input."""

from typing import Any

import pytest
from tests.api.client import Client, Response
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Asker, Things, askers, key_client, things_of
from tests.support.world import Org, World

from bursar.api.errors import CODES
from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
guarded = pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.audience != "anyone"], ids=str
)
IN_ORG = {"org", "path_org"}
TABLES = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relnamespace = 'public'::regnamespace
    ORDER BY 1
"""


@pytest.fixture(scope="module")
async def crowd(world: World, anyone: Client) -> list[Asker]:
    """Everybody in one organization; a draft keeps its owner from deleting it."""
    org = await world.org()
    await org.draft(await org.customer())
    return await askers(world, org, anyone)


@pytest.fixture(scope="module")
async def own(world: World, crowd: list[Asker]) -> Things:
    """Ids that exist nowhere but have the right shape, in the crowd's organization."""
    org_id = crowd[0].client.headers["x-org-id"]
    return Things({"org": org_id})


@pytest.fixture(scope="module")
async def neighbor(world: World) -> tuple[Org, Things]:
    """Another organization, full of things."""
    org = await world.org()
    return org, await things_of(org)


@guarded
async def test_without_credential(operation: Operation, anyone: Client, own: Things) -> None:
    # Nobody gets past the door, and a bad credential is no better than none.
    for headers in (
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Bearer bsk_" + "a" * 38},
        {"authorization": "Basic bm9wZQ=="},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    ):
        answer = await operation.ask(anyone, own, **headers)
        assert answer.status == 401, answer.body
        assert answer.error["code"] == "AUTHENTICATION_ERROR"
        assert answer.headers["www-authenticate"] == "Bearer"


@every_operation
async def test_who_may(
    operation: Operation, crowd: list[Asker], own: Things, world: World, anyone: Client
) -> None:
    # The answer is 403 exactly where the access table has no tick; it names the permission.
    if operation.path.endswith("/leave"):  # whoever may, is gone afterwards
        org = await world.org()
        crowd, own = await askers(world, org, anyone), Things({"org": org.id})
    for asker in crowd:
        answer = await operation.ask(asker.client, own)
        is_for_people = operation.audience == "person"
        may = operation.needs in asker.permissions and (asker.is_person or not is_for_people)
        assert (answer.status != 403) == may, (asker.name, answer.body)
        assert answer.status in operation.statuses, (asker.name, answer.body)
        if not may and not (is_for_people and not asker.is_person):
            assert answer.error["permission"] == operation.needs.value


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.audience in IN_ORG], ids=str
)
async def test_a_stranger(
    operation: Operation, world: World, anyone: Client, neighbor: tuple[Org, Things]
) -> None:
    # Somebody signed in elsewhere is told that there is no such organization.
    stranger = await world.org()
    client = anyone.bearing(stranger.access_token, neighbor[0].id)
    answer = await operation.ask(client, neighbor[1])
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    key = await key_client(stranger, "billing:write", anyone)
    answer = await operation.ask(key, neighbor[1], x_org_id=neighbor[0].id)
    assert answer.status in {403, 404}, answer.body


async def fingerprint(org: Org) -> dict[str, str]:
    """A checksum of every table's rows of one organization."""
    connection = await org.world.house.as_owner()
    try:
        tables = [row["relname"] for row in await connection.fetch(TABLES)]
        return {
            table: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                f" FROM {table} t WHERE t.org_id = $1",
                uuid_of(org.id),
            )
            for table in tables
        }
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.audience == "org" and "{" in each.path],
    ids=str,
)
async def test_another_organizations_id_in_the_path(
    operation: Operation, owner: Client, neighbor: tuple[Org, Things]
) -> None:
    # A foreign id is an unknown id, word for word, and nothing there changes.
    org, things = neighbor
    before = await fingerprint(org)
    foreign = await operation.ask(owner, things)
    unknown_things = Things({prefix: _unknown(prefix) for prefix in things.by_prefix})
    unknown = await operation.ask(owner, unknown_things)
    assert foreign.status == unknown.status == 404, (foreign.body, unknown.body)
    assert _plain(foreign.error, things) == _plain(unknown.error, unknown_things)
    assert await fingerprint(org) == before


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.audience == "org" and each.body],
    ids=str,
)
async def test_another_organizations_id_in_the_body(
    operation: Operation, owner: Client, org: Org, neighbor: tuple[Org, Things]
) -> None:
    # The same holds for an id in the body: our own path, their id.
    theirs, things = neighbor
    filled = things.fill(operation.body)
    if filled == Things({}).fill(operation.body):
        return  # it names nobody
    before = await fingerprint(theirs)
    path = operation.filled_path(await things_of(org))
    answer = await owner.ask(operation.method, path, filled)
    assert _statuses(answer) <= {400, 404}, answer.body
    assert await fingerprint(theirs) == before


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.audience == "org" and each.method == "GET"],
    ids=str,
)
async def test_another_organizations_id_in_the_query(
    operation: Operation, owner: Client, anyone: Client, neighbor: tuple[Org, Things]
) -> None:
    # A filter by a foreign id finds nothing; a foreign cursor is refused.
    if "{" in operation.path:
        return
    theirs, things = neighbor
    for parameter in operation.parameters:
        name, schema = parameter["name"], parameter.get("schema", {})
        example = next(iter(schema.get("examples", [])), "")
        if parameter["in"] != "query" or things.fill(example) == example:
            continue
        answer = await owner.get(f"{operation.path}?{name}={things.fill(example)}")
        assert (answer.status, answer.value) == (200, []), answer.body
    if any(parameter["name"] == "after" for parameter in operation.parameters):
        there = anyone.bearing(theirs.access_token, theirs.id)
        piece = await there.get(f"{operation.path}?limit=1")
        cursor = piece.json["meta"]["nextCursor"] or things.by_prefix["evt"]
        refused = await owner.get(f"{operation.path}?after={cursor}")
        assert (refused.status, refused.fields) == (400, {"after"}), refused.body


def _statuses(answer: Response) -> set[int]:
    """The answer's status; or, where each of many has an answer of its own, all of theirs."""
    if answer.status == 200 and "results" in answer.value:
        return {each["status"] for each in answer.value["results"]}
    if answer.status == 200 and "rejected" in answer.value:
        assert answer.value["accepted"] == answer.value["duplicates"] == 0
        known = {code.code: code.status for code in CODES.values()}
        return {known[each["code"]] for each in answer.value["rejected"]}
    return {answer.status}


def _unknown(prefix: str) -> str:
    return f"{prefix}_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d"


def _plain(error: dict[str, Any], things: Things) -> dict[str, Any]:
    text = str({key: value for key, value in error.items() if key != "requestId"})
    for prefix, value in things.by_prefix.items():
        text = text.replace(value, f"<{prefix}>")
    return {"said": text}


HOSTILE_BODIES: list[bytes] = [
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"a": 1, "a": 2}',
    b'{"unheardOf": 1}',
    b'{"id": "x", "version": 9, "orgId": "y"}',
    b'{"__proto__": {}}',
    b'{"email": "\\u0000@example.com", "name": "\\u0000"}',
    b'{"name": "\\ud800", "email": "a@example.com"}',
    b'{"name": 3056.0}',
    b'{"name": true, "email": [], "lines": {}, "metadata": 5}',
    b'{"metadata": {"a": {"b": 1}}}',
    b'{"lines": [{"quantity": 1e999, "unitAmountCents": NaN}]}',
    b'{"lines": [{"quantity": 99999999999999999999, "description": "x"}]}',
    b'{"name": "4242 4242 4242 4242"}',
    b'{"a":' * 5000,
    b"[" * 20_000,
    b'{"x": "' + b"y" * 200_000 + b'"}',
    b'{"expiresAt": "0001-01-01T00:00:00+14:00", "dueDate": "9999-12-31T23:59:59-14:00"}',
    b'{"url": "http://[::1", "eventTypes": ["*", "nope"], "successUrl": "http://[::1"}',
    b'{"customerId": "cust_\\n", "currency": "USD", "timezone": "../../etc/passwd"}',
]


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.method in {"POST", "PATCH"}], ids=str
)
async def test_hostile_bodies(operation: Operation, world: World, owner: Client, org: Org) -> None:
    # Each is a 4xx that names a field; none is a 500, and nobody sees an unhandled exception.
    things = await things_of(org)
    path = operation.filled_path(things)
    for raw in HOSTILE_BODIES:
        answer = await owner.ask(operation.method, path, raw)
        assert answer.status == 400, (raw[:60], answer.body)
        assert answer.error["code"] == "VALIDATION_ERROR"
        assert answer.fields, answer.body
        assert answer.error["requestId"] == answer.headers["x-request-id"]
    assert _unhandled(world) == 0


HOSTILE_QUERIES = [
    "unheardOf=1",
    "page=0",
    "page=-1",
    "page=1.0",
    "page=1e1",
    "page=%D9%A1",
    "page=99999999999999999999",
    "pageSize=101",
    "pageSize=0",
    "page=1&page=2",
    "page=%00",
    "%00=1",
    "page=%FF",
    "limit=5&page=1",
    "after=zzz",
    "after=" + "A" * 43,
    "after=" + "A" * 300,
    "sort=name",
    "status=nope",
    "status=%00",
    "createdAt[gte]=yesterday",
    "createdAt[lt]=0001-01-01T00:00:00%2B14:00",
    "api_key=bsk_abc",
    "access_token=eyJ.e30.x",
    "&".join(f"k{number}=1" for number in range(60)),
]


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.method == "GET"], ids=str
)
async def test_hostile_queries(
    operation: Operation, world: World, owner: Client, own: Things
) -> None:
    # A query that means nothing here is a 400 that names the parameter.
    path = operation.filled_path(Things({**own.by_prefix, "org": owner.headers["x-org-id"]}))
    for query in HOSTILE_QUERIES:
        answer = await owner.get(f"{path}?{query}")
        assert answer.status == 400, (query, answer.body)
        assert answer.fields, answer.body
    assert _unhandled(world) == 0


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "{" in each.path], ids=str)
@pytest.mark.parametrize(
    "text",
    ["1", "inv_1", "%00", "inv_01970B2E-6F80-7A31-9D42-5C7E8F1A2B3C", "a" * 3000, "%0A", "%FF"],
)
async def test_hostile_ids(operation: Operation, text: str, owner: Client) -> None:
    # What is no id of the noun is a 400 that names the parameter.
    path = operation.path.replace("{", "\0").split("\0")[0]
    rest = operation.path.split("}", 1)[1]
    answer = await owner.ask(operation.method, path + text + rest)
    assert answer.status == 400, answer.body
    assert answer.fields, answer.body


def _unhandled(world: World) -> float:
    samples = [
        sample.value
        for metric in world.app.telemetry.registry.collect()
        for sample in metric.samples
        if sample.name == "unhandled_exceptions_total"
    ]
    return sum(samples)


def test_permissions_are_said() -> None:
    # The document names a permission for every operation, and each of them is known.
    assert all(isinstance(each.needs, Permission) for each in OPERATIONS)
    assert len({each.described["operationId"] for each in OPERATIONS}) == len(OPERATIONS)
