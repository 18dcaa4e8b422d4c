"""A running installation with an organization whose invoices strangers open in a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp
from playwright.async_api import Browser, Page, Request, async_playwright, expect
from tests.support.program import Place, place

CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
PASSWORD: Final = "Correct-horse-7-battery"
_SIZES: Final = {"desktop": (1280, 900), "phone": (390, 844)}
_FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_EMPTY: Final = 204
_PATIENCE_MS: Final = 15_000  # a page shares its machine with whatever else is proven there
_numbers = count(1)


@dataclass
class Storefront:
    """Who sells: everything here is asked of the API as a program would."""

    session: aiohttp.ClientSession
    here: Place
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.here.port}"

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the answer holds; a test fails where it is a refusal."""
        async with self.session.request(
            method, f"{self.url}{path}", json=body, headers=self.headers
        ) as answer:
            told = await answer.json() if answer.status != _EMPTY else {"data": None}
            assert answer.status < 300, told
            return told["data"]

    async def open(self, name: str = "Harbour & Finch Ltd") -> None:
        """Sign up with an organization of that name."""
        who = {"email": f"owner{next(_numbers)}@example.com", "password": PASSWORD, "name": "Olga"}
        signed = await self.ask("POST", "/v1/auth/register", who | {"organizationName": name})
        self.headers = {
            "Authorization": f"Bearer {signed['accessToken']}",
            "x-org-id": signed["organization"]["id"],
        }

    async def customer(self, name: str = "Northwind GmbH", **more: object) -> Any:
        """Somebody to bill."""
        body = {"email": f"c{next(_numbers)}@example.com", "name": name}
        return await self.ask("POST", "/v1/customers", body | more)

    async def invoice(self, lines: object = None, **more: object) -> Any:
        """An open invoice of somebody new."""
        bought = lines or [{"description": "Growth plan, June", "unitAmountCents": 49900}]
        if "customerId" not in more:
            more["customerId"] = (await self.customer())["id"]
        draft = await self.ask("POST", "/v1/invoices", more | {"lines": bought})
        return await self.ask("POST", f"/v1/invoices/{draft['id']}/finalize", {})

    async def payments(self, invoice: Any) -> list[str]:
        """What became of each attempt at paying it."""
        found = await self.ask("GET", f"/v1/payments?invoiceId={invoice['id']}")
        return [each["status"] for each in found]


@asynccontextmanager
async def storefront(**settings: str) -> AsyncIterator[Storefront]:
    """A whole installation of its own, and somebody who sells there."""
    async with place(RATE_LIMIT_MAX_REQUESTS="1000000", **settings) as here:
        run = await here.start("run", "--no-demo")
        await here.until_healthy(run)
        async with aiohttp.ClientSession() as session:
            made = Storefront(session, here)
            await made.open()
            yield made


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser, without a screen."""
    expect.set_options(timeout=_PATIENCE_MS)
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        await browser.close()


@dataclass
class Visitor:
    """Somebody at a browser, and everything that the browser complains of."""

    page: Page
    complaints: list[str]

    async def type_card(self, number: str = "4242 4242 4242 4242") -> None:
        """Pay on the provider's page."""
        await self.page.fill("#number", number)
        await self.page.fill("#expiry", "12 / 34")
        await self.page.fill("#cvc", "123")
        await self.page.click("button[type=submit]")


def _failed(request: Request) -> list[str]:
    """What was asked for in vain; that a page which is left hears no more is no failure."""
    is_script = request.url.endswith("/live") or "hx-request" in request.headers
    return [] if is_script and request.failure == "net::ERR_ABORTED" else [request.url]


@asynccontextmanager
async def visitor(
    browser: Browser, *, size: str = "desktop", look: Any = "light", **more: Any
) -> AsyncIterator[Visitor]:
    """Somebody new, without a cookie; in English unless `locale` says otherwise."""
    width, height = _SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=look,
        **({"locale": "en-GB"} | more),
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.extend(_failed(request)))
    yield Visitor(page, complaints)
    await context.close()
