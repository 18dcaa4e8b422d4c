"""The reference and Swagger UI in a real browser: read, sign in, try; nobody else is ever asked."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect
from tests.support.storefront import Storefront, visitor

pytestmark = pytest.mark.system


async def test_the_reference_needs_nobody(shop: Storefront, browser: Browser) -> None:
    # Every operation and every error stands on pages of ours, without scripts.
    async with visitor(browser, java_script_enabled=False) as reader:
        asked: set[str] = set()
        reader.page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        await reader.page.goto(f"{shop.url}/docs")
        await reader.page.locator("details", has_text="/v1/invoices/{invoiceId}/pay").first.click()
        await reader.page.click("text=Errors")
        await expect(reader.page.locator("#validation_error")).to_be_visible()
        assert {host for host in asked if host} == {urlsplit(shop.url).netloc}
        assert reader.complaints == []


async def test_an_operation_is_tried(shop: Storefront, browser: Browser) -> None:
    # Sign in with a token, name the organization, press Execute: the real answer stands there.
    customer = await shop.customer("Tried GmbH")
    async with visitor(browser) as reader:
        page, asked = reader.page, set[str]()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        await page.goto(f"{shop.url}/docs")
        await page.click("text=Try it")
        await page.get_by_role("button", name="Authorize").click()
        dialog = page.locator(".modal-ux")
        token = shop.headers["Authorization"].removeprefix("Bearer ")
        await dialog.locator("input").first.fill(token)
        await dialog.get_by_role("button", name="Apply").first.click()
        await dialog.get_by_role("button", name="Close").first.click()
        listed = page.locator(".opblock-get").filter(
            has=page.locator(".opblock-summary-path", has_text=re.compile(r"^/v1/customers$"))
        )
        await page.locator(".opblock-tag", has_text="Customers").first.click()
        await listed.click()
        await listed.locator("tr[data-param-name='x-org-id'] input").fill(shop.headers["x-org-id"])
        await listed.get_by_role("button", name="Execute").click()
        answer = listed.locator(".live-responses-table .response").first
        await expect(answer).to_contain_text("200")
        await expect(answer).to_contain_text(customer["id"])
        assert {host for host in asked if host} == {urlsplit(shop.url).netloc}
        assert reader.complaints == []
