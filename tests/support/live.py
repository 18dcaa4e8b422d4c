"""Somebody who asks a running installation over real HTTP, and does not mind that it dies.

An answer that never came is `None`: nothing is known then. `until_answered` sends the same request
under the same key until it is answered, as every client is told to.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec
from tests.support.tree import Tree
from tests.support.world import PASSWORD

_TOTAL_SECONDS: Final = 35
_TRIES_MAX: Final = 600
_PAUSE_SECONDS: Final = 0.1
_IN_PROGRESS: Final = "IDEMPOTENCY_IN_PROGRESS"
_AGAIN: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.body)["data"]

    @property
    def page(self) -> Any:
        """A list, with what stands beside it."""
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> Any:
        return msgspec.json.decode(self.body)["error"]

    @property
    def is_final(self) -> bool:
        """Whether the request need not be sent again to be known."""
        if self.status in _AGAIN:
            return False
        return self.status != 409 or self.error["code"] != _IN_PROGRESS


@dataclass
class Visitor:
    """One organization's owner."""

    session: aiohttp.ClientSession
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    org_id: str = ""
    retries: int = 0
    seen: Counter[int | None] = field(default_factory=Counter)

    async def ask(
        self, method: str, path: str, body: object = None, key: str | None = None
    ) -> Answer | None:
        """Send it once."""
        headers = {**self.headers, "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self.session.request(
                method, self.url + path, data=data, headers=headers
            ) as response:
                answer = Answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.seen[None] += 1
            return None
        self.seen[answer.status] += 1
        return answer

    async def until_answered(self, path: str, body: object, key: str) -> Answer:
        """Send it again until it is answered."""
        for _ in range(_TRIES_MAX):
            answer = await self.ask("POST", path, body, key)
            if answer is not None and answer.is_final:
                return answer
            self.retries += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"{path} was never answered under {key}")

    async def make(self, path: str, body: object, key: str) -> Any:
        """Make something; what it is."""
        answer = await self.until_answered(path, body, key)
        assert answer.status < 300, answer.body
        return answer.value


@asynccontextmanager
async def visitor(tree: Tree, email: str) -> AsyncIterator[Visitor]:
    """Somebody who has just registered, with as many connections as they like."""
    timeout = aiohttp.ClientTimeout(total=_TOTAL_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        who = Visitor(session, tree.url)
        body = {"email": email, "password": PASSWORD, "name": "V", "organizationName": "Visit"}
        answer = await who.ask("POST", "/v1/auth/register", body)
        assert answer is not None
        assert answer.status == 201, answer.body
        who.org_id = answer.value["organization"]["id"]
        who.headers["authorization"] = f"Bearer {answer.value['accessToken']}"
        who.headers["x-org-id"] = who.org_id
        yield who
