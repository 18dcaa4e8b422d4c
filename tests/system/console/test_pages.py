"""Every page of the console in a real browser: nothing from elsewhere, no barrier, no overflow."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, StorageState
from tests.support.desk import barriers, desk
from tests.support.storefront import Storefront, visitor

from bursar.console.nouns.every import BY_PREFIX, NOUNS

pytestmark = pytest.mark.system

LISTED = [f"/{noun.slug}" for noun in NOUNS if noun.rows or noun.is_single]
FORMS = [f"/{noun.slug}/-/{deed.slug}" for noun in NOUNS for deed in noun.makes]


async def things(shop: Storefront) -> list[str]:
    """Pages of things, and of what may be done to them."""
    customer = await shop.customer("Fern & Fjord")
    method = {"customerId": customer["id"], "providerToken": "pm_card_visa"}
    await shop.ask("POST", "/v1/payment-methods", method)
    draft = {"customerId": customer["id"], "lines": [{"description": "A", "unitAmountCents": 900}]}
    invoice = await shop.invoice(customerId=customer["id"])
    await shop.ask("POST", f"/v1/invoices/{invoice['id']}/pay", {"mode": "charge"})
    terms = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": 4900}
    plan = await shop.ask("POST", "/v1/plans", terms | {"name": "Team"})
    bought = {"customerId": customer["id"], "planId": plan["id"]}
    made: list[Any] = [
        customer,
        invoice,
        plan,
        await shop.ask("POST", "/v1/invoices", draft),
        await shop.ask("POST", "/v1/subscriptions", bought),
        await shop.ask("POST", "/v1/wallets", {"name": "Till", "customerId": customer["id"]}),
        await shop.ask("POST", "/v1/saved-views", {"name": "Paid", "list": "customers"}),
        (await shop.ask("GET", "/v1/payments"))[0],
        (await shop.ask("GET", "/v1/events"))[0],
    ]
    return [f"/{BY_PREFIX[each['id'].partition('_')[0]].slug}/{each['id']}" for each in made]


async def _is_open_to_all(page: Page, place: str) -> None:
    room = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert room <= 0, (place, room)
    assert await barriers(page) == [], place


@pytest.mark.parametrize(("size", "look"), [("desktop", "dark"), ("phone", "light")])
async def test_every_list(
    shop: Storefront, browser: Browser, kept: StorageState, size: str, look: str
) -> None:
    # No page asks anything of elsewhere, breaks its policy, or is wider than its screen; and
    # axe-core finds nothing serious, whichever colors a reader prefers.
    await things(shop)
    async with desk(browser, shop, size=size, look=look, storage_state=kept) as olga:
        asked: set[str] = set()
        olga.page.on("request", lambda request: asked.add(request.url))
        for place in ("", "/analytics", *LISTED):
            await olga.go(place)
            await _is_open_to_all(olga.page, place)
        assert olga.complaints == []
        assert all(each.startswith((f"{shop.url}/console", "data:")) for each in asked)


async def test_every_form_and_thing(shop: Storefront, browser: Browser, kept: StorageState) -> None:
    # The same of what is opened from a list: things, their buttons' pages, and what makes them.
    places = await things(shop)
    invoice = next(each for each in places if each.startswith("/invoices/"))
    buttons = [f"{invoice}/explain", f"{invoice}/credit", f"{places[0]}/edit"]
    async with desk(browser, shop, storage_state=kept) as olga:
        for place in (*places, *buttons, *FORMS):
            await olga.go(place)
            await _is_open_to_all(olga.page, place)
        assert olga.complaints == []


async def test_outside(shop: Storefront, browser: Browser) -> None:
    # The way in, a page that is not there, and the customer's own page.
    invoice = await shop.invoice()
    async with visitor(browser) as ann:
        for place in (f"{shop.url}/console/sign-in", invoice["hostedInvoiceUrl"]):
            await ann.page.goto(place)
            await _is_open_to_all(ann.page, place)
        assert ann.complaints == []


async def test_barriers_are_found(browser: Browser) -> None:
    # The judge judges: a field without a name and gray on gray do not pass.
    async with visitor(browser) as ann:
        await ann.page.set_content("<input><p style='color:#aaa;background:#bbb'>Faint</p>")
        found = [each.partition(":")[0] for each in await barriers(ann.page)]
    assert {"label", "color-contrast"} <= set(found)
