"""Every operation of the document: who may, whose is it, and what it does with hostile input."""

import pytest
from tests.api.client import Client
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things, key_client, things_of
from tests.support.world import Org, World

from bursar.domain.access import Permission

guarded = pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.audience != "anyone"], ids=str
)
IN_ORG = {"org", "path_org"}


@pytest.fixture(scope="module")
async def own(world: World) -> Things:
    """Ids that exist nowhere but have the right shape, in an organization that does."""
    return Things({"org": (await world.org()).id})


@pytest.fixture(scope="module")
async def neighbor(world: World) -> tuple[Org, Things]:
    """Another organization, full of things."""
    org = await world.org()
    return org, await things_of(org)


@pytest.fixture(scope="module")
async def unmoved(world: World, anyone: Client) -> tuple[Client, Things]:
    """An owner and one of each of their things; nothing that is asked of them is done."""
    org = await world.org()
    return anyone.bearing(org.access_token, org.id), await things_of(org)


@pytest.fixture(scope="module")
async def stranger(world: World, anyone: Client) -> tuple[Org, Client]:
    """An organization elsewhere, and a key of it."""
    org = await world.org()
    return org, await key_client(org, "billing:write", anyone)


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


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.audience in IN_ORG], ids=str
)
async def test_a_stranger(
    operation: Operation,
    anyone: Client,
    stranger: tuple[Org, Client],
    neighbor: tuple[Org, Things],
) -> None:
    # Somebody signed in elsewhere is told that there is no such organization.
    elsewhere, key = stranger
    client = anyone.bearing(elsewhere.access_token, neighbor[0].id)
    answer = await operation.ask(client, neighbor[1])
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    answer = await operation.ask(key, neighbor[1], x_org_id=neighbor[0].id)
    assert answer.status in {403, 404}, answer.body


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
async def test_hostile_bodies(
    operation: Operation, world: World, unmoved: tuple[Client, Things]
) -> None:
    # Each is a 4xx that names a field; none is a 500, and nobody sees an unhandled exception.
    owner, things = unmoved
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
    operation: Operation, world: World, unmoved: tuple[Client, Things]
) -> None:
    # A query that means nothing here is a 400 that names the parameter.
    owner, things = unmoved
    path = operation.filled_path(things)
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
async def test_hostile_ids(operation: Operation, text: str, unmoved: tuple[Client, Things]) -> None:
    # What is no id of the noun is a 400 that names the parameter.
    owner, _ = unmoved
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
