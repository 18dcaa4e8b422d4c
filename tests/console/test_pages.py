"""Every page of every noun: shown to whoever may see it, refused to whoever may not."""

import pytest
from tests.api.client import Client
from tests.console.browser import Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.world import PASSWORD, World

from bursar.console.nouns.every import NOUNS
from bursar.console.nouns.shape import Noun
from bursar.domain.access import ROLE_PERMISSIONS, Role
from bursar.flows.sign_in import SignUp, sign_up
from bursar.runtime.ids import new_uuid


def place_of(noun: Noun, stage: Stage) -> str | None:
    """The page of one of them, if one has a page."""
    if noun.slug == "dunning":
        return None  # nobody is in dunning here; the case has a journey of its own
    if noun.is_single:
        return f"/{noun.slug}"
    if not noun.item:
        return None
    return f"/{noun.slug}/{stage.thing(noun)}"


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.slug)
async def test_pages_by_role(noun: Noun, stage: Stage) -> None:
    # A list and a page are shown to exactly the roles that may ask their routes.
    places = [f"/{noun.slug}"] if noun.rows else []
    for role, browser in stage.browsers.items():
        may = noun.needs in ROLE_PERMISSIONS[role]
        own = place_of(noun, stage) if role in {Role.OWNER, Role.VIEWER} else None
        for place in filter(None, [own, *places]):
            answer = await browser.see(place)
            there = 200 if place in places or stage.has(noun) else 404
            assert answer.status == (there if may else 403), (place, role, answer.body[-900:])


async def test_home(stage: Stage) -> None:
    # The first page is there for everybody in the organization.
    for browser in stage.browsers.values():
        assert (await browser.see()).status == 200


async def test_queues(world: World, anyone: Client, stage: Stage) -> None:
    # Whoever runs the installation sees its queues; to everybody else nothing is there.
    assert (await stage.owner.get("/admin/queues")).status == 404
    assert (await Browser(anyone).get("/admin/queues")).status == 303
    who = SignUp(f"{new_uuid().hex}@example.com", "Otto", PASSWORD, is_operator=True)
    signed = await sign_up(world.system(None), who)
    shown = await signed_in(world.app, anyone, signed.access_token, "").get("/admin/queues")
    assert (shown.status, "payments" in text_of(shown)) == (200, True), shown.body[:600]


async def test_actions_are_found(stage: Stage) -> None:
    # The search field begins things too, for whoever may: by what a button says.
    place = f"/console/{stage.org.id}/plans/-/create"
    assert place in read(await stage.owner.see("/search?q=new+plan")).links
    viewer = stage.browsers[Role.VIEWER]
    assert place not in read(await viewer.see("/search?q=new+plan")).links
    clock = read(await stage.owner.see("/search?q=advance")).links
    assert f"/console/{stage.org.id}/test-clock/-/advance" in clock
