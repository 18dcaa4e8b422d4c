"""Somebody at the console in a real browser, and axe-core, which judges what they see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, ClassVar, Final

from playwright.async_api import Browser, Locator, Page, expect
from tests.support.storefront import PASSWORD, Storefront, visitor

_AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_JUDGED: Final = """
async () => {
  const found = await axe.run({resultTypes: ["violations"]});
  return found.violations
    .filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.html).join(" | ")}`);
}
"""


async def barriers(page: Page) -> list[str]:
    """What stands in the way of somebody who cannot see, hear or point as others do."""
    await page.evaluate(_AXE)
    found: list[str] = await page.evaluate(_JUDGED)
    return found


@dataclass
class Desk:
    """A page of the console, and whoever sits there."""

    hand: ClassVar[str] = "mouse"
    page: Page
    root: str
    complaints: list[str]

    async def go(self, place: str = "") -> None:
        """To a page of the organization."""
        await self.page.goto(f"{self.root}{place}")

    async def press(self, button: str, **typed: str) -> None:
        """Follow a button to its page, fill that in, look at any preview, and press."""
        page = self.page
        await self.click(page.locator("main .acts").get_by_role("link", name=button, exact=True))
        await expect(page.locator("h1")).to_have_text(button)
        for name, text in typed.items():
            await self.type(name, text)
        preview = page.get_by_role("button", name="Preview", exact=True)
        if await preview.count():
            await self.click(preview)
            await expect(page.locator(".lead")).to_contain_text("Nothing has happened yet")
        await self.click(page.get_by_role("button", name=button, exact=True))
        await expect(page.locator("h1")).not_to_contain_text(button)

    async def type(self, name: str, text: str) -> None:
        """Into a field, or one of its choices."""
        place = self.page.locator(f"[name='{name}']")
        if await place.evaluate("each => each.tagName") == "SELECT":
            await self.choose(place, text)
        else:
            await self.fill(place, text)

    async def follow(self, where: str) -> None:
        """The first link or button of the page that is so."""
        await self.click(self.page.locator(where).first)

    async def search(self, words: str) -> None:
        """By the field above every page."""
        field = self.page.locator("#q")
        await self.fill(field, words)
        await field.press("Enter")

    async def click(self, place: Locator) -> None:
        """A link or a button."""
        await place.click()

    async def twice(self, place: Locator) -> None:
        """Impatiently."""
        await place.dblclick()

    async def reach(self, place: Locator) -> None:
        """To where it could be clicked, and no further."""
        await expect(place).to_be_visible()

    async def fill(self, place: Locator, text: str) -> None:
        """A field, with whatever stood there gone."""
        await place.fill(text)

    async def choose(self, place: Locator, value: str) -> None:
        """One of a few."""
        await place.select_option(value)

    async def stands_as(self, state: str) -> None:
        """Beside its name the page says that the thing is in this state."""
        await expect(self.page.locator("h1 .badge")).to_have_text(state)

    async def tells(self, text: str) -> None:
        """The page says so."""
        await expect(self.page.locator("main")).to_contain_text(text)

    async def open(self, part: str) -> None:
        """The first thing of a table of the page, or of the list."""
        where = f"section:has(h2:text-is('{part}')) a.first" if part else "a.first"
        await self.click(self.page.locator(where).first)


async def enter(there: Desk, shop: Storefront) -> None:
    """In by the form, to the first page of the organization."""
    me = await shop.ask("GET", "/v1/auth/me")
    await there.page.goto(f"{shop.url}/console")
    await sign_in(there, me["email"])
    await expect(there.page.locator("h1")).to_have_text(me["memberships"][0]["name"])
    await there.page.wait_for_load_state()  # whoever leaves sooner gives up the charts


async def sign_in(there: Desk, email: str) -> None:
    """What the first form asks for, typed and sent."""
    await there.fill(there.page.locator("#email"), email)
    await there.fill(there.page.locator("#password"), PASSWORD)
    await there.follow("button[type=submit]")


_TABS_MAX: Final = 250
_PARTS: Final = 6  # of a moment: day, month, year, hour, minute, half of the day
_IS_FOCUSED: Final = """
each => each.closest("a, button, summary, input, select, textarea") === document.activeElement
"""


class KeyboardDesk(Desk):
    """Somebody without a mouse: whatever is clicked, filled in or chosen is reached by Tab."""

    hand: ClassVar[str] = "keyboard"

    async def click(self, place: Locator) -> None:
        """Followed or pressed by Enter, with whatever comes of it awaited as after a click."""
        await self.reach(place)
        await self.page.locator(":focus").press("Enter")

    async def twice(self, place: Locator) -> None:
        """Enter, and Enter before anything has come of it."""
        await self.reach(place)
        await self.page.keyboard.press("Enter")
        await self.page.keyboard.press("Enter")

    async def fill(self, place: Locator, text: str) -> None:
        """Typed letter by letter."""
        await self.reach(place)
        if await place.get_attribute("type") == "datetime-local":
            await self._moment(place, text)
            return
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def _moment(self, place: Locator, text: str) -> None:
        """Part by part, in whichever order the browser shows them."""
        at, keyboard = datetime.fromisoformat(text), self.page.keyboard
        for day, time in (("%d%m%Y", "%H%M"), ("%m%d%Y", "%I%M%p"), ("%m%d%Y", "%H%M")):
            for _ in range(_PARTS):
                await keyboard.press("ArrowLeft")
            await keyboard.type(at.strftime(day))
            await keyboard.press("ArrowRight")
            await keyboard.type(at.strftime(time))
            if await place.input_value() == text:
                return
        raise AssertionError(f"{text} is not typed: {await place.input_value()}")

    async def choose(self, place: Locator, value: str) -> None:
        """By the arrows, from the first on."""
        await self.reach(place)
        await self.page.keyboard.press("Home")
        for _ in range(await place.locator("option").count()):
            if await place.input_value() == value:
                return
            await self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no choice {value}")

    async def reach(self, place: Locator) -> None:
        """Tab by Tab, with a ring around wherever one is."""
        await expect(place).to_be_visible()
        for _ in range(_TABS_MAX):
            if await place.evaluate(_IS_FOCUSED):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"{place} is not reached by Tab")


@asynccontextmanager
async def desk(
    browser: Browser, shop: Storefront, *, by: type[Desk] = Desk, **more: Any
) -> AsyncIterator[Desk]:
    """Somebody signed in; with what a browser kept (`storage_state`) nothing is typed."""
    async with visitor(browser, **more) as olga:
        there = by(olga.page, root_of(shop), olga.complaints)
        if "storage_state" not in more:
            await enter(there, shop)
        yield there


@asynccontextmanager
async def stranger(
    browser: Browser, shop: Storefront, *, by: type[Desk] = Desk, **more: Any
) -> AsyncIterator[Desk]:
    """Somebody who is not in yet."""
    async with visitor(browser, **more) as ann:
        yield by(ann.page, root_of(shop), ann.complaints)


def root_of(shop: Storefront) -> str:
    """Where the pages of the organization begin."""
    return f"{shop.url}/console/{shop.headers['x-org-id']}"
