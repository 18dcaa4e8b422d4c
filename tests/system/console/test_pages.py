"""Every page of the console in a real browser: nothing from elsewhere, no barrier, no overflow."""

from collections.abc import AsyncIterator, Iterable

import pytest
from playwright.async_api import Browser, Page, StorageState, ViewportSize, expect
from tests.support.desk import Desk, barriers, desk
from tests.support.mail_server import Peer
from tests.support.one_of_each import one_of_each
from tests.support.storefront import PASSWORD, Storefront, storefront, visitor

from bursar.console.account import ACCOUNT
from bursar.console.account import DEEDS as ACCOUNT_DEEDS
from bursar.console.asking import BY_NAME
from bursar.console.nouns.every import NOUNS
from bursar.console.nouns.shape import Noun

pytestmark = pytest.mark.system


def _turned(noun: Noun) -> str:
    """What turns a list around, where it can be."""
    known = BY_NAME[noun.rows].terms.query.__struct_encode_fields__
    return "&sort=createdAt" if "sort" in known else ""


LISTED = [f"/{noun.slug}" for noun in NOUNS if noun.rows or noun.is_single]
NARROWED = [
    f"/{noun.slug}?{each.name}={each.choices[0] if each.choices else ''}{_turned(noun)}"
    for noun in NOUNS
    for each in noun.filters[:1]
]
FORMS = [f"/{noun.slug}/-/{deed.slug}" for noun in NOUNS for deed in noun.makes]
OPENED = {noun.slug: noun for noun in NOUNS if noun.item and not noun.is_single}
SIZES: tuple[ViewportSize, ...] = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})


@pytest.fixture(scope="module")
async def house(mail: tuple[Peer, str]) -> AsyncIterator[Storefront]:
    """An installation of these tests alone: its processor's clock runs days ahead."""
    async with storefront(SMTP_URL=mail[1], EMAIL_FROM="Bursar <bursar@example.com>") as made:
        yield made


@pytest.fixture(scope="module")
async def things(house: Storefront) -> dict[str, str]:
    """One of each, by its noun."""
    return await one_of_each(house)


@pytest.fixture(scope="module")
async def inside(house: Storefront, things: dict[str, str], browser: Browser) -> StorageState:
    """What a browser keeps of its owner; there is something on every list."""
    assert things
    async with desk(browser, house) as olga:
        return await olga.page.context.storage_state()


async def _is_open_to_all(page: Page, place: str) -> None:
    room = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert room <= 0, (place, room)
    assert await barriers(page) == [], place


async def _are_open_to_all(olga: Desk, places: Iterable[str]) -> None:
    """Each page, on a desk and on a phone."""
    for place in places:
        answer = await olga.page.goto(f"{olga.root}{place}")
        assert answer is not None
        assert answer.status == 200, (place, answer.status)
        for size in SIZES:
            await olga.page.set_viewport_size(size)
            await _is_open_to_all(olga.page, place)
    assert olga.complaints == []


@pytest.mark.parametrize(("size", "look"), [("desktop", "dark"), ("phone", "light")])
async def test_every_list(
    house: Storefront, browser: Browser, inside: StorageState, size: str, look: str
) -> None:
    # No page asks anything of elsewhere, breaks its policy, or is wider than its screen; and
    # axe-core finds nothing serious, whichever colors a reader prefers.
    async with desk(browser, house, size=size, look=look, storage_state=inside) as olga:
        asked: set[str] = set()
        olga.page.on("request", lambda request: asked.add(request.url))
        for place in ("", "/analytics", "/search?q=fern", *LISTED, *NARROWED):
            answer = await olga.page.goto(f"{olga.root}{place}")
            assert answer is not None
            assert answer.status == 200, (place, answer.status)
            await _is_open_to_all(olga.page, place)
        assert olga.complaints == []
        assert all(each.startswith((f"{house.url}/console", "data:")) for each in asked)


def _pages_of(noun: Noun, thing_id: str) -> list[str]:
    """A thing's page, the lists inside it, and the page of each of its buttons."""
    place = f"/{noun.slug}/{thing_id}"
    parts = [f"{place}/parts/{part.slug}" for part in noun.parts if part.has_page]
    return [place, *parts, *(f"{place}/{deed.slug}" for deed in noun.deeds)]


async def test_every_thing(
    house: Storefront, browser: Browser, inside: StorageState, things: dict[str, str]
) -> None:
    # The same of what is opened from a list: each kind of thing, what is inside it, its buttons.
    assert things.keys() == OPENED.keys()
    places = [each for slug, known in things.items() for each in _pages_of(OPENED[slug], known)]
    assert any("/parts/" in each for each in places)
    async with desk(browser, house, storage_state=inside) as olga:
        await _are_open_to_all(olga, [*places, f"/invoices/{things['invoices']}/explain"])


async def test_every_form(house: Storefront, browser: Browser, inside: StorageState) -> None:
    # The same of what makes a thing, of what there is only one of, and of one's own account.
    single = [
        f"/{each.slug}/-/{deed.slug}" for each in NOUNS if each.is_single for deed in each.deeds
    ]
    async with desk(browser, house, storage_state=inside) as olga:
        await _are_open_to_all(olga, [*FORMS, *single])
        olga.root = house.url
        own = [f"{ACCOUNT}/{deed.slug}" for deed in ACCOUNT_DEEDS if deed.slug != "end"]
        await _are_open_to_all(olga, [ACCOUNT, *own])


@pytest.mark.parametrize(("size", "look"), [("desktop", "dark"), ("phone", "light")])
async def test_outside(house: Storefront, browser: Browser, size: str, look: str) -> None:
    # The way in, the way back in, and the customer's own page; at last a link that works no more.
    invoice = await house.invoice()
    lost = f"{house.url}/console/forgot-password"
    ways = (f"{house.url}/console/sign-in", lost, f"{lost}?asked=1", invoice["hostedInvoiceUrl"])
    async with visitor(browser, size=size, look=look) as ann:
        for place in ways:
            await ann.page.goto(place)
            await _is_open_to_all(ann.page, place)
        assert ann.complaints == []
        await ann.page.goto(f"{house.url}/account/reset/void")
        await _is_open_to_all(ann.page, "another password")
        await ann.page.fill("input[name=password]", PASSWORD)
        await ann.page.click("button[type=submit]")
        await expect(ann.page.get_by_role("link")).to_have_text("Ask for another link")
        await _is_open_to_all(ann.page, "a link that works no more")


async def test_barriers_are_found(browser: Browser) -> None:
    # The judge judges: a field without a name and gray on gray do not pass.
    async with visitor(browser) as ann:
        await ann.page.set_content("<input><p style='color:#aaa;background:#bbb'>Faint</p>")
        found = [each.partition(":")[0] for each in await barriers(ann.page)]
    assert {"label", "color-contrast"} <= set(found)
