"""Somebody at the console in a real browser, and axe-core, which judges what they see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

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


async def enter(page: Page, shop: Storefront) -> str:
    """In by the form; where the pages of the organization begin."""
    me = await shop.ask("GET", "/v1/auth/me")
    await page.goto(f"{shop.url}/console")
    await page.fill("#email", me["email"])
    await page.fill("#password", PASSWORD)
    await page.click("button[type=submit]")
    await expect(page.locator("h1")).to_have_text(me["memberships"][0]["name"])
    return root_of(shop)


@dataclass
class Desk:
    """A page of the console, and whoever sits there."""

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

    async def click(self, place: Locator) -> None:
        """A link or a button."""
        await place.click()

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


_TABS_MAX: Final = 150
_IS_FOCUSED: Final = "each => each === document.activeElement"


class KeyboardDesk(Desk):
    """Somebody without a mouse: whatever is clicked, filled in or chosen is reached by Tab."""

    async def click(self, place: Locator) -> None:
        """Followed or pressed by Enter."""
        await self.reach(place)
        await self.page.keyboard.press("Enter")

    async def fill(self, place: Locator, text: str) -> None:
        """Typed letter by letter."""
        await self.reach(place)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

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
    browser: Browser, shop: Storefront, *, size: str = "desktop", look: str = "light", **more: Any
) -> AsyncIterator[Desk]:
    """Somebody signed in; with what a browser kept (`storage_state`) nothing is typed."""
    async with visitor(browser, size=size, look=look, **more) as olga:
        if "storage_state" not in more:
            await enter(olga.page, shop)
        yield Desk(olga.page, root_of(shop), olga.complaints)


@asynccontextmanager
async def keyboard_desk(browser: Browser, shop: Storefront) -> AsyncIterator[KeyboardDesk]:
    """Somebody before the sign-in page, with nothing but a keyboard."""
    async with visitor(browser) as olga:
        yield KeyboardDesk(olga.page, root_of(shop), olga.complaints)


def root_of(shop: Storefront) -> str:
    """Where the pages of the organization begin."""
    return f"{shop.url}/console/{shop.headers['x-org-id']}"
