"""The secret key is exchanged while everybody goes on: what the old one made is read by both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.api.client import Client
from tests.support.database import Installation, installation
from tests.support.world import PASSWORD, World, open_world

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.runtime.crypto import KeyRing
from bursar.runtime.key_rings import key_ring
from bursar.runtime.migrations import migrate
from bursar.runtime.schema import SchemaUnfit, require_fit
from bursar.runtime.settings import Settings, load

OLD, NEW = "0123456789abcdef" * 4, "fedcba9876543210" * 4
ADA = {"email": "ada@example.com", "name": "Ada"}


@pytest.fixture
async def house() -> AsyncIterator[Installation]:
    """An installation that began with the old key."""
    async with installation(SECRET_KEY=OLD) as made:
        yield made


def settings_of(folder: Path, **environ: str) -> Settings:
    return load({"APP_ENV": "test", "DATA_DIR": str(folder), **environ})


def client_of(world: World) -> Client:
    return Client(build_api(world.app))


async def test_what_the_old_key_made_is_still_good(house: Installation, tmp_path: Path) -> None:
    # Tokens, API keys, cursors, stored answers, hosted links and passwords outlive the exchange;
    # a process that still has the old key goes on beside one that has both.
    async with open_world(house) as old:
        org = await old.org()
        before = client_of(old).bearing(org.access_token, org.id)
        invoice = await org.invoice(await org.customer(None))
        made = await before.post("/v1/customers", ADA, idempotency_key="k")
        body = {"name": "k", "scopes": ["billing:read"]}
        key = (await before.post("/v1/api-keys", body)).value["key"]
        cursor = (await before.get("/v1/customers?limit=1")).json["meta"]["nextCursor"]
        link = (await before.get(f"/v1/invoices/{invoice.id}")).value["hostedInvoiceUrl"]
        login = {"email": (await before.get("/v1/auth/me")).value["email"], "password": PASSWORD}
        refresh = (await before.post("/v1/auth/login", login)).value["refreshToken"]
        both = settings_of(tmp_path, SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD)
        key_now, *keys_before = key_ring(both).keys("context").values()
        await migrate(house.owner_url, context_key=key_now, before=keys_before)
        async with open_world(replace(house, settings=both)) as new:
            anyone = client_of(new)
            after = anyone.bearing(org.access_token, org.id)
            again = await after.post("/v1/customers", ADA, idempotency_key="k")
            assert (again.body, again.headers["idempotent-replayed"]) == (made.body, "true")
            assert (await after.get(f"/v1/customers?limit=1&after={cursor}")).status == 200
            assert (await anyone.bearing(key).get("/v1/customers")).status == 200
            assert (await anyone.get("/i/" + link.rpartition("/")[2])).status == 200
            assert (await anyone.post("/v1/auth/login", login)).status == 200
            renewed = await anyone.post("/v1/auth/refresh", {"refreshToken": refresh})
            assert renewed.status == 200
            assert (await before.get("/v1/customers")).status == 200
    await migrate(house.owner_url, context_key=key_now)
    alone = key_ring(settings_of(tmp_path, SECRET_KEY=OLD)).key("context")
    with pytest.raises(SchemaUnfit, match="SECRET_KEY"):
        await require_fit(house.app_url, context_key=alone, is_production=False)


def test_a_secret_of_its_own_is_not_exchanged(tmp_path: Path) -> None:
    # What was given for one use stays as it is; the others follow the secret key.
    jwt = "a secret that was given for access tokens"
    given = key_ring(settings_of(tmp_path, SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD, JWT_SECRET=jwt))
    before = key_ring(settings_of(tmp_path, SECRET_KEY=OLD, JWT_SECRET=jwt))
    assert len(given.keys("access-token")) == 1
    assert given.key("access-token") == before.key("access-token")
    for label in ("refresh-token", "api-key", "seal", "context"):
        assert [*given.keys(label).values()][1] == before.key(label)
        assert given.key(label) != before.key(label)


def test_a_ring_knows_a_given_secret_and_the_one_before() -> None:
    # A hash by either is found; a new one is made by today's.
    ring = KeyRing(b"n" * 32, given={"x": b"new"}, given_before={"x": b"old"})
    old = KeyRing(b"n" * 32, given={"x": b"old"})
    assert ring.is_mac("x", message=b"m", mac=old.mac("x", b"m"))
    assert ring.mac("x", b"m") != old.mac("x", b"m")
