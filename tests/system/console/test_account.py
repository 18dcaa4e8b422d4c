"""A journey through one's own account: a second factor, a session elsewhere, another password."""

import base64
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import Desk, barriers, desk, sign_in, stranger
from tests.support.storefront import PASSWORD, Storefront

from bursar.runtime import totp

pytestmark = pytest.mark.system
NEW = "Another-horse-8-battery"


async def _is_open_to_all(there: Desk) -> None:
    room = await there.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert room <= 0, there.page.url
    assert await barriers(there.page) == [], there.page.url


async def _with_a_factor(ann: Desk) -> str:
    """From the menu to a confirmed second factor; a recovery code of it."""
    await ann.follow("details.me summary")
    await ann.follow("details.me a:has-text('Your account')")
    await expect(ann.page.locator("h1")).to_have_text("Your account")
    await _is_open_to_all(ann)
    await ann.press("Add a second factor", password=PASSWORD)
    await expect(ann.page.get_by_role("img")).to_be_visible()
    await _is_open_to_all(ann)
    letters = await ann.page.locator("main pre").first.inner_text()
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    await ann.type("code", totp.code_at(secret, totp.step_of(datetime.now(UTC))))
    await ann.follow("button:text-is('Confirm the second factor')")
    await expect(ann.page.locator("h1")).to_have_text("Keep this now")
    await _is_open_to_all(ann)
    codes = await ann.page.locator("main pre").first.inner_text()
    await ann.follow("text=I have them")
    await ann.tells("on")
    return codes.split()[0]


async def test_ones_own_account(shop: Storefront, browser: Browser, by: type[Desk]) -> None:
    # The password and a code let in from now on; a session elsewhere is ended from here, and a new
    # password makes the old one worth nothing.
    house = Storefront(shop.session, shop.here)
    await house.open("Locksmith & Daughters")
    email = (await house.ask("GET", "/v1/auth/me"))["email"]
    async with desk(browser, house, by=by) as ann, stranger(browser, house, by=by) as phone:
        code = await _with_a_factor(ann)
        await phone.page.goto(f"{shop.url}/console/account")
        await sign_in(phone, email)
        await phone.type("code", code)
        await phone.follow("button[type=submit]")
        await expect(phone.page.locator("h1")).to_have_text("Your account")
        await ann.page.reload()
        row = ann.page.locator(
            "tr", has=ann.page.locator("td[data-label='This one']:text-is('no')")
        )
        await ann.click(row.first.get_by_role("link", name="End"))
        await _is_open_to_all(ann)
        await ann.follow("button:text-is('End this session')")
        await ann.tells("The session has ended")
        await phone.page.reload()
        await expect(phone.page.locator("h1")).to_have_text("Sign in")
        await ann.press("Change password", currentPassword=PASSWORD, password=NEW)
        await ann.tells("Your password is changed")
        await ann.press("Remove the second factor", password=NEW)
        await ann.tells("no second factor any more")
        assert ann.complaints == []
    async with stranger(browser, house, by=by) as back:
        await back.page.goto(f"{shop.url}/console")
        await back.fill(back.page.locator("#email"), email)
        await back.fill(back.page.locator("#password"), NEW)
        await back.follow("button[type=submit]")
        await expect(back.page.locator("h1")).to_have_text("Locksmith & Daughters")
