"""API keys over HTTP: where they work from, when they were used, how they rotate and end."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.api.client import Client, Response
from tests.api.people import member
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.domain.access import SCOPE_PERMISSIONS, Role
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.runtime.doors import FoundKey
from bursar.runtime.known_keys import KNOWN_SECONDS, KnownKeys
from bursar.runtime.tokens import new_api_key

KEYS = "/v1/api-keys"
CUSTOMERS = "/v1/customers"
READING = {"name": "k", "scopes": ["billing:read"]}


async def issued(owner: Client, **wanted: object) -> Response:
    return await owner.post(KEYS, {**READING, **wanted})


async def used_at(world: World, key_id: str) -> datetime | None:
    connection = await world.house.as_owner()
    query = "SELECT last_used_at FROM api_keys WHERE id = $1"
    found: datetime | None = await connection.fetchval(query, uuid_of(key_id))
    await connection.close()
    return found


async def used_before(world: World, key_id: str, ago: timedelta) -> None:
    """Pretend that the key was last used that long ago, and wait until nobody remembers it."""
    connection = await world.house.as_owner()
    query = "UPDATE api_keys SET last_used_at = now() - $2::interval WHERE id = $1"
    await connection.execute(query, uuid_of(key_id), ago)
    await connection.close()
    await asyncio.sleep(KNOWN_SECONDS)


@pytest.mark.parametrize(
    ("addresses", "here", "status"),
    [
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "203.0.114.9", 401),
        (["203.0.113.9", "2001:db8::/32"], "2001:db8:1::7", 200),
        (["203.0.113.9"], "::ffff:203.0.113.9", 200),
        ([], "198.51.100.1", 200),
    ],
)
async def test_where_a_key_works_from(
    addresses: list[str], here: str, status: int, owner: Client, anyone: Client
) -> None:
    # Elsewhere it is no better than an unknown key, also when this process has seen it work.
    made = await issued(owner, allowedAddresses=addresses)
    assert made.status == 201, made.body
    asking = replace(anyone.bearing(made.value["key"]), address=here)
    for _ in range(2):
        answer = await asking.get(CUSTOMERS)
        assert answer.status == status
    spoofed = await asking.get(CUSTOMERS, x_forwarded_for="203.0.113.9")
    assert spoofed.status == status, "nobody believes a header that no proxy of ours wrote"


@pytest.mark.parametrize("text", ["203.0.113.9/24", "example.com", "300.1.1.1", "", "::/129"])
async def test_addresses_that_are_none(text: str, owner: Client) -> None:
    # Named by their place in the list.
    made = await issued(owner, allowedAddresses=["203.0.113.9", text])
    assert (made.status, made.fields) == (400, {"allowedAddresses[1]"})


async def test_a_use_is_written_down_once_a_minute(
    world: World, owner: Client, anyone: Client
) -> None:
    # Never used: never written. A use within the minute changes nothing; one after it does.
    made = await issued(owner)
    key_id, key = made.value["id"], anyone.bearing(made.value["key"])
    assert await used_at(world, key_id) is None
    assert (await key.get(CUSTOMERS)).status == 200
    first = await used_at(world, key_id)
    assert first is not None
    await asyncio.sleep(KNOWN_SECONDS)
    await key.get(CUSTOMERS)
    assert await used_at(world, key_id) == first
    await used_before(world, key_id, timedelta(seconds=61))
    answers = await asyncio.gather(*(key.get(CUSTOMERS) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    again = await used_at(world, key_id)
    assert again is not None
    assert again >= first
    shown = (await owner.get(f"{KEYS}/{key_id}")).value
    assert (shown["lastUsedAt"] is not None, shown["version"]) == (True, 1)


async def test_a_rotation(owner: Client, anyone: Client) -> None:
    # The heir may do the same from the same places; the old key has its time, and no second heir.
    made = await issued(owner, allowedAddresses=["127.0.0.0/8"], scopes=["invoices:draft"])
    rotated = await owner.post(f"{KEYS}/{made.value['id']}/rotate", {"overlapSeconds": 3600})
    assert rotated.status == 201, rotated.body
    heir = rotated.value
    assert heir["key"] != made.value["key"]
    for same in ("name", "scopes", "allowedAddresses"):
        assert heir[same] == made.value[same]
    for key in (made.value["key"], heir["key"]):
        assert (await anyone.bearing(key).get("/v1/invoices")).status == 200
    old = (await owner.get(f"{KEYS}/{made.value['id']}")).value
    assert old["successorId"] == heir["id"]
    ends_in = datetime.fromisoformat(old["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < ends_in <= timedelta(hours=1)
    again = await owner.post(f"{KEYS}/{made.value['id']}/rotate")
    assert (again.status, again.error["code"]) == (409, "CONFLICT")
    too_long = await owner.post(f"{KEYS}/{heir['id']}/rotate", {"overlapSeconds": 604_801})
    assert too_long.fields == {"overlapSeconds"}


async def test_a_rotation_at_once(owner: Client, anyone: Client) -> None:
    # Without an overlap the old key is over when the new one begins; and races make one heir.
    made = await issued(owner)
    path = f"{KEYS}/{made.value['id']}/rotate"
    answers = await asyncio.gather(*(owner.post(path, {"overlapSeconds": 0}) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert (await anyone.bearing(made.value["key"]).get(CUSTOMERS)).status == 401


async def test_a_key_makes_no_key(world: World, org: Org, anyone: Client, owner: Client) -> None:
    # Whatever its scopes: keys, members, the organization and its audit log are for people.
    every = [scope for scope in SCOPE_PERMISSIONS if scope.endswith((":write", ":read"))]
    made = await issued(owner, scopes=every[:20])
    key = anyone.bearing(made.value["key"])
    viewer = await member(world, org, Role.VIEWER, anyone)
    for client in (key, viewer):
        tries = [
            await client.post(KEYS, READING),
            await client.get(KEYS),
            await client.post(f"{KEYS}/{made.value['id']}/rotate"),
            await client.post(f"{KEYS}/{made.value['id']}/revoke"),
            await client.post(
                "/v1/members/invitations", {"email": "x@example.com", "role": "viewer"}
            ),
            await client.get("/v1/audit-log"),
            await client.delete(f"/v1/organizations/{org.id}"),
        ]
        assert {answer.status for answer in tries} == {403}


class Noting(KnownKeys):
    """Notes how often a key is asked for."""

    asked = 0

    def get(self, key_hash: bytes) -> FoundKey | None:
        self.asked += 1
        return super().get(key_hash)


async def test_a_mistyped_key_is_refused_without_a_look_up(world: World) -> None:
    # The check digits say so; only a well-made key is looked for.
    noting = Noting()
    stranger = Client(build_api(replace(world.app, known_keys=noting)))
    good = new_api_key()
    swapped = good[:10] + ("a" if good[10] != "a" else "b") + good[11:]
    for text in ("bsk_", good[:-1], good + "a", swapped, good.lower(), "bsk_" + "\u00e9" * 38):
        assert (await stranger.bearing(text).get(CUSTOMERS)).status == 401
    assert noting.asked == 0
    assert (await stranger.bearing(good).get(CUSTOMERS)).status == 401
    assert noting.asked == 1
