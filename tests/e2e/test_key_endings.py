"""Two API processes of one installation: a key that ends in one ends in the other, at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.support.program import Place, place
from tests.support.tree import free_ports

from bursar.runtime.embedded import throwaway

PASSWORD = "Correct-horse-7-battery"
WITHIN_SECONDS = 1.0
ROUNDS = 5


@dataclass
class Pair:
    """Two processes, and an owner who asks either."""

    urls: tuple[str, str]
    http: aiohttp.ClientSession
    headers: dict[str, str]

    async def post(self, at: int, path: str, body: object) -> Any:
        """As the owner."""
        url = self.urls[at] + path
        async with self.http.post(url, json=body, headers=self.headers) as answer:
            assert answer.status < 300, await answer.text()
            return (await answer.json())["data"]

    async def status(self, at: int, key: str) -> int:
        """What a program with this key is answered, at a route that needs nothing but a look."""
        headers = {"Authorization": f"Bearer {key}"}
        async with self.http.get(f"{self.urls[at]}/v1/customers", headers=headers) as answer:
            return answer.status

    async def until_refused(self, at: int, key: str) -> float:
        """Seconds until the key is a 401 there."""
        began = time.monotonic()
        while await self.status(at, key) != 401:
            assert time.monotonic() - began < WITHIN_SECONDS, "a key that ended still works"
            await asyncio.sleep(0.01)
        return time.monotonic() - began


async def serving(made: Place) -> tuple[str, str]:
    """Both processes, up."""
    code, said = await made.run("migrate")
    assert code == 0, said
    ports = made.port, free_ports()[0]
    programs = [await made.start("serve", PORT=str(port)) for port in ports]
    for port, program in zip(ports, programs, strict=True):
        await made.until_healthy(program, port)
    first, second = (f"http://127.0.0.1:{port}" for port in ports)
    return first, second


@pytest.fixture(scope="module")
async def pair() -> AsyncIterator[Pair]:
    """Each test has keys of its own: none sees what another ended."""
    async with place() as made, throwaway(made.folder / "postgres") as urls:
        made.environment["DATABASE_URL"] = urls.app.reveal()
        made.environment["MIGRATION_DATABASE_URL"] = urls.owner.reveal()
        async with aiohttp.ClientSession() as http:
            yield await signed_up(Pair(await serving(made), http, {}))


async def signed_up(pair: Pair) -> Pair:
    """The same, as the owner of a new organization."""
    body = {"email": "olga@example.com", "name": "Olga", "password": PASSWORD}
    signed = await pair.post(0, "/v1/auth/register", {**body, "organizationName": "Acme"})
    pair.headers["Authorization"] = f"Bearer {signed['accessToken']}"
    pair.headers["x-org-id"] = signed["organization"]["id"]
    return pair


async def test_a_key_that_ends_ends_everywhere(pair: Pair) -> None:
    # Revoked here, refused there within a second, though it was just used there; five times.
    slowest = 0.0
    for _ in range(ROUNDS):
        made = await pair.post(0, "/v1/api-keys", {"name": "k", "scopes": ["billing:read"]})
        for at in (0, 1):
            assert await pair.status(at, made["key"]) == 200
        await pair.post(0, f"/v1/api-keys/{made['id']}/revoke", {})
        slowest = max(slowest, await pair.until_refused(1, made["key"]))
        assert await pair.status(0, made["key"]) == 401
    print(f"two processes: a revoked key is refused after {slowest * 1000:.0f} ms at most")


async def test_a_rotated_key_ends_with_its_overlap(pair: Pair) -> None:
    # Both keys work for the overlap in both processes; then the old one in neither.
    made = await pair.post(0, "/v1/api-keys", {"name": "k", "scopes": ["billing:read"]})
    body = {"overlapSeconds": 2}
    heir = await pair.post(1, f"/v1/api-keys/{made['id']}/rotate", body)
    for at in (0, 1):
        assert await pair.status(at, made["key"]) == 200
        assert await pair.status(at, heir["key"]) == 200
    await asyncio.sleep(2.1)
    for at in (0, 1):
        assert await pair.status(at, made["key"]) == 401
        assert await pair.status(at, heir["key"]) == 200
