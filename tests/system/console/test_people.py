"""Journeys of people with less and with more: a viewer, an operator, and who forgot a password."""

import re

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import Desk, barriers, desk, stranger
from tests.support.mail_server import Peer
from tests.support.storefront import PASSWORD, Storefront

pytestmark = pytest.mark.system


async def token_for(olga: Desk, office: Peer, address: str, kind: str) -> str:
    """What a link in the newest letter of this kind carries; it may take a moment to come."""
    for _ in range(80):
        sent = "\n".join(office.letters_to(address))
        found: list[str] = re.findall(rf"/account/{kind}/(\S+)", sent)
        if found:
            return found[-1]
        await olga.page.wait_for_timeout(250)
    raise AssertionError(f"no letter to {address}")


async def test_a_viewer(shop: Storefront, browser: Browser, office: Peer, by: type[Desk]) -> None:
    # Invited by mail with a button; sees no button, and is refused by hand.
    house = Storefront(shop.session, shop.here)
    await house.open("Looking Glass Ltd")
    vera = Storefront(shop.session, shop.here)
    async with desk(browser, house, by=by) as olga:
        await _hired(olga, office, house, vera)
        assert olga.complaints == []
    customer = await house.customer("Only To Look At")
    async with desk(browser, vera, by=by) as there:
        await there.follow("nav.side a:has-text('Customers')")
        await there.follow("a.first:has-text('Only To Look At')")
        await there.tells(customer["email"])
        for place in ("/customers", f"/customers/{customer['id']}", "/plans"):
            await there.go(place)
            buttons = there.page.locator("main .acts a.main, main .acts a.danger")
            await expect(buttons).to_have_count(0)
        answer = await there.page.goto(f"{there.root}/customers/-/create")
        assert answer is not None
        assert answer.status == 403


async def _hired(olga: Desk, office: Peer, house: Storefront, vera: Storefront) -> None:
    """Vera may look from now on: invited at the desk, and in by the link in her letter."""
    owner = (await house.ask("GET", "/v1/auth/me"))["email"]
    told = {"token": await token_for(olga, office, owner, "verify")}
    await house.ask("POST", "/v1/auth/verify-email", told)
    address = f"vera-{owner}"
    await olga.go("/team")
    await olga.press("Invite somebody", email=address, role="viewer")
    who = {"email": address, "password": PASSWORD, "name": "Vera"}
    signed = await vera.ask("POST", "/v1/auth/register", who)
    vera.headers = {"Authorization": f"Bearer {signed['accessToken']}"}
    token = await token_for(olga, office, address, "invitation")
    await vera.ask("POST", "/v1/auth/accept-invitation", {"token": token})
    vera.headers["x-org-id"] = house.headers["x-org-id"]


async def test_an_operator(shop: Storefront, browser: Browser, by: type[Desk]) -> None:
    # Named at the terminal, finds the queues, halts one with a reason and lets it go on; nothing
    # is asked of anywhere else.
    asked: set[str] = set()
    house = Storefront(shop.session, shop.here)
    await house.open("Engine Room Ltd")
    async with desk(browser, house, by=by) as otto:
        page = otto.page
        page.on("request", lambda request: asked.add(request.url))
        answer = await page.goto(f"{shop.url}/admin/queues")
        assert answer is not None
        assert answer.status == 404
        otto.complaints.clear()  # the browser tells of the page that was not there
        me = await house.ask("GET", "/v1/auth/me")
        code, said = await shop.here.run("member", "operator", me["email"])
        assert code == 0, said
        await page.goto(f"{shop.url}/admin/queues")
        assert await barriers(page) == []
        row = page.locator("tr:has(td:text-is('integrations'))").first
        await otto.click(row.get_by_role("link", name="Halt"))
        await expect(page.locator("h1")).to_have_text("Halt")
        assert await barriers(page) == []
        await otto.type("_reason", "the receiver moves")
        await otto.follow("button:text-is('Halt')")
        await expect(row).to_contain_text("yes")
        await otto.click(row.get_by_role("link", name="Go on"))
        await otto.follow("button:text-is('Go on')")
        await expect(row).to_contain_text("no")
        assert otto.complaints == []
    assert asked
    assert all(each.startswith((shop.url, "data:")) for each in asked), asked


async def test_a_forgotten_password(
    shop: Storefront, browser: Browser, office: Peer, by: type[Desk]
) -> None:
    # From the sign-in page to a letter, and by its link back in with another password; on a phone
    # and without a script.
    house = Storefront(shop.session, shop.here)
    await house.open("Sieve & Sons")
    email, other = (await house.ask("GET", "/v1/auth/me"))["email"], "Stapled-13-batteries"
    more = {"size": "phone", "java_script_enabled": False}
    async with stranger(browser, house, by=by, **more) as ann:
        title = ann.page.locator("h1")
        await ann.page.goto(f"{shop.url}/console")
        await ann.follow("a:text-is('Forgot your password?')")
        await ann.type("email", email)
        await ann.follow("button[type=submit]")
        await expect(title).to_have_text("Look at your mail")
        token = await token_for(ann, office, email, "reset")
        await ann.page.goto(f"{shop.url}/account/reset/{token}")
        await ann.type("password", other)
        await ann.follow("button[type=submit]")
        await expect(title).to_have_text("Your password is changed")
        # The browser wants a name beside the password, and nothing else; the page tells nobody's.
        assert all("username fields" in each for each in ann.complaints), ann.complaints
        ann.complaints.clear()
        await ann.follow("a:text-is('Sign in')")
        await ann.type("email", email)
        await ann.type("password", other)
        await ann.follow("button[type=submit]")
        await expect(title).to_have_text("Sieve & Sons")
        assert ann.complaints == []
