"""What only a keyboard needs: the way past the navigation. Every journey is made by it anyway."""

import pytest
from playwright.async_api import Browser, StorageState, expect
from tests.support.desk import KeyboardDesk, desk
from tests.support.storefront import Storefront

pytestmark = pytest.mark.system


async def test_past_the_navigation(shop: Storefront, browser: Browser, kept: StorageState) -> None:
    # The first stop of a page skips the frame around it; the next ones are the page's own.
    await shop.customer("Keyboard Kites")
    async with desk(browser, shop, by=KeyboardDesk, storage_state=kept) as katrin:
        page = katrin.page
        await katrin.go("/customers?q=Keyboard")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Skip to content")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("New customer")
        await katrin.open("")
        await expect(page.locator("h1")).to_contain_text("Keyboard Kites")
        assert katrin.complaints == []
