"""A shop that runs and a real browser before it, once a module."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser
from tests.support.storefront import Storefront, chromium, storefront


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Storefront]:
    async with storefront() as made:
        yield made


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made
