"""Journeys of whoever bills: documents, prices, agreements, and the ways out of each."""

from typing import Any

import pytest
from playwright.async_api import expect
from tests.support.desk import Desk
from tests.support.storefront import Storefront

pytestmark = pytest.mark.system


async def a_plan(shop: Storefront, name: str, cents: int) -> Any:
    terms = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": cents}
    return await shop.ask("POST", "/v1/plans", terms | {"name": name})


async def test_an_upgrade(shop: Storefront, olga: Desk) -> None:
    # A change of plan shows what it costs before it happens.
    team, scale = await a_plan(shop, "Team", 4900), await a_plan(shop, "Scale", 19900)
    customer = await shop.customer("Iris Imaging")
    body = {"customerId": customer["id"], "planId": team["id"]}
    subscription = await shop.ask("POST", "/v1/subscriptions", body)
    await olga.go(f"/subscriptions/{subscription['id']}")
    await olga.tells("Team")
    await olga.press("Change plan", planId=scale["id"], _reason="they grow")
    await olga.tells("Scale")


async def test_a_change_of_mind(shop: Storefront, olga: Desk) -> None:
    # A subscription that is to end with its period goes on as if nothing had been said.
    customer = await shop.customer("Moor & Mast")
    body = {"customerId": customer["id"], "planId": (await a_plan(shop, "Solo", 900))["id"]}
    subscription = await shop.ask("POST", "/v1/subscriptions", body)
    await olga.go(f"/subscriptions/{subscription['id']}")
    await olga.press("Cancel", atPeriodEnd="true", _reason="they close")
    ends = olga.page.locator(".facts div:has(dt:text-is('Ends with the period')) dd")
    await expect(ends).to_have_text("yes")
    await olga.press("Take the cancellation back")
    await expect(ends).to_have_text("no")


async def test_a_plan_from_first_to_last(shop: Storefront, olga: Desk) -> None:
    # Made, sold to somebody found by name, and archived with a word why.
    customer = await shop.customer("Quarry Quilts")
    await olga.go("/plans")
    terms = {"pricingModel": "flat_rate", "billingInterval": "year", "amountCents": "1188.00"}
    await olga.press("New plan", name="Yearly", **terms)
    await olga.tells("$1,188.00")
    plan = olga.page.url.rpartition("/")[2]
    await olga.go(f"/customers/{customer['id']}")
    await olga.press("Subscribe", planId=plan)
    await olga.tells("Yearly")
    await olga.go(f"/plans/{plan}")
    await olga.press("Archive", _reason="sold no more")
    await olga.stands_as("archived")


async def test_a_draft_is_edited_and_thrown_away(shop: Storefront, olga: Desk) -> None:
    # Its lines are replaced, its total follows; thrown away it is void and offers nothing more.
    customer = await shop.customer("Drafty Doors")
    await olga.go(f"/customers/{customer['id']}")
    await olga.press("New invoice", **{"lines.0.description": "Oak", "lines.0.unit": "80"})
    await olga.press("Edit draft", **{"lines.0.quantity": "3", "lines.0.unit": "79.99"})
    await olga.tells("239.97")
    place = olga.page.url
    await olga.press("Delete draft")
    await olga.page.goto(place)
    await olga.stands_as("void")
    await expect(olga.page.locator("main .acts")).not_to_contain_text("Finalize")


async def test_a_draft_tells_what_it_comes_to(shop: Storefront, olga: Desk) -> None:
    # The figure follows what is typed, before anything is saved; what makes no sense is said so.
    customer = await shop.customer("Live Lines")
    await olga.go(f"/customers/{customer['id']}/invoice")
    totals = olga.page.locator("#totals")
    await expect(totals).to_contain_text("once there is a line")
    await olga.type("lines.0.description", "Oak")
    await olga.type("lines.0.unit", "79.99")
    await expect(totals).to_contain_text("$79.99")
    await olga.type("lines.0.quantity", "3")
    await expect(totals).to_contain_text("$239.97")
    await olga.type("lines.0.unit", "many")
    await expect(totals).to_contain_text("No total yet")
    assert await shop.ask("GET", f"/v1/invoices?customerId={customer['id']}") == []


async def test_an_invoice_is_void(shop: Storefront, olga: Desk) -> None:
    # What was said why stands in its timeline.
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    await olga.press("Void", _reason="billed twice")
    await olga.stands_as("void")
    await expect(olga.page.locator("section:has(h2:text-is('Timeline'))")).to_contain_text(
        "billed twice"
    )


async def test_an_invoice_is_written_off(shop: Storefront, olga: Desk) -> None:
    # Nothing is due of it any more as far as anybody hopes.
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    await olga.press("Write off", _reason="they are gone")
    await olga.stands_as("uncollectible")


async def test_a_part_is_taken_back(shop: Storefront, olga: Desk) -> None:
    # A credit note lowers what is due, and leads back to its invoice.
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    await olga.press("Credit note", amountCents="99.00", _reason="a week less")
    await olga.tells("$99.00")
    await olga.go(f"/invoices/{invoice['id']}")
    await olga.tells("$400.00")


async def test_money_by_bank_transfer(shop: Storefront, olga: Desk) -> None:
    # What came past the processor is written down, and the invoice is paid.
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    typed = {"method": "bank_transfer", "receivedAt": "2026-01-05T09:00", "amountCents": "499"}
    await olga.press("Record a payment", **typed, _reason="on the statement")
    await olga.go(f"/invoices/{invoice['id']}")
    await olga.stands_as("paid")


async def test_the_paper(shop: Storefront, olga: Desk) -> None:
    # The PDF and the e-invoice of what is final, from the page's own buttons.
    invoice = await shop.invoice()
    await olga.go(f"/invoices/{invoice['id']}")
    for name, begins in (("PDF", b"%PDF-"), ("XML", b"<?xml")):
        link = olga.page.locator(".acts").get_by_role("link", name=name, exact=True)
        await olga.reach(link)
        place = await link.evaluate("each => each.href")
        answer = await olga.page.context.request.get(place)
        assert (await answer.body()).startswith(begins)


async def test_a_retainer(shop: Storefront, olga: Desk) -> None:
    # The same lines every month, until somebody ends it.
    customer = await shop.customer("Retain Ltd")
    await olga.go("/recurring-invoices")
    lines = {"lines.0.description": "Retainer", "lines.0.unit": "700"}
    await olga.press("New recurring invoice", customerId=customer["id"], interval="month", **lines)
    await olga.stands_as("active")
    await olga.press("Pause")
    await olga.stands_as("paused")
    await olga.press("Go on")
    await olga.press("End", _reason="the project is over")
    await olga.stands_as("canceled")


async def test_what_is_off_and_on_top(olga: Desk) -> None:
    # A coupon and a tax rate, each in its own list afterwards.
    await olga.go("/coupons")
    await olga.press("New coupon", name="Spring", duration="once", percentOff="20")
    await olga.press("Archive")
    await olga.stands_as("archived")
    await olga.go("/tax-rates")
    await olga.press("New tax rate", name="VAT", percentage="19", country="DE")
    await olga.tells("19 %")


async def test_a_meter(olga: Desk) -> None:
    # How usage is counted stands on its page, by the key that programs send.
    await olga.go("/meters")
    await olga.press("New meter", name="API calls", key=f"calls_{olga.hand}", aggregation="sum")
    await olga.tells(f"calls_{olga.hand}")
