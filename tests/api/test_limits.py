"""How often who may ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from uuid import UUID

import pytest
from tests.api.client import Client
from tests.api.people import key_client
from tests.support.world import Org, World

from bursar.api.addresses import address_of
from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.runtime.limits import RateLimiter
from bursar.runtime.secret import Secret
from bursar.runtime.settings import Settings

SEEN = {"ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining"}


@asynccontextmanager
async def limited(world: World, settings: Settings) -> AsyncIterator[Client]:
    """The API with limits of its own."""
    limiter = RateLimiter()
    yield Client(build_api(replace(world.app, settings=settings, limiter=limiter)))
    await limiter.close()


@pytest.fixture
async def strict(world: World) -> AsyncIterator[Client]:
    """The API as it is in production: five requests a minute for whoever has a credential."""
    settings = replace(world.app.settings, app_env="production", rate_limit_requests_max=5)
    async with limited(world, settings) as client:
        yield client


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


async def test_another_organization_is_another_count(strict: Client, org: Org) -> None:
    # A person is counted in each organization, but naming ever new ones is no way around.
    owner = strict.bearing(org.access_token)
    named = [f"org_{UUID(int=7 << 76 | 2 << 62 | number)}" for number in range(30)]
    said = [(await owner.get("/v1/customers", x_org_id=each)).status for each in named]
    assert said == [404] * 25 + [429] * 5


async def test_writes_are_counted_by_the_second(world: World, org: Org) -> None:
    # Twenty writes pass in a second, and reading goes on; each answer names what it was counted by.
    settings = replace(world.app.settings, rate_limit_requests_max=1_000)
    async with limited(world, settings) as anyone:
        owner = anyone.bearing(org.access_token, org.id)
        answers = [await owner.post("/v1/customers", {}) for _ in range(60)]
        let_in = [answer for answer in answers if answer.status != 429]
        assert let_in[0].headers["ratelimit-policy"] == '"writes";q=20;w=1, "default";q=1000;w=60'
        # What the second refused was not counted by the minute.
        assert let_in[-1].headers["x-ratelimit-remaining"] == str(1_000 - len(let_in))
        over = next(answer for answer in answers if answer.status == 429)
        assert over.headers["ratelimit-policy"] == '"writes";q=20;w=1'
        assert over.headers["retry-after"] in {"1", "2"}
        assert over.headers["x-ratelimit-limit"] == "20"
        assert (await owner.get("/v1/customers")).status == 200


async def test_what_costs_more_counts_more(world: World, org: Org) -> None:
    # A printed invoice counts as ten requests.
    invoice = await org.invoice(await org.customer(None))
    settings = replace(world.app.settings, rate_limit_requests_max=25)
    async with limited(world, settings) as anyone:
        owner = anyone.bearing(org.access_token, org.id)
        path = f"/v1/invoices/{invoice.id}/pdf"
        said = [(await owner.get(path)) for _ in range(3)]
        assert [each.status for each in said] == [200, 200, 429]
        assert said[1].headers["x-ratelimit-remaining"] == "5"


async def test_forged_reports_are_counted(strict: Client) -> None:
    # Whoever guesses at a provider's signature soon guesses no more.
    hook = "/webhooks/sandbox"
    said = [(await strict.post(hook, b"{}", stripe_signature="x")).status for _ in range(32)]
    assert said == [400] * 30 + [429] * 2


async def test_a_redis_that_is_away_is_said(world: World, org: Org) -> None:
    # Requests go on, and health and metrics tell that each process counts alone.
    url = Secret("redis://127.0.0.1:1/0")
    settings = replace(world.app.settings, redis_url=url)
    limiter = RateLimiter(url, world.app.telemetry.limits_shared)
    app = replace(world.app, settings=settings, limiter=limiter)
    anyone = Client(build_api(app))
    health = await anyone.get("/health")
    assert (health.status, health.json["redis"]) == (200, "disconnected")
    assert b"rate_limits_shared 0.0" in (await anyone.get("/metrics")).body
    owner = anyone.bearing(org.access_token, org.id)
    assert (await owner.get("/v1/customers")).status == 200
    await limiter.close()


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
    said = [(await strict.post("/v1/auth/login", {})).status for _ in range(31)]
    assert said == [400] * 30 + [429]


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
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("", "", "unknown"),
    ],
)
def test_addresses(client: str, forwarded: str, address: str) -> None:
    # Only our own proxies are believed, from the nearest on; a household of IPv6 is one address.
    assert address_of(scope(client, forwarded), (ip_network("10.0.0.0/8"),)) == address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.1", "203.0.113.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 192.0.2.1", "198.51.100.1"),
        (2, "198.51.100.1", "198.51.100.1"),
        (1, "", "203.0.113.9"),
        (1, "nonsense", "unknown"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_counted_proxies(proxies: int, forwarded: str, address: str) -> None:
    # Where only the number of our proxies is known, as many hops are believed and no more.
    assert address_of(scope("203.0.113.9", forwarded), proxies) == address


def scope(client: str, forwarded: str) -> dict[str, object]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"client": (client, 1) if client else None, "headers": headers}
