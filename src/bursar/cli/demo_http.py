"""How the demo speaks HTTP: as an integrator should, who expects the other side to be restarted.

A request is sent until it is answered, with the same idempotency key each time, so that nothing is
done twice. What the demo did not expect is an `Unexpected`, which says what it did.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from bursar.runtime.clock import monotonic
from bursar.runtime.ids import new_uuid

PATIENCE_SECONDS: Final = 60
_ONCE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.2
_PAUSE_MAX_SECONDS: Final = 5.0
_CONFLICT: Final = 409
_AWAY: Final = frozenset({429, 502, 503, 504})
_IN_PROGRESS: Final = "IDEMPOTENCY_IN_PROGRESS"
_SHOWN_MAX: Final = 300


class Unexpected(Exception):
    """The story did not go on as it should."""

    def __init__(self, wanted: str, *, came: object) -> None:
        super().__init__(f"expected {wanted}, came {came}")


class Request(Struct, frozen=True):
    """What is asked."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Heard(Struct, frozen=True):
    """What was answered, and at which try."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tries: int

    def __str__(self) -> str:
        """As a failing step shows it."""
        return f"{self.status} {self.text[:_SHOWN_MAX]}".strip()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def value(self) -> Any:
        """What is inside the envelope."""
        return self._part("data")

    @property
    def error(self) -> Any:
        """What the refusal says."""
        return self._part("error")

    @property
    def is_in_progress(self) -> bool:
        """Whether the first request with this key is still running."""
        return self.status == _CONFLICT and self.error["code"] == _IN_PROGRESS

    def expect(self, *statuses: int) -> "Heard":
        """The same answer, if it has one of these statuses.

        Raises:
            Unexpected: it has another.
        """
        if self.status not in statuses:
            raise Unexpected(" or ".join(map(str, statuses)), came=self)
        return self

    def _part(self, name: str) -> Any:
        try:
            return msgspec.json.decode(self.body)[name]
        except (msgspec.DecodeError, LookupError, TypeError):
            raise Unexpected(f"JSON with `{name}`", came=self) from None


class Browser:
    """Sends requests until they are answered; keeps no cookie and follows no redirect."""

    def __init__(
        self, session: aiohttp.ClientSession, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._session = session
        self._patience_seconds = patience_seconds

    async def send(self, request: Request, *, waits_for_first: bool = True) -> Heard:
        """The answer, however often it takes; `waits_for_first`: 409 in progress is none.

        Raises:
            Unexpected: nothing that can be called an answer within the patience.
        """
        deadline, tries, came = monotonic() + self._patience_seconds, 0, ""
        while not tries or monotonic() < deadline:
            tries += 1
            pause = _PAUSE_SECONDS
            try:
                heard = await self._once(request, tries)
            except (aiohttp.ClientError, TimeoutError, OSError) as failed:
                came = f"{type(failed).__name__} {failed}".strip()
            else:
                in_progress = waits_for_first and heard.is_in_progress
                if heard.status not in _AWAY and not in_progress:
                    return heard
                came, pause = str(heard), _asked_pause(heard)
            await asyncio.sleep(pause)
        raise Unexpected(f"an answer to {request.method} {request.url}", came=came)

    async def get(self, url: str) -> Heard:
        """A page."""
        return await self.send(Request("GET", url, {}))

    async def _once(self, request: Request, tries: int) -> Heard:
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Heard(answer.status, headers, body, tries)


class Api:
    """Bursar's API, as one caller."""

    def __init__(self, browser: Browser, url: str, headers: Mapping[str, str]) -> None:
        self._browser = browser
        self._url = url
        self._headers = headers

    def bearing(self, credential: str, *, org_id: str | None = None) -> "Api":
        """The same API, as somebody known."""
        headers = {"Authorization": f"Bearer {credential}"}
        if org_id is not None:
            headers["x-org-id"] = org_id
        return Api(self._browser, self._url, headers)

    async def get(self, path: str) -> Heard:
        """Look."""
        return await self._browser.send(Request("GET", self._url + path, self._headers))

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> Heard:
        """Change; under a key of its own, unless one is given."""
        return await self._browser.send(self._changing("POST", path=path, body=body, key=key))

    async def post_once(self, path: str, body: object, *, key: str) -> Heard:
        """The same, taking for an answer that the first with this key is still running."""
        request = self._changing("POST", path=path, body=body, key=key)
        return await self._browser.send(request, waits_for_first=False)

    async def patch(self, path: str, body: object) -> Heard:
        """Change a part."""
        return await self._browser.send(self._changing("PATCH", path=path, body=body))

    def _changing(
        self, method: str, *, path: str, body: object = None, key: str | None = None
    ) -> Request:
        headers = {**self._headers, "Idempotency-Key": key or str(new_uuid())}
        if body is None:
            return Request(method, self._url + path, headers)
        headers["Content-Type"] = "application/json"
        return Request(method, self._url + path, headers, msgspec.json.encode(body))


def open_session() -> aiohttp.ClientSession:
    """What requests are sent through."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_ONCE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@contextmanager
def understood() -> Iterator[None]:
    """An answer that lacks what it should hold is unexpected, not a bug of the demo.

    Raises:
        Unexpected: a field is missing, or is something else.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, msgspec.DecodeError) as wrong:
        raise Unexpected(
            "an answer as documented", came=f"{type(wrong).__name__}: {wrong}"
        ) from wrong


def _asked_pause(heard: Heard) -> float:
    asked = heard.headers.get("retry-after", "")
    return min(float(asked), _PAUSE_MAX_SECONDS) if asked.isdecimal() else _PAUSE_SECONDS
