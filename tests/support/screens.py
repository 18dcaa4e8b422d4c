"""`python -m tests.support.screens LINK [NAME …]`: every page of the console, photographed.

LINK is the one that `bursar run` prints, for an installation whose demo organization is complete.
The pictures go to docs/screens, all or those that are named: lists and things as they stand on a
desk, some of them on a phone and in the dark; the doors as they look to whoever is outside.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Page
from tests.support.storefront import chromium, visitor

from bursar.console.nouns.every import NOUNS

_FOLDER: Final = Path("docs/screens")
_QUALITY: Final = 62
_SETTLED_MS: Final = 500  # a chart draws itself


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the page, and the first of its list if that is meant."""

    name: str
    place: str
    opens: str = ""  # what to click on the way
    size: str = "desktop"
    look: str = "light"
    is_outside: bool = False  # seen by somebody who is not signed in


_LISTED: Final = [noun.slug for noun in NOUNS if noun.rows or noun.is_single]
_OPENED: Final = {
    "customer": "/customers?email=billing@quartz.example",
    "invoice": "/invoices?status=paid",
    "subscription": "/subscriptions?status=active",
    "plan": "/plans?q=Team",
    "payment": "/payments?status=succeeded",
    "dunning-case": "/dunning",
    "meter": "/meters",
    "event": "/events",
}
_FORMS: Final = {
    "plan-form": "/plans/-/create",
    "invoice-form": "/invoices/-/create",
    "subscription-form": "/subscriptions/-/create",
    "clock-form": "/test-clock/-/advance",
}
SHOTS: Final = (
    Shot("home", ""),
    Shot("home-dark", "", look="dark"),
    Shot("home-phone", "", size="phone"),
    Shot("analytics", "/analytics"),
    Shot("analytics-dark-phone", "/analytics", size="phone", look="dark"),
    Shot("search", "/search?q=team"),
    Shot("account", "/../account"),  # of no organization
    Shot("sign-in", "/../sign-in", is_outside=True),
    Shot("forgotten", "/../forgot-password", is_outside=True),
    Shot("forgotten-phone", "/../forgot-password?asked=1", "", "phone", "dark", is_outside=True),
    *(Shot(slug, f"/{slug}") for slug in _LISTED),
    *(Shot(name, place, "a.first") for name, place in _OPENED.items()),
    *(Shot(name, place) for name, place in _FORMS.items()),
    Shot("explain", "/invoices?status=paid", "a.first, text=Why this amount"),
    Shot("invoices-phone", "/invoices", size="phone"),
    Shot("invoice-phone", "/invoices?status=paid", "a.first", size="phone"),
    Shot("payments-dark", "/payments", look="dark"),
    Shot("customer-dark", "/customers?email=billing@quartz.example", "a.first", look="dark"),
)


async def photograph(link: str, shots: Sequence[Shot]) -> None:
    """These pictures, taken anew."""
    async with chromium() as browser:
        async with visitor(browser) as olga:
            await olga.page.goto(link)
            await olga.page.get_by_role("button", name="Open the console").click()
            await olga.page.wait_for_url("**/console/org_*")
            root = olga.page.url
            kept = await olga.page.context.storage_state()
        for around in sorted({_around(shot) for shot in shots}):
            size, look, is_outside = around
            more = {"storage_state": None if is_outside else kept, "device_scale_factor": 1}
            async with visitor(browser, size=size, look=look, **more) as olga:
                for shot in shots:
                    if _around(shot) == around:
                        await _take(olga.page, root, shot)


def _around(shot: Shot) -> tuple[str, str, bool]:
    """What pictures share that are taken by one visitor."""
    return shot.size, shot.look, shot.is_outside


async def _take(page: Page, root: str, shot: Shot) -> None:
    await page.goto(f"{root}{shot.place}")
    for each in filter(None, shot.opens.split(", ")):
        found = page.locator(each).first
        if not await found.count():
            return  # there is none of these now
        await found.click()
    await page.wait_for_timeout(_SETTLED_MS)
    await page.screenshot(path=_FOLDER / f"{shot.name}.jpg", type="jpeg", quality=_QUALITY)


if __name__ == "__main__":
    _, the_link, *names = sys.argv
    asyncio.run(photograph(the_link, [each for each in SHOTS if not names or each.name in names]))
