"""The reference in a real browser, as Scalar, Swagger UI and a plain page; nobody else is asked."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect
from tests.support.storefront import Storefront, Visitor, visitor

pytestmark = pytest.mark.system


@asynccontextmanager
async def alone(shop: Storefront, reader: Visitor) -> AsyncIterator[Page]:
    """What is done in the block asks this server only, and the browser complains of nothing."""
    asked: set[str] = set()
    reader.page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    yield reader.page
    assert {host for host in asked if host} == {urlsplit(shop.url).netloc}
    assert [said for said in reader.complaints if not said.startswith("@scalar/")] == []


async def test_the_reference_needs_nobody(shop: Storefront, browser: Browser) -> None:
    # Every operation and every error stands on pages of ours, without scripts.
    async with (
        visitor(browser, java_script_enabled=False) as reader,
        alone(shop, reader) as page,
    ):
        await page.goto(f"{shop.url}/docs")
        await page.click("a[href='/docs/reference']")
        await page.locator("details", has_text="/v1/invoices/{invoiceId}/pay").first.click()
        await page.click("text=Errors")
        await expect(page.locator("#validation_error")).to_be_visible()


async def test_the_reference_is_tried(shop: Storefront, browser: Browser) -> None:
    # Who is asking is said once; the request is sent as it stands, and the real answer is shown.
    customer = await shop.customer("Read GmbH")
    async with visitor(browser) as reader, alone(shop, reader) as page:
        await page.goto(f"{shop.url}/docs#tag/customers/GET/v1/customers")
        secrets = page.locator(".scalar-reference-intro-auth input")
        await secrets.nth(0).fill(shop.headers["Authorization"].removeprefix("Bearer "))
        await secrets.nth(1).fill(shop.headers["x-org-id"])
        await page.get_by_role("button", name="Test Request (get /v1/customers)").first.click()
        await page.keyboard.press("Control+Enter")
        answer = page.get_by_text(customer["id"]).first
        await expect(answer).to_be_visible()
        assert await page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_an_operation_is_tried(shop: Storefront, browser: Browser) -> None:
    # Sign in with a token, name the organization, press Execute: the real answer stands there.
    customer = await shop.customer("Tried GmbH")
    async with visitor(browser) as reader, alone(shop, reader) as page:
        await page.goto(f"{shop.url}/docs/swagger")
        await page.get_by_role("button", name="Authorize").click()
        dialog = page.locator(".modal-ux")
        token = shop.headers["Authorization"].removeprefix("Bearer ")
        named = {"accessToken (http": token, "organization (": shop.headers["x-org-id"]}
        for scheme, value in named.items():
            form = dialog.locator("form", has_text=scheme)
            await form.locator("input").first.fill(value)
            await form.get_by_role("button", name="Apply").click()
        await dialog.get_by_role("button", name="Close").first.click()
        listed = page.locator(".opblock-get").filter(
            has=page.locator(".opblock-summary-path", has_text=re.compile(r"^/v1/customers$"))
        )
        await page.locator(".opblock-tag", has_text="Customers").first.click()
        await listed.click()
        await listed.get_by_role("button", name="Execute").click()
        answer = listed.locator(".live-responses-table .response").first
        await expect(answer).to_contain_text("200")
        await expect(answer).to_contain_text(customer["id"])
