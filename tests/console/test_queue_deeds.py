"""What operators decide about queues from a page: letters, and queues that are halted."""

import pytest
from tests.api.client import Client, Response
from tests.console.browser import OWN, Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.dead_letters import dead_letters
from tests.support.world import PASSWORD, World

from bursar.console.nouns.shape import Deed
from bursar.console.pages import QUEUES
from bursar.console.queue_deeds import DEEDS
from bursar.flows.sign_in import SignUp, sign_up
from bursar.runtime.ids import new_uuid


@pytest.fixture(scope="module")
async def otto(world: World, anyone: Client) -> Browser:
    """Somebody who runs this installation, at a page."""
    who = SignUp(f"{new_uuid().hex}@example.com", "Otto", PASSWORD, is_operator=True)
    signed = await sign_up(world.system(None), who)
    return signed_in(world.app, anyone, signed.access_token, "")


async def pressed(otto: Browser, place: str, **typed: str) -> Response:
    """Open a button's page and press it."""
    shown = await otto.get(place)
    assert shown.status == 200, text_of(shown)
    return await otto.post(place.partition("?")[0], read(shown).fields | typed, **OWN)


async def leading(otto: Browser, slug: str, about: str) -> str:
    """Where this button of the page of queues leads, for the row that this is about."""
    links = read(await otto.get(QUEUES)).links
    return next(each for each in links if each.startswith(f"{QUEUES}/{slug}?") and about in each)


async def _fates(world: World, ids: list[int]) -> dict[int, str]:
    async with world.app.database.machine() as connection:
        rows = await connection.fetch(
            "SELECT id, status::text FROM queue.pgqueuer WHERE id = ANY($1)", ids
        )
    return {row["id"]: row["status"] for row in rows}


async def test_letters_are_decided_about(world: World, otto: Browser) -> None:
    # One is tried again, one thrown away with a reason, and the rest tried again alike.
    async with dead_letters(world) as held:
        first, second, third = held.ids
        again = await pressed(otto, await leading(otto, "retry", f"={first}"))
        assert (again.status, again.headers["location"]) == (303, QUEUES)
        gone = await leading(otto, "discard", f"={second}")
        unsaid = await pressed(otto, gone)
        assert (unsaid.status, "say why" in text_of(unsaid)) == (400, True)
        assert (await pressed(otto, gone, _reason="asked for twice")).status == 303
        assert await _fates(world, held.ids) == {first: "queued", third: "failed"}
        alike = await leading(otto, "retry-alike", "error=PlannedFault")
        assert (await pressed(otto, alike)).status == 303
        assert await _fates(world, held.ids) == {first: "queued", third: "queued"}


async def test_all_letters_are_seen(world: World, otto: Browser) -> None:
    # The page shows the latest ten and says where the others are; there each has its buttons.
    async with dead_letters(world, 12):
        links = read(await otto.get(QUEUES)).links
        assert len([each for each in links if each.startswith(f"{QUEUES}/retry?")]) == 10
        whole = next(each for each in links if each.startswith(f"{QUEUES}?all="))
        links = read(await otto.get(whole)).links
        assert len([each for each in links if each.startswith(f"{QUEUES}/retry?")]) == 12
        assert whole not in links


async def test_a_queue_is_halted(world: World, otto: Browser) -> None:
    # With a reason; then its button lets it go on.
    async with dead_letters(world):
        halt = await leading(otto, "pause", "=integrations")
        assert (await pressed(otto, halt, _reason="the receiver moves")).status == 303
        on = await leading(otto, "resume", "=integrations")
        assert (await pressed(otto, on)).status == 303
        assert await leading(otto, "pause", "=integrations")


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 40, "1.5", "²"])
async def test_a_letter_that_is_none(number: str, otto: Browser) -> None:
    # Whatever stands where a number should is said to be wrong; nothing breaks.
    answer = await pressed(otto, f"{QUEUES}/retry", jobIds=number)
    assert answer.status == 400, text_of(answer)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda each: each.slug)
async def test_others_find_nothing(deed: Deed, stage: Stage) -> None:
    # No button is there for somebody who does not run the installation, by page or by hand.
    place = f"{QUEUES}/{deed.slug}"
    assert (await stage.owner.get(place)).status == 404
    typed = {"_token": stage.owner.token, "_reason": "x", "jobIds": "1", "queue": "payments"}
    typed |= {"kind": "SyncCustomer", "error": "x", "perSecond": "1"}
    assert (await stage.owner.post(place, typed, **OWN)).status == 404
