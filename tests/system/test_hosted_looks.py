"""How the hosted page looks: in light and in dark, on a desk and on a phone, in four languages.

Each test leaves its picture in the folder that pytest keeps of its last runs, for somebody to look
at; what a machine can judge is judged here.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect
from tests.support.desk import barriers
from tests.support.storefront import Storefront, Visitor, visitor

pytestmark = pytest.mark.system

LINES: Final = [
    {"description": "Growth plan, June", "unitAmountCents": 49900},
    {"description": "API calls above one million", "quantity": 1200, "unitAmountDecimal": "2.5"},
    {"description": "Onboarding " + "Donaudampfschifffahrt" * 4, "unitAmountCents": 100},
]


async def judged(ann: Visitor, picture: Path) -> None:
    """Nothing hangs over the edge, everything can be read, and nothing is complained of."""
    await ann.page.screenshot(path=picture, full_page=True, quality=80, type="jpeg")
    assert await ann.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert await barriers(ann.page) == []
    assert ann.complaints == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("look", ["light", "dark"])
async def test_it_is_readable_on_every_screen(
    shop: Storefront, browser: Browser, tmp_path: Path, look: str, size: str
) -> None:
    # Open and void, with a word that no line can hold.
    invoice = await shop.invoice(LINES, memo="Thank you for your business.")
    async with visitor(browser, size=size, look=look) as ann:
        await ann.page.goto(invoice["hostedInvoiceUrl"])
        await expect(ann.page.locator(".pay")).to_be_visible()
        await judged(ann, tmp_path / f"open-{look}-{size}.jpg")
        await shop.ask("POST", f"/v1/invoices/{invoice['id']}/void", {})
        await ann.page.reload()
        await expect(ann.page.locator(".pay")).to_have_count(0)
        await judged(ann, tmp_path / f"void-{look}-{size}.jpg")


@pytest.mark.parametrize(
    ("locale", "said"),
    [("de-DE", "fällig"), ("fr-FR", "à régler"), ("es-ES", "499,00"), ("en-GB", "due")],
)
async def test_it_is_readable_in_four_languages(
    shop: Storefront, browser: Browser, tmp_path: Path, locale: str, said: str
) -> None:
    # Words that are longer than ours still fit on a phone.
    invoice = await shop.invoice()
    async with visitor(browser, size="phone", locale=locale) as ann:
        await ann.page.goto(invoice["hostedInvoiceUrl"])
        await expect(ann.page.locator("h1")).to_contain_text(said)
        await judged(ann, tmp_path / f"open-{locale}.jpg")
