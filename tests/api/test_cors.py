"""Pages of other origins: refused, unless they are listed."""

import pytest
from tests.api.client import Client
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace

SHOP = "https://shop.example.com"
ASKS = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}


@pytest.fixture(scope="module")
def listed(world: World, anyone: Client) -> Client:
    """The API of an installation that lists one origin."""
    settings = replace(world.app.settings, cors_origins=(SHOP,), rate_limit_requests_max=1_000_000)
    return replace(anyone, app=build_api(replace(world.app, settings=settings)))


async def test_closed_by_default(anyone: Client, owner: Client) -> None:
    # Without a list no browser gets an answer for another origin, nor leave to ask.
    answer = await owner.get("/v1/customers", origin=SHOP)
    assert answer.status == 200
    asked = await anyone.ask("OPTIONS", "/v1/customers", headers={"origin": SHOP, **ASKS})
    assert asked.status == 405
    for each in (answer, asked):
        assert not [name for name in each.headers if name.startswith("access-control")]


async def test_a_listed_origin(listed: Client, org: Org) -> None:
    # It may ask, is told what it may send, and reads the answer with its headers, without cookies.
    asked = await listed.ask("OPTIONS", "/v1/customers", headers={"origin": SHOP, **ASKS})
    assert (asked.status, asked.body) == (204, b"")
    assert "content-length" not in asked.headers
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    answer = await listed.bearing(org.access_token, org.id).get("/v1/customers", origin=SHOP)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, SHOP)
    assert "Idempotent-Replayed" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    refused = await listed.get("/v1/customers", origin=SHOP)
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, SHOP)


@pytest.mark.parametrize(
    "origin",
    [f"{SHOP}.evil.example", "https://evil.example", "null", SHOP.upper(), f"{SHOP}:8443", "*",
     "http://shop.example.com"],
)  # fmt: skip
async def test_an_origin_that_is_not_listed(origin: str, listed: Client) -> None:
    # Nearly the same is another origin; caches are told that the answer depends on it.
    answer = await listed.get("/v1/event-types", origin=origin)
    assert (answer.status, answer.headers["vary"]) == (200, "Origin")
    assert "access-control-allow-origin" not in answer.headers


async def test_pages_are_for_nobody_else(listed: Client) -> None:
    # The list is about the API alone.
    for path in ("/docs", "/health", "/i/token"):
        answer = await listed.get(path, origin=SHOP)
        assert "access-control-allow-origin" not in answer.headers
