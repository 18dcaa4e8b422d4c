"""The console in a real browser: a day's journeys, every page, desktop and phone, by keyboard."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.support.storefront import PASSWORD, Storefront, Visitor, chromium, storefront, visitor

from bursar.console.nouns.every import NOUNS
from bursar.runtime import totp

pytestmark = pytest.mark.system

LISTED = [noun.slug for noun in NOUNS if noun.rows or noun.is_single]


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Storefront]:
    async with storefront() as made:
        yield made


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def sign_in(shop: Storefront, olga: Visitor) -> str:
    """Where the pages of the organization begin, once she is in."""
    me = await shop.ask("GET", "/v1/auth/me")
    page = olga.page
    await page.goto(f"{shop.url}/console")
    await page.fill("#email", me["email"])
    await page.fill("#password", PASSWORD)
    await page.click("button[type=submit]")
    await expect(page.locator("h1")).to_have_text("Harbour & Finch Ltd")
    return f"{shop.url}/console/{shop.headers['x-org-id']}"


async def press(page: Page, button: str, **typed: str) -> None:
    """Follow a button to its page, fill that in, look at the preview if there is one, and press."""
    await page.locator("main .acts").get_by_role("link", name=button, exact=True).click()
    await expect(page.locator("h1")).to_have_text(button)
    for name, text in typed.items():
        await page.fill(f"[name='{name}']", text)
    preview = page.get_by_role("button", name="Preview", exact=True)
    if await preview.count():
        await preview.click()
        await expect(page.locator(".lead")).to_contain_text("Nothing has happened yet")
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.locator("h1")).not_to_contain_text(button)


@pytest.mark.parametrize("has_scripts", [True, False])
@pytest.mark.parametrize("size", ["desktop", "phone"])
async def test_a_day(shop: Storefront, browser: Browser, size: str, *, has_scripts: bool) -> None:
    # From a new customer to a refund, on any screen, with and without JavaScript.
    async with visitor(browser, size=size, java_script_enabled=has_scripts) as olga:
        page, root = olga.page, await sign_in(shop, olga)
        await page.goto(f"{root}/customers")
        await press(page, "New customer", email="fjord@example.com", name="Fjord Foods")
        customer = page.url.rpartition("/")[2]
        body = {"customerId": customer, "providerToken": "pm_card_visa"}
        await shop.ask("POST", "/v1/payment-methods", body)
        line = {"lines.0.description": "Planning", "lines.0.unit": "1250.50"}
        await press(page, "New invoice", **line)
        await expect(page.locator("h1 .badge")).to_have_text("draft")
        await press(page, "Finalize")
        await expect(page.locator("h1 .badge")).to_have_text("open")
        await press(page, "Send")
        await press(page, "Charge the card", _reason="agreed by phone")
        await expect(page.locator("h1 .badge")).to_have_text("paid")
        await page.click("text=Why this amount")
        await expect(page.locator(".alert.good")).to_contain_text("the same to the cent")
        await page.go_back()
        await page.click("section:has(h2:text-is('Payments')) a.first")
        await press(page, "Refund a part", amountCents="250.50", _reason="a day less")
        await expect(page.locator(".facts")).to_contain_text("250.50")
        assert olga.complaints == []


async def test_a_second_factor(shop: Storefront, browser: Browser) -> None:
    # The password is typed once, the code on a page of its own; signing out ends it.
    other = Storefront(shop.session, shop.url)
    await other.open("Factor Ltd")
    begun = await other.ask("POST", "/v1/auth/totp", {"password": PASSWORD})
    letters = begun["secret"]
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    step = totp.step_of(datetime.now(UTC))
    code = totp.code_at(secret, step - 1)
    await other.ask("POST", "/v1/auth/totp/confirm", {"code": code})
    me = await other.ask("GET", "/v1/auth/me")
    async with visitor(browser) as olga:
        page = olga.page
        await page.goto(f"{shop.url}/console")
        await page.fill("#email", me["email"])
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.fill("#code", totp.code_at(secret, step))
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Factor Ltd")
        await page.click(".me summary")
        await page.click("text=Sign out")
        await expect(page.locator("h1")).to_have_text("Sign in")


async def test_an_upgrade(shop: Storefront, browser: Browser) -> None:
    # A change of plan shows what it costs before it happens.
    plans = [await _plan(shop, name, cents) for name, cents in (("Team", 4900), ("Scale", 19900))]
    customer = await shop.customer("Iris Imaging")
    body = {"customerId": customer["id"], "planId": plans[0]["id"]}
    subscription = await shop.ask("POST", "/v1/subscriptions", body)
    async with visitor(browser) as olga:
        root = await sign_in(shop, olga)
        await olga.page.goto(f"{root}/subscriptions/{subscription['id']}")
        await expect(olga.page.locator(".facts")).to_contain_text("Team")
        await press(olga.page, "Change plan", planId=plans[1]["id"], _reason="they grow")
        await expect(olga.page.locator(".facts")).to_contain_text("Scale")
        assert olga.complaints == []


async def _plan(shop: Storefront, name: str, cents: int) -> Any:
    terms = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": cents}
    return await shop.ask("POST", "/v1/plans", terms | {"name": name})


async def test_an_endpoint(shop: Storefront, browser: Browser) -> None:
    # A secret is shown once; a test is sent, and its delivery stands on the page.
    async with visitor(browser) as olga:
        root = await sign_in(shop, olga)
        page = olga.page
        await page.goto(f"{root}/webhooks")
        await press(page, "New endpoint", url="https://example.com/hook", eventTypes="*")
        await expect(page.locator("pre")).to_contain_text("whsec_")
        await page.click("text=I have it")
        await press(page, "Send a test")
        await page.goto(f"{root}/webhooks")
        await page.click("a.first")
        await expect(page.locator("section:has(h2:text-is('Deliveries')) tbody tr")).to_have_count(
            1
        )


async def test_time_passes(shop: Storefront, browser: Browser) -> None:
    # The clock is stopped, a month passes, and the clock says so.
    other = Storefront(shop.session, shop.url)
    await other.open()
    async with visitor(browser) as olga:
        root = await sign_in(other, olga)
        page = olga.page
        await page.goto(f"{root}/test-clock")
        await press(page, "Stop the clock", now="2024-01-31T09:00")
        await press(page, "Advance", by="1 month")
        for _ in range(40):
            await page.goto(f"{root}/test-clock")
            if "29 Feb 2024" in await page.locator(".facts").inner_text():
                return
            await asyncio.sleep(0.5)
        raise AssertionError(await page.locator(".facts").inner_text())


async def test_by_keyboard(shop: Storefront, browser: Browser) -> None:
    # Past the navigation, into a list, to a thing and to a button without touching a mouse.
    await shop.customer("Keyboard Kites")
    async with visitor(browser) as olga:
        page, root = olga.page, await sign_in(shop, olga)
        await page.goto(f"{root}/customers?q=Keyboard")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Skip to content")
        await page.keyboard.press("Enter")
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.innerText") == "Keyboard Kites":
                break
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("Keyboard Kites")


@pytest.mark.parametrize(("size", "look"), [("desktop", "dark"), ("phone", "light")])
async def test_every_page(shop: Storefront, browser: Browser, size: str, look: str) -> None:
    # No page asks anything of elsewhere, breaks its policy, or is wider than its screen.
    async with visitor(browser, size=size, look=look) as olga:
        page, root = olga.page, await sign_in(shop, olga)
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(request.url))
        for slug in ("", *(f"/{each}" for each in LISTED)):
            await page.goto(f"{root}{slug}")
            room = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert room <= 0, (slug, room)
        assert olga.complaints == []
        assert all(each.startswith((f"{shop.url}/console", "data:")) for each in asked)
