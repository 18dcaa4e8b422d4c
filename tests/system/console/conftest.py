"""One installation and one browser for all journeys, and a desk at which somebody is signed in."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, StorageState
from tests.support.desk import Desk, KeyboardDesk, desk
from tests.support.mail_server import Peer, post_office
from tests.support.storefront import Storefront, chromium, storefront


@pytest.fixture(scope="package")
async def mail() -> AsyncIterator[tuple[Peer, str]]:
    async with post_office() as made:
        yield made


@pytest.fixture(scope="package")
def office(mail: tuple[Peer, str]) -> Peer:
    """Where the installation's letters go."""
    return mail[0]


@pytest.fixture(scope="package")
async def shop(mail: tuple[Peer, str]) -> AsyncIterator[Storefront]:
    async with storefront(SMTP_URL=mail[1], EMAIL_FROM="Bursar <bursar@example.com>") as made:
        yield made


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@pytest.fixture(scope="package")
async def kept(shop: Storefront, browser: Browser) -> StorageState:
    """What a browser keeps of somebody who signed in once."""
    async with desk(browser, shop) as olga:
        return await olga.page.context.storage_state()


@pytest.fixture(
    params=[
        pytest.param(Desk, id="mouse"),
        pytest.param(KeyboardDesk, id="keyboard", marks=pytest.mark.by_keyboard),
    ]
)
def by(request: pytest.FixtureRequest) -> type[Desk]:
    """With what somebody works: every journey is made with a mouse, and by keyboard alone."""
    chosen: type[Desk] = request.param
    return chosen


@pytest.fixture
async def olga(
    shop: Storefront, browser: Browser, kept: StorageState, by: type[Desk]
) -> AsyncIterator[Desk]:
    async with desk(browser, shop, by=by, storage_state=kept) as there:
        yield there
        assert there.complaints == [], "the browser complains of nothing, its policy among it"
