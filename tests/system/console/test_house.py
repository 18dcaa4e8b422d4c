"""Journeys of whoever runs the house: people, keys, programs, finding things, hostile names."""

import pytest
from playwright.async_api import Browser, Page, StorageState, expect
from tests.support.desk import Desk, desk
from tests.support.storefront import PASSWORD, Storefront, visitor

pytestmark = pytest.mark.system


async def test_an_endpoint(olga: Desk) -> None:
    # A secret is shown once; a test is sent, its delivery stands on the page and is sent again.
    await olga.go("/webhooks")
    await olga.press("New endpoint", url="https://example.com/hook", eventTypes="*")
    await expect(olga.page.locator("pre")).to_contain_text("whsec_")
    await olga.page.click("text=I have it")
    await olga.press("Send a test")
    await olga.go("/webhooks")
    await olga.open("")
    sent = olga.page.locator("section:has(h2:text-is('Deliveries')) tbody tr")
    await expect(sent).to_have_count(1)
    await olga.open("Deliveries")
    await olga.press("Send again")
    await expect(olga.page.locator("main")).to_be_visible()


async def test_a_key(olga: Desk) -> None:
    # It is shown once, replaced with a reason, and revoked; the list never shows it.
    await olga.go("/api-keys")
    await olga.press("New key", name="Warehouse", scopes="billing:read")
    shown = await olga.page.locator("pre").inner_text()
    await olga.page.click("text=I have it")
    assert shown not in await olga.page.content()
    await olga.go("/api-keys")
    await olga.open("")
    await olga.press("Revoke", _reason="it leaked")
    await olga.tells("Revoked on")


async def test_search(shop: Storefront, olga: Desk) -> None:
    # Words find a customer, an id leads straight there, nonsense finds nothing and says so.
    customer = await shop.customer("Zephyr Zinc")
    await olga.go()
    field = olga.page.locator("#q")
    await field.fill("zephyr")
    await field.press("Enter")
    await olga.page.click("text=Zephyr Zinc")
    await expect(olga.page.locator("h1")).to_contain_text("Zephyr Zinc")
    await olga.page.locator("#q").fill(customer["id"])
    await olga.page.locator("#q").press("Enter")
    await expect(olga.page.locator("h1")).to_contain_text("Zephyr Zinc")
    await olga.page.locator("#q").fill("nothing is called so")
    await olga.page.locator("#q").press("Enter")
    await olga.tells("Nothing is called")


async def test_filters_and_pages(shop: Storefront, olga: Desk) -> None:
    # A filter stands in the address and stays over the next page; clearing it shows all again.
    customer = await shop.customer("Many Mills")
    draft = {"customerId": customer["id"], "lines": [{"description": "M", "unitAmountCents": 1}]}
    for _ in range(26):
        await shop.ask("POST", "/v1/invoices", draft)
    await olga.go("/invoices")
    await olga.type("status", "draft")
    await olga.type("customerId", customer["id"])
    await olga.page.click("button:text-is('Filter')")
    rows = olga.page.locator("main tbody tr")
    await expect(rows).to_have_count(25)
    await olga.page.click("text=Next page")
    await expect(rows).to_have_count(1)
    assert "status=draft" in olga.page.url
    await olga.page.click("text=Clear")
    await expect(rows).to_have_count(25)


async def test_settings(olga: Desk) -> None:
    # A time zone counts on the very next page.
    await olga.go("/settings")
    await olga.press("Edit", timezone="Asia/Tokyo", netTermsDays="21")
    await olga.tells("Asia/Tokyo")
    await olga.press("Edit", timezone="UTC")
    await olga.tells("UTC")


async def test_a_double_click(shop: Storefront, olga: Desk) -> None:
    # Two clicks on the same button make one customer.
    await olga.go("/customers/-/create")
    await olga.type("email", "once@example.com")
    await olga.type("name", "Once Only")
    await olga.page.locator("button:text-is('New customer')").dblclick()
    await expect(olga.page.locator("h1")).to_contain_text("Once Only")
    found = await shop.ask("GET", "/v1/customers?email=once@example.com")
    assert len(found) == 1


async def test_a_mistake_is_told_where_it_is(olga: Desk) -> None:
    # What was typed stays, the fault stands by its field, and mending it goes on.
    await olga.go("/plans/-/create")
    await olga.type("name", "Team")
    await olga.type("pricingModel", "flat_rate")
    await olga.type("billingInterval", "month")
    await olga.type("amountCents", "49.999")
    await olga.page.click("button:text-is('New plan')")
    await expect(olga.page.locator("#fault-amountCents")).to_be_visible()
    await expect(olga.page.locator("[name=name]")).to_have_value("Team")
    olga.complaints.clear()  # the browser tells of the refusal, which is what was wanted
    await olga.type("amountCents", "49.99")
    await olga.page.click("button:text-is('New plan')")
    await olga.tells("$49.99")


