"""Journeys of whoever minds the money: cards that fail, wallets, and what the books say."""

import asyncio

import pytest
from playwright.async_api import expect
from tests.support.desk import Desk, KeyboardDesk
from tests.support.storefront import Storefront

# These are made by keyboard in every run; the others by `make journeys`.
pytestmark = [
    pytest.mark.system,
    pytest.mark.parametrize("by", [Desk, KeyboardDesk], ids=["mouse", "keyboard"]),
]


async def a_case(shop: Storefront) -> str:
    """An invoice whose first automatic payment failed."""
    customer = await shop.customer("Fading Flags")
    card = {"customerId": customer["id"], "providerToken": "pm_card_chargeCustomerFail"}
    await shop.ask("POST", "/v1/payment-methods", card)
    terms = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": 2900}
    plan = await shop.ask("POST", "/v1/plans", terms | {"name": "Flags"})
    body = {"customerId": customer["id"], "planId": plan["id"]}
    await shop.ask("POST", "/v1/subscriptions", body)
    for _ in range(160):
        found = await shop.ask("GET", f"/v1/dunning?customerId={customer['id']}")
        if found:
            return str(found[0]["invoiceId"])
        await asyncio.sleep(0.25)
    raise AssertionError("no case was opened")


async def test_a_card_that_fails(shop: Storefront, olga: Desk) -> None:
    # The case stands on the first page; it is tried again, paused, and resolved by hand.
    invoice_id = await a_case(shop)
    await olga.go()
    await olga.follow("text=Failed payments in dunning")
    await expect(olga.page.locator("h1")).to_have_text("Dunning")
    await olga.go(f"/dunning/{invoice_id}")
    await olga.press("Pause", reason="they called")
    await olga.tells("they called")
    await olga.press("Go on")
    await olga.press("Resolve", _reason="they pay by transfer")
    await olga.go("/dunning?isResolved=true")
    await olga.tells("Fading Flags")


async def test_a_wallet(shop: Storefront, olga: Desk) -> None:
    # Filled by card, a part set aside and taken, a part moved on, and the history tells it all.
    customer = await shop.customer("Wanda Wallet")
    card = {"customerId": customer["id"], "providerToken": "pm_card_visa"}
    await shop.ask("POST", "/v1/payment-methods", card)
    goal = await shop.ask("POST", "/v1/wallets", {"name": "Goal"})
    await olga.go("/wallets")
    await olga.press("New wallet", name="Purse", customerId=customer["id"])
    place = olga.page.url
    await olga.press("Deposit", amountCents="100", mode="charge", _reason="they asked")
    await olga.page.goto(place)
    await olga.tells("$100.00")
    await olga.press("Set aside", amountCents="30", _reason="an order")
    await olga.stands_as("open")
    await olga.press("Capture", amountCents="25", _reason="it was sent")
    await olga.stands_as("captured")
    await olga.page.goto(place)
    await olga.press("Transfer", toWalletId=goal["id"], amountCents="15", _reason="a share")
    await olga.page.goto(place)
    await olga.tells("$60.00")


async def test_a_disputed_payment(shop: Storefront, olga: Desk) -> None:
    # A bank took a payment back: it stands on the first page, and leads to the payment.
    customer = await shop.customer("Doubt & Sons")
    card = {"customerId": customer["id"], "providerToken": "pm_card_createDispute"}
    await shop.ask("POST", "/v1/payment-methods", card)
    invoice = await shop.invoice(customerId=customer["id"])
    await shop.ask("POST", f"/v1/invoices/{invoice['id']}/pay", {"mode": "charge"})
    dispute_id = await _the_dispute(shop, invoice["id"])
    await olga.go()
    await olga.follow("text=Disputes that want an answer")
    await olga.follow(f"a.first[href$='{dispute_id}']")
    await olga.tells("$499.00")
    await olga.follow("main dd a[href*='/payments/']")
    await olga.stands_as("disputed")


async def _the_dispute(shop: Storefront, invoice_id: str) -> str:
    """The one about this invoice's payment, once the bank's word has come."""
    (payment,) = await shop.ask("GET", f"/v1/payments?invoiceId={invoice_id}")
    for _ in range(160):
        found = await shop.ask("GET", f"/v1/disputes?paymentId={payment['id']}")
        if found:
            return str(found[0]["id"])
        await asyncio.sleep(0.25)
    raise AssertionError("no dispute came")


async def test_the_books(shop: Storefront, olga: Desk) -> None:
    # Both sides are the same, and each posting leads back to what it was booked because of.
    invoice = await shop.invoice()
    await olga.go("/trial-balance")
    balanced = olga.page.locator("tbody tr:not(.inner) td[data-label='Balanced']")
    await expect(balanced.first).to_have_text("yes")
    await olga.go(f"/postings?sourceId={invoice['id']}")
    await olga.follow("td[data-label='Because of'] a")
    await expect(olga.page.locator("h1")).to_contain_text(invoice["invoiceNumber"])


async def test_a_list_for_elsewhere(shop: Storefront, olga: Desk) -> None:
    # What is listed leaves as CSV, and as a question that a program can ask.
    await shop.invoice()
    await olga.go("/invoices")
    async with olga.page.expect_download() as begun:
        await olga.follow("text=Export CSV")
    saved = await (await begun.value).path()
    assert saved.read_text().splitlines()[0].startswith("id,")
    await olga.follow("text=For programs")
    await expect(olga.page.locator(".recipes")).to_contain_text("/v1/invoices?")
