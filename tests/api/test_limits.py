"""How often who may ask."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network

import pytest
from tests.api.client import Client
from tests.api.people import key_client
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.api.limits import RequestLimits
from bursar.runtime.limits import RateLimiter

SEEN = {"ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining"}


@pytest.fixture
async def strict(world: World) -> AsyncIterator[Client]:
    """The API as it is in production: five requests a minute for whoever has a credential."""
    settings = replace(world.app.settings, app_env="production", rate_limit_requests_max=5)
    limiter = RateLimiter()
    yield Client(build_api(replace(world.app, settings=settings, limiter=limiter)))
    await limiter.close()


async def test_a_credential_is_counted_by_itself(strict: Client, org: Org, world: World) -> None:
    # The sixth request is refused with every header; another credential goes on.
    owner = strict.bearing(org.access_token, org.id)
    for left in (4, 3, 2, 1, 0):
        answer = await owner.get("/v1/customers")
        assert answer.status == 200
        assert answer.headers["x-ratelimit-remaining"] == str(left)
        assert set(answer.headers) >= SEEN
    over = await owner.get("/v1/customers")
    assert (over.status, over.error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(over.headers["retry-after"]) <= 120
    assert set(over.headers) >= SEEN
    other = await world.org()
    assert (await strict.bearing(other.access_token, other.id).get("/v1/customers")).status == 200
    key = await key_client(org, "billing:read", strict)
    assert (await key.get("/v1/customers")).status == 200


async def test_strangers_are_counted_by_address(strict: Client) -> None:
    # Guessing credentials ends soon, from one address; other addresses are not the poorer.
    guesses = [
        (await strict.bearing(f"guess-{number}").get("/v1/customers")).status
        for number in range(32)
    ]
    assert guesses == [401] * 30 + [429] * 2
    elsewhere = replace(strict, address="192.0.2.7").bearing("guess")
    assert (await elsewhere.get("/v1/customers")).status == 401
    lied = await strict.bearing("guess").get("/v1/customers", x_forwarded_for="192.0.2.8")
    assert lied.status == 429


async def test_doors_worth_rattling(strict: Client) -> None:
    # Registering and signing in are counted apart, and tighter.
    said = [(await strict.post("/v1/auth/register", {})).status for _ in range(6)]
    assert said == [400] * 5 + [429]
    said = [(await strict.post("/v1/auth/login", {})).status for _ in range(11)]
    assert said == [400] * 10 + [429]


async def test_probes_are_not_counted(strict: Client) -> None:
    # A probe that asks every second is always answered.
    assert {(await strict.get("/health/live")).status for _ in range(100)} == {200}


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "unknown"),
        ("10.0.0.1", "", "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("", "", "unknown"),
    ],
)
def test_addresses(client: str, forwarded: str, address: str, world: World) -> None:
    # Only our own proxies are believed, from the nearest on; a household of IPv6 is one address.
    settings = replace(world.app.settings, trusted_proxies=(ip_network("10.0.0.0/8"),))
    limits = RequestLimits(world.app.limiter, settings)
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"client": (client, 1) if client else None, "headers": headers}
    assert limits.address_of(scope) == address