async def test_back_to_where_one_was(shop: Storefront, browser: Browser) -> None:
    # A link to a page, opened by somebody who is not in, leads there after signing in.
    customer = await shop.customer("Deep Link")
    me = await shop.ask("GET", "/v1/auth/me")
    async with visitor(browser) as ann:
        place = f"{shop.url}/console/{shop.headers['x-org-id']}/customers/{customer['id']}"
        await ann.page.goto(place)
        await ann.page.fill("#email", me["email"])
        await ann.page.fill("#password", PASSWORD)
        await ann.page.click("button[type=submit]")
        await expect(ann.page.locator("h1")).to_contain_text("Deep Link")
        assert ann.page.url == place


async def test_a_form_by_keyboard(olga: Desk) -> None:
    # A customer is made from the first page on without a mouse.
    page = olga.page
    await olga.go("/customers")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("New customer")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("New customer")
    await page.locator("#main").focus()
    for text in ("keys@example.com", "Keys & Co"):
        for _ in range(4):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.tagName") == "INPUT":
                break
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Keys & Co")


async def _tab_to(page: Page, text: str) -> None:
    """By the keyboard alone, to what is called so, or to the field of that name."""
    seen = "[document.activeElement.innerText, document.activeElement.name]"
    for _ in range(80):
        await page.keyboard.press("Tab")
        if text in await page.evaluate(seen):
            return
    raise AssertionError(text)


async def test_deeds_by_keyboard(shop: Storefront, olga: Desk) -> None:
    # A draft is found, finalized and made void with a reason, and a plan is begun from the search
    # field: no mouse anywhere.
    customer = await shop.customer("Keyed Kettles")
    lines = [{"description": "Kettle", "unitAmountCents": 4900}]
    draft = {"customerId": customer["id"], "lines": lines}
    invoice = await shop.ask("POST", "/v1/invoices", draft)
    page = olga.page
    await olga.go()
    await page.locator("#q").focus()
    await page.keyboard.type(invoice["id"])
    await page.keyboard.press("Enter")
    await olga.stands_as("draft")
    for label, why, state in (("Finalize", "", "open"), ("Void", "typed twice", "void")):
        await _tab_to(page, label)
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text(label)
        if why:
            await _tab_to(page, "_reason")
            await page.keyboard.type(why)
        if await page.get_by_role("button", name="Preview", exact=True).count():
            await _tab_to(page, "Preview")
            await page.keyboard.press("Enter")
            await olga.tells("Nothing has happened yet")
        await _tab_to(page, label)
        await page.keyboard.press("Enter")
        await olga.stands_as(state)
    await page.locator("#q").focus()
    await page.keyboard.type("new plan")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Search")
    await _tab_to(page, "New plan")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("New plan")


HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{7*7}}"


async def test_hostile_names(shop: Storefront, olga: Desk) -> None:
    # What customers call themselves is text wherever it stands; nothing runs, nothing is asked for.
    said: list[str] = []
    olga.page.on("dialog", lambda box: said.append(box.message))
    customer = await shop.customer(HOSTILE, metadata={"note": HOSTILE})
    lines = [{"description": HOSTILE, "unitAmountCents": 100}]
    invoice = await shop.invoice(lines, customerId=customer["id"], memo=HOSTILE)
    for place in (
        "",
        "/customers",
        f"/customers/{customer['id']}",
        f"/customers/{customer['id']}/edit",
        f"/invoices/{invoice['id']}",
        f"/invoices/{invoice['id']}/explain",
        "/invoices/-/create",
        "/events",
    ):
        await olga.go(place)
    await olga.go(f"/customers/{customer['id']}")
    await expect(olga.page.locator("h1")).to_contain_text("<img src=x")
    assert said == []


async def test_many_houses(shop: Storefront, browser: Browser, kept: StorageState) -> None:
    # Dark and on a phone, the menu leads everywhere and back, without JavaScript.
    more = {"storage_state": kept, "java_script_enabled": False}
    async with desk(browser, shop, size="phone", look="dark", **more) as olga:
        await olga.go()
        for name in ("Invoices", "Wallets", "Audit log"):
            await olga.page.click(".to-menu")
            await olga.page.locator("nav.side").get_by_role("link", name=name, exact=True).click()
            await expect(olga.page.locator("h1")).to_have_text(name)
        assert olga.complaints == []
