"""Journeys by keyboard alone: what a mouse can do at the console, Tab and Enter can."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import KeyboardDesk, keyboard_desk
from tests.support.storefront import PASSWORD, Storefront
from tests.system.console.test_money import a_case

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
async def katrin(shop: Storefront, browser: Browser) -> AsyncIterator[KeyboardDesk]:
    # In by the form, with the password typed.
    me = await shop.ask("GET", "/v1/auth/me")
    async with keyboard_desk(browser, shop) as there:
        page = there.page
        await page.goto(f"{shop.url}/console")
        await there.fill(page.locator("#email"), me["email"])
        await there.fill(page.locator("#password"), PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text(me["memberships"][0]["name"])
        yield there
        assert there.complaints == []


async def test_from_a_customer_to_a_refund(shop: Storefront, katrin: KeyboardDesk) -> None:
    # A customer, a draft, an edit, the invoice, its payment and a part of it given back.
    page = katrin.page
    await katrin.go()
    await katrin.click(page.locator("nav.side").get_by_role("link", name="Customers"))
    await katrin.press("New customer", email="fjell@example.com", name="Fjell Foods")
    body = {"customerId": page.url.rpartition("/")[2], "providerToken": "pm_card_visa"}
    await shop.ask("POST", "/v1/payment-methods", body)
    line = {"lines.0.description": "Planning", "lines.0.unit": "1250.50"}
    await katrin.press("New invoice", **line)
    await katrin.press("Edit draft", **{"lines.0.quantity": "2"})
    await katrin.tells("2,501.00")
    await katrin.press("Finalize")
    await katrin.stands_as("open")
    await katrin.press("Charge the card", _reason="agreed by phone")
    await katrin.stands_as("paid")
    await katrin.click(page.get_by_role("link", name="Why this amount"))
    await expect(page.locator(".alert.good")).to_contain_text("the same to the cent")
    await katrin.click(page.locator(".crumb a"))
    await katrin.open("Payments")
    await katrin.press("Refund a part", amountCents="250.50", _reason="a day less")
    await katrin.tells("250.50")


async def test_an_agreement_and_its_end(shop: Storefront, katrin: KeyboardDesk) -> None:
    # Subscribed, upgraded with a preview, canceled, and the cancellation taken back.
    customer = await shop.customer("Keys & Co")
    terms = {"pricingModel": "flat_rate", "billingInterval": "month"}
    solo, team = [
        (await shop.ask("POST", "/v1/plans", terms | {"name": name, "amountCents": cents}))["id"]
        for name, cents in (("Keys solo", 900), ("Keys team", 4900))
    ]
    await katrin.go(f"/customers/{customer['id']}")
    await katrin.press("Subscribe", planId=solo)
    await katrin.press("Change plan", planId=team, _reason="they grow")
    await katrin.tells("Keys team")
    taken_back = katrin.page.get_by_role("link", name="Take the cancellation back")
    await expect(taken_back).to_have_count(0)
    await katrin.press("Cancel", atPeriodEnd="true", _reason="they close")
    await katrin.press("Take the cancellation back")
    await expect(taken_back).to_have_count(0)


async def test_a_list_is_searched_and_turned(shop: Storefront, katrin: KeyboardDesk) -> None:
    # Narrowed and turned around, the first of it opened; the search finds the same.
    for name in ("Turn Table A", "Turn Table B"):
        await shop.customer(name)
    page = katrin.page
    await katrin.go("/customers")
    await katrin.fill(page.locator(".filters [name=q]"), "Turn Table")
    await page.keyboard.press("Enter")
    await expect(page.locator("a.first").first).to_have_text("Turn Table B")
    await katrin.click(page.get_by_role("columnheader").get_by_role("link", name="Created"))
    await expect(page.locator("a.first").first).to_have_text("Turn Table A")
    await katrin.open("")
    await expect(page.locator("h1")).to_contain_text("Turn Table A")
    await katrin.fill(page.locator("#q"), "Turn Table B")
    await page.keyboard.press("Enter")
    await katrin.click(page.locator("main").get_by_role("link", name="Turn Table B").first)
    await expect(page.locator("h1")).to_contain_text("Turn Table B")


async def test_programs_are_served(katrin: KeyboardDesk) -> None:
    # An endpoint hears a test and hears it again; a key is made and revoked.
    page = katrin.page
    await katrin.go("/webhooks")
    await katrin.press("New endpoint", url="https://example.com/keys", eventTypes="*")
    await katrin.click(page.get_by_text("I have it"))
    await katrin.press("Send a test")
    await katrin.go("/webhooks")
    await katrin.open("")
    await katrin.open("Deliveries")
    await katrin.press("Send again")
    await katrin.go("/api-keys")
    await katrin.press("New key", name="Keyboard", scopes="billing:read")
    await katrin.click(page.get_by_text("I have it"))
    await katrin.press("Revoke", _reason="it was for a try")
    await katrin.tells("yes")


async def test_dunning_is_resolved(shop: Storefront, katrin: KeyboardDesk) -> None:
    # What could not be collected is found on the board and settled by hand.
    invoice_id = await a_case(shop)
    await katrin.go("/dunning?isResolved=false")
    await katrin.open("")
    await expect(katrin.page).to_have_url(f"{katrin.root}/dunning/{invoice_id}")
    await katrin.press("Resolve", _reason="they sent a check")
