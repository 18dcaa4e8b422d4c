"""Saved views: one's own and those that are shared, and nobody changes what is not theirs."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.api.people import key_client, member
from tests.support.world import Org, World

from bursar.domain.access import Role
from bursar.domain.saved_views import VIEWS_MAX

BODY: dict[str, Any] = {"name": "Open ones", "list": "invoices", "query": "status=open"}


async def test_a_view_is_kept_changed_and_removed(owner: Client) -> None:
    # What was saved is told again, by itself and in its list; then it is called something else.
    made = await owner.post("/v1/saved-views", BODY)
    assert (made.status, made.value["own"], made.value["shared"]) == (201, True, False), made.body
    path = f"/v1/saved-views/{made.value['id']}"
    assert (await owner.get(path)).value == made.value
    await owner.post("/v1/saved-views", BODY | {"list": "payments"})
    listed = await owner.get("/v1/saved-views?list=invoices")
    assert [each["id"] for each in listed.value] == [made.value["id"]]
    changed = await owner.patch(path, {"name": "Late ones", "query": "status=open&sort=createdAt"})
    assert changed.value["name"] == "Late ones"
    assert changed.value["query"] == "status=open&sort=createdAt"
    assert changed.value["list"] == "invoices"
    assert (await owner.delete(path)).status == 204
    assert (await owner.get(path)).status == 404


async def test_views_are_private_until_they_are_shared(
    world: World, org: Org, owner: Client, anyone: Client
) -> None:
    # A colleague sees a shared one and leaves it as it is; the owner of the house may remove it.
    vera = await member(world, org, Role.VIEWER, anyone)
    made = (await vera.post("/v1/saved-views", BODY)).value
    path = f"/v1/saved-views/{made['id']}"
    assert (await owner.get(path)).status == 404
    assert (await owner.patch(path, {"name": "Mine"})).status == 404
    assert (await owner.delete(path)).status == 404
    assert (await owner.get("/v1/saved-views")).value == []
    assert (await vera.patch(path, {"shared": True})).status == 200
    seen = (await owner.get(path)).value
    assert (seen["own"], seen["shared"]) == (False, True)
    walter = await member(world, org, Role.ACCOUNTANT, anyone)
    assert [each["id"] for each in (await walter.get("/v1/saved-views")).value] == [made["id"]]
    assert (await walter.patch(path, {"name": "Mine"})).status == 403
    assert (await walter.delete(path)).status == 403
    assert (await owner.delete(path)).status == 204


async def test_views_stay_in_their_organization(
    world: World, owner: Client, anyone: Client
) -> None:
    # Even a shared one is like none at all next door.
    made = (await owner.post("/v1/saved-views", BODY | {"shared": True})).value
    neighbor = await world.org()
    stranger = anyone.bearing(neighbor.access_token, neighbor.id)
    path = f"/v1/saved-views/{made['id']}"
    assert (await stranger.get(path)).status == 404
    assert (await stranger.patch(path, {"name": "x"})).status == 404
    assert (await stranger.delete(path)).status == 404
    assert (await stranger.get("/v1/saved-views")).value == []


async def test_programs_save_nothing(org: Org, anyone: Client) -> None:
    # A view is a person's: no scope gives it to a key.
    program = await key_client(org, "billing:write", anyone)
    assert (await program.post("/v1/saved-views", BODY)).status == 403
    assert (await program.get("/v1/saved-views")).status == 403


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("list", "../admin"),
        ("list", "//elsewhere.example"),
        ("list", ""),
        ("query", 'status="><script>'),
        ("query", "status=open#x"),
        ("query", "status=open\r\nSet-Cookie: a=b"),
        ("query", "a" * 1001),
        ("name", ""),
    ],
)
async def test_a_view_leads_nowhere_else(field: str, text: str, owner: Client) -> None:
    # What becomes an address is letters of an address, and the name of a list.
    answer = await owner.post("/v1/saved-views", BODY | {field: text})
    assert (answer.status, answer.fields) == (400, {field})


async def test_a_person_keeps_so_many(owner: Client) -> None:
    # One more than the most is refused, and says so; one less, and there is room again.
    made = [await owner.post("/v1/saved-views", BODY) for _ in range(VIEWS_MAX)]
    refused = await owner.post("/v1/saved-views", BODY)
    assert refused.status == 409
    assert "at most" in refused.error["message"]
    await owner.delete(f"/v1/saved-views/{made[0].value['id']}")
    assert (await owner.post("/v1/saved-views", BODY)).status == 201
