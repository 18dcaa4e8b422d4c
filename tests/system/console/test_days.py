"""Whole days at the console in a real browser: on any screen, with and without scripts."""

import asyncio
import base64
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import Desk, desk
from tests.support.storefront import PASSWORD, Storefront, visitor

from bursar.runtime import totp

pytestmark = pytest.mark.system


@pytest.mark.parametrize("has_scripts", [True, False])
@pytest.mark.parametrize("size", ["desktop", "phone"])
async def test_a_day(shop: Storefront, browser: Browser, size: str, *, has_scripts: bool) -> None:
    # From a new customer to a refund, on any screen, with and without JavaScript.
    async with desk(browser, shop, size=size, java_script_enabled=has_scripts) as olga:
        page = olga.page
        await olga.go("/customers")
        await olga.press("New customer", email="fjord@example.com", name="Fjord Foods")
        customer = page.url.rpartition("/")[2]
        body = {"customerId": customer, "providerToken": "pm_card_visa"}
        await shop.ask("POST", "/v1/payment-methods", body)
        line = {"lines.0.description": "Planning", "lines.0.unit": "1250.50"}
        await olga.press("New invoice", **line)
        await olga.stands_as("draft")
        await olga.press("Finalize")
        await olga.stands_as("open")
        await olga.press("Send")
        await olga.press("Charge the card", _reason="agreed by phone")
        await olga.stands_as("paid")
        await page.click("text=Why this amount")
        await expect(page.locator(".alert.good")).to_contain_text("the same to the cent")
        await page.go_back()
        await olga.open("Payments")
        await olga.press("Refund a part", amountCents="250.50", _reason="a day less")
        await expect(page.locator(".facts")).to_contain_text("250.50")
        assert olga.complaints == []


async def test_a_second_factor(shop: Storefront, browser: Browser) -> None:
    # The password is typed once, the code on a page of its own; signing out ends it.
    other = Storefront(shop.session, shop.here)
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


async def test_time_passes(shop: Storefront, browser: Browser) -> None:
    # The clock is stopped, a month passes, and the clock says so.
    other = Storefront(shop.session, shop.here)
    await other.open()
    async with desk(browser, other) as olga:
        page = olga.page
        await olga.go("/test-clock")
        await olga.press("Stop the clock", now="2024-01-31T09:00")
        await olga.press("Advance", by="1 month")
        for _ in range(40):
            await olga.go("/test-clock")
            if "29 Feb 2024" in await page.locator(".facts").inner_text():
                return
            await asyncio.sleep(0.5)
        raise AssertionError(await page.locator(".facts").inner_text())


async def test_by_keyboard(shop: Storefront, olga: Desk) -> None:
    # Past the navigation, into a list, to a thing and to a button without touching a mouse.
    await shop.customer("Keyboard Kites")
    page = olga.page
    await olga.go("/customers?q=Keyboard")
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("Skip to content")
    await page.keyboard.press("Enter")
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.innerText") == "Keyboard Kites":
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Keyboard Kites")


async def test_a_page_stays_current(shop: Storefront, olga: Desk) -> None:
    # What happens elsewhere appears without a click; a filter half typed is left alone.
    await olga.go("/customers")
    field = olga.page.locator(".filters [name=q]")
    await field.fill("half a na")
    await expect(olga.page.locator("main.is-live")).to_be_visible()
    await shop.customer("Suddenly There")
    await olga.tells("Suddenly There")
    await expect(field).to_have_value("half a na")
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    await expect(olga.page.locator("main.is-live")).to_be_visible()
    await shop.ask("POST", f"/v1/invoices/{invoice['id']}/void", {})
    await olga.stands_as("void")
