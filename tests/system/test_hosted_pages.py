"""The hosted page in a real browser: every way to pay, on one installation of real processes."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.support.storefront import Storefront, Visitor, visitor

pytestmark = pytest.mark.system

DECLINED = "4000 0000 0000 9995"
ASKS_THE_BANK = "4000 0025 0000 3155"


async def until_paid(ann: Visitor) -> None:
    """The page refreshes by itself until the provider has confirmed."""
    badge = ann.page.locator(".badge")
    await expect(badge).to_have_text("Paid")


async def paid_once(shop: Storefront, invoice: Any) -> bool:
    now = await shop.ask("GET", f"/v1/invoices/{invoice['id']}")
    succeeded = (await shop.payments(invoice)).count("succeeded")
    return now["status"] == "paid" and succeeded == 1 and now["amountPaidCents"] == 49900


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_a_card_pays(shop: Storefront, browser: Browser, *, has_scripts: bool) -> None:
    # From the link over the provider's page and back, with and without JavaScript.
    invoice = await shop.invoice()
    async with visitor(browser, java_script_enabled=has_scripts) as ann:
        await ann.page.goto(invoice["hostedInvoiceUrl"])
        await expect(ann.page.locator("h1")).to_contain_text("499.00 USD due")
        await ann.page.click("text=Pay now")
        await ann.type_card()
        await until_paid(ann)
        assert ann.complaints == []
    assert await paid_once(shop, invoice)


async def test_a_bank_that_asks_back(shop: Storefront, browser: Browser) -> None:
    # 3-D Secure: refused once, which pays nothing, then given.
    invoice = await shop.invoice()
    async with visitor(browser) as ann:
        await ann.page.goto(invoice["hostedInvoiceUrl"])
        await ann.page.click("text=Pay now")
        await ann.type_card(ASKS_THE_BANK)
        await ann.page.click("text=Fail")
        await expect(ann.page.locator("[role=alert]")).to_be_visible()
        assert await shop.payments(invoice) == ["pending"]
        await ann.type_card(ASKS_THE_BANK)
        await ann.page.click("text=Complete")
        await until_paid(ann)
    assert await paid_once(shop, invoice)


async def test_a_declined_card_then_another(shop: Storefront, browser: Browser) -> None:
    # The reason is told; whoever goes back finds the invoice open, and pays with another card.
    invoice = await shop.invoice()
    async with visitor(browser) as ann:
        await ann.page.goto(invoice["hostedInvoiceUrl"])
        await ann.page.click("text=Pay now")
        await ann.type_card(DECLINED)
        await expect(ann.page.locator("[role=alert]")).to_contain_text("insufficient funds")
        await ann.page.click("text=Cancel and go back")
        await ann.page.click(".pay")
        await ann.type_card()
        await until_paid(ann)
    assert await paid_once(shop, invoice)


async def test_a_double_click_pays_once(shop: Storefront, browser: Browser) -> None:
    # Here and on the provider's page; and so do two windows at the same time.
    invoice = await shop.invoice()
    async with visitor(browser) as ann, visitor(browser) as bob:
        for each in (ann, bob):
            await each.page.goto(invoice["hostedInvoiceUrl"])
        await asyncio.gather(ann.page.dblclick(".pay"), bob.page.dblclick(".pay"))
        for each in (ann, bob):
            await expect(each.page.locator("#number")).to_be_visible()
            await each.page.fill("#number", "4242 4242 4242 4242")
            await each.page.fill("#expiry", "12 / 34")
            await each.page.fill("#cvc", "123")
        button = "button[type=submit]"
        await asyncio.gather(ann.page.dblclick(button), bob.page.dblclick(button))
        await until_paid(ann)
        await until_paid(bob)
    assert await shop.payments(invoice) == ["succeeded"]
    assert await paid_once(shop, invoice)
