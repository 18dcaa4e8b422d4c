"""Whole days at the console in a real browser: on any screen, with and without scripts."""

import base64
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import Desk, KeyboardDesk, desk, sign_in, stranger
from tests.support.storefront import PASSWORD, Storefront

from bursar.runtime import totp

pytestmark = pytest.mark.system
_YEAR_MS = 60_000


@pytest.mark.parametrize(
    ("by", "size", "has_scripts"),
    [
        *(
            (Desk, size, has_scripts)
            for size in ("desktop", "phone")
            for has_scripts in (True, False)
        ),
        pytest.param(KeyboardDesk, "desktop", True, marks=pytest.mark.by_keyboard),
        pytest.param(KeyboardDesk, "phone", False, marks=pytest.mark.by_keyboard),
    ],
)
async def test_a_day(
    shop: Storefront, browser: Browser, by: type[Desk], size: str, *, has_scripts: bool
) -> None:
    # From a new customer to a refund, on any screen, with and without JavaScript.
    more = {"size": size, "java_script_enabled": has_scripts}
    async with desk(browser, shop, by=by, **more) as olga:
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
        await olga.follow("text=Why this amount")
        await expect(page.locator(".alert.good")).to_contain_text("the same to the cent")
        await page.go_back()
        await olga.open("Payments")
        await olga.press("Refund a part", amountCents="250.50", _reason="a day less")
        await expect(page.locator(".facts")).to_contain_text("250.50")
        assert olga.complaints == []


async def test_a_second_factor(shop: Storefront, browser: Browser, by: type[Desk]) -> None:
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
    async with stranger(browser, shop, by=by) as olga:
        page = olga.page
        await page.goto(f"{shop.url}/console")
        await sign_in(olga, me["email"])
        await olga.fill(page.locator("#code"), totp.code_at(secret, step))
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Factor Ltd")
        await olga.follow(".me summary")
        await olga.follow("text=Sign out")
        await expect(page.locator("h1")).to_have_text("Sign in")


async def test_a_year_passes(shop: Storefront, browser: Browser, by: type[Desk]) -> None:
    # The clock is stopped and a year passes: nobody reloads the page, which tells what happens on
    # the way and that the clock arrived; each of the year's invoices is there.
    other = Storefront(shop.session, shop.here)
    await other.open("Twelve Moons Ltd")
    async with desk(browser, other, by=by) as olga:
        page = olga.page
        await olga.go("/test-clock")
        await olga.press("Stop the clock", now="2024-01-31T09:00")
        await _monthly(other)
        await olga.go("/test-clock")
        await expect(page.locator("main.is-live")).to_be_visible()
        await olga.press("Advance", by="1 year")
        now = page.locator(".facts div:has(dt:text-is('Now')) dd")
        await expect(now).to_contain_text("31 Jan 2025", timeout=_YEAR_MS)
        strip = page.locator("section:has(h2:text-is('What happened'))")
        await expect(strip).to_contain_text("invoice.paid")
        billed = await other.ask("GET", "/v1/invoices?limit=100")
        months = {each["createdAt"][:7] for each in billed}
        assert months >= {f"2024-{month:02}" for month in range(1, 13)}
        await olga.follow("text=See all")
        await olga.tells("invoice.finalized")
        assert olga.complaints == []


async def _monthly(shop: Storefront) -> None:
    """Somebody who pays each month by card."""
    customer = await shop.customer("Luna")
    card = {"customerId": customer["id"], "providerToken": "pm_card_visa"}
    await shop.ask("POST", "/v1/payment-methods", card)
    terms = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": 900}
    plan = await shop.ask("POST", "/v1/plans", terms | {"name": "Moon"})
    body = {"customerId": customer["id"], "planId": plan["id"]}
    await shop.ask("POST", "/v1/subscriptions", body)


async def test_a_page_stays_current(shop: Storefront, olga: Desk) -> None:
    # What happens elsewhere appears without a click; a filter half typed is left alone.
    await olga.go("/customers")
    field = olga.page.locator(".filters [name=q]")
    await olga.fill(field, "half a na")
    await expect(olga.page.locator("main.is-live")).to_be_visible()
    await shop.customer(f"Suddenly There By {olga.hand}")
    await olga.tells(f"Suddenly There By {olga.hand}")
    await expect(field).to_have_value("half a na")
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    await expect(olga.page.locator("main.is-live")).to_be_visible()
    await shop.ask("POST", f"/v1/invoices/{invoice['id']}/void", {})
    await olga.stands_as("void")
