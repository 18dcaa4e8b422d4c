"""Journeys of whoever runs the house: people, keys, programs, finding things, hostile names."""

import pytest
from playwright.async_api import Browser, StorageState, expect
from tests.support.desk import Desk, desk, sign_in, stranger
from tests.support.storefront import Storefront

pytestmark = pytest.mark.system


async def test_an_endpoint(olga: Desk) -> None:
    # A secret is shown once; a test is sent, its delivery stands on the page and is sent again.
    await olga.go("/webhooks")
    await olga.press("New endpoint", url="https://example.com/hook", eventTypes="plan.archived")
    await expect(olga.page.locator("pre")).to_contain_text("whsec_")
    await olga.follow("text=I have it")
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
    await olga.follow("text=I have it")
    assert shown not in await olga.page.content()
    await olga.go("/api-keys")
    await olga.open("")
    await olga.press("Revoke", _reason="it leaked")
    await olga.tells("Revoked on")


async def test_search(shop: Storefront, olga: Desk) -> None:
    # Words find a customer, an id leads straight there, nonsense finds nothing and says so.
    customer = await shop.customer("Zephyr Zinc")
    await olga.go()
    await olga.search("zephyr")
    await olga.follow("text=Zephyr Zinc")
    await expect(olga.page.locator("h1")).to_contain_text("Zephyr Zinc")
    await olga.search(customer["id"])
    await expect(olga.page.locator("h1")).to_contain_text("Zephyr Zinc")
    await olga.search("new plan")
    await olga.follow("main a:has-text('New plan')")
    await expect(olga.page.locator("h1")).to_have_text("New plan")
    await olga.search("nothing is called so")
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
    await olga.follow("button:text-is('Filter')")
    rows = olga.page.locator("main tbody tr")
    await expect(rows).to_have_count(25)
    await olga.follow("text=Next page")
    await expect(rows).to_have_count(1)
    assert "status=draft" in olga.page.url
    await olga.follow("text=Clear")
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
    email = f"once-{olga.hand}@example.com"
    await olga.type("email", email)
    await olga.type("name", "Once Only")
    await olga.twice(olga.page.locator("button:text-is('New customer')"))
    await expect(olga.page.locator("h1")).to_contain_text("Once Only")
    found = await shop.ask("GET", f"/v1/customers?email={email}")
    assert len(found) == 1
    # The browser may tell that it gave up the first sending for the second; of nothing else.
    form = f"{olga.root}/customers/-/create"
    olga.complaints[:] = [each for each in olga.complaints if each != form]


async def test_a_mistake_is_told_where_it_is(olga: Desk) -> None:
    # What was typed stays, the fault stands by its field, and mending it goes on.
    await olga.go("/plans/-/create")
    await olga.type("name", "Team")
    await olga.type("pricingModel", "flat_rate")
    await olga.type("billingInterval", "month")
    await olga.type("amountCents", "49.999")
    await olga.follow("button:text-is('New plan')")
    await expect(olga.page.locator("#fault-amountCents")).to_be_visible()
    await expect(olga.page.locator("[name=name]")).to_have_value("Team")
    olga.complaints.clear()  # the browser tells of the refusal, which is what was wanted
    await olga.type("amountCents", "49.99")
    await olga.follow("button:text-is('New plan')")
    await olga.tells("$49.99")


async def test_back_to_where_one_was(shop: Storefront, browser: Browser, by: type[Desk]) -> None:
    # A link to a page, opened by somebody who is not in, leads there after signing in.
    customer = await shop.customer("Deep Link")
    me = await shop.ask("GET", "/v1/auth/me")
    async with stranger(browser, shop, by=by) as ann:
        place = f"{shop.url}/console/{shop.headers['x-org-id']}/customers/{customer['id']}"
        await ann.page.goto(place)
        await sign_in(ann, me["email"])
        await expect(ann.page.locator("h1")).to_contain_text("Deep Link")
        assert ann.page.url == place


async def test_a_list_kept_for_tomorrow(shop: Storefront, olga: Desk) -> None:
    # Narrowed and turned around, given a name, found above the list again; renamed, and removed.
    # No other journey of this hand calls a customer so: the list shows just these two.
    name = f"Tables By {olga.hand}"
    for each in ("Turn Table A", "Turn Table B"):
        await shop.customer(f"{name} {each}")
    page = olga.page
    await olga.go("/customers")
    await olga.fill(page.locator(".filters [name=q]"), name)
    await olga.follow("button:text-is('Filter')")
    await olga.follow("th a.sort")
    await expect(page.locator("a.first").first).to_contain_text("Turn Table A")
    await olga.follow("text=Save this view")
    await olga.type("name", name)
    await olga.type("shared", "true")
    await olga.follow("button:text-is('Save a view')")
    views = page.locator("nav.views")
    await expect(views.locator("[aria-current]")).to_contain_text(name)
    await olga.go("/customers")
    await olga.follow(f"nav.views a:has-text('{name}')")
    await expect(page.locator("main tbody tr")).to_have_count(2)
    await expect(page.locator("a.first").first).to_contain_text("Turn Table A")
    await olga.follow("text=Manage views")
    await olga.follow(f"a.first:has-text('{name}')")
    await olga.press("Rename", name="Two tables")
    await expect(views).to_contain_text("Two tables")
    await olga.follow("text=Manage views")
    await olga.follow("a.first:has-text('Two tables')")
    await olga.press("Remove")
    await olga.go("/customers")
    await expect(views).to_have_count(0)


async def test_taken_along(
    shop: Storefront, browser: Browser, kept: StorageState, by: type[Desk]
) -> None:
    # A button beside an id, and beside what programs ask, copies it; without scripts it is away,
    # and what it would copy stands there all the same.
    customer = await shop.customer("Copy & Sons")
    place, allowed = f"/customers/{customer['id']}", ["clipboard-read", "clipboard-write"]
    async with desk(browser, shop, by=by, storage_state=kept, permissions=allowed) as olga:
        page = olga.page
        await olga.go(place)
        await olga.click(page.get_by_role("button", name="Copy Id", exact=True))
        await expect(page.get_by_role("status")).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == customer["id"]
        await olga.follow("text=For programs")
        for name in ("curl", "CLI"):
            await olga.click(page.get_by_role("button", name=f"Copy {name}", exact=True))
            copied = await page.evaluate("navigator.clipboard.readText()")
            assert customer["id"] in copied
            assert await page.locator(f".recipes code:text-is('{copied}')").count() == 1
        assert olga.complaints == []
    async with desk(browser, shop, storage_state=kept, java_script_enabled=False) as olga:
        await olga.go(place)
        assert await olga.page.locator(".copy:visible").count() == 0
        await olga.follow("text=For programs")
        await expect(olga.page.locator(".recipes")).to_contain_text(customer["id"])


HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{7*7}}"


@pytest.mark.parametrize("by", [Desk], ids=["mouse"])  # nothing is pressed there
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


async def test_many_houses(
    shop: Storefront, browser: Browser, kept: StorageState, by: type[Desk]
) -> None:
    # Dark and on a phone, the menu leads everywhere and back, without JavaScript.
    more = {"storage_state": kept, "java_script_enabled": False, "size": "phone", "look": "dark"}
    async with desk(browser, shop, by=by, **more) as olga:
        await olga.go()
        for name in ("Invoices", "Wallets", "Audit log"):
            await olga.follow(".to-menu")
            menu = olga.page.locator("nav.side")
            await olga.click(menu.get_by_role("link", name=name, exact=True))
            await expect(olga.page.locator("h1")).to_have_text(name)
        assert olga.complaints == []
