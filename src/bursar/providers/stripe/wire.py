"""The one HTTP connection to Stripe, under the SDK: bounded in time and size, and plain.

The SDK's own client for this library follows redirects, reads without a bound and lets a line that
breaks inside a body escape as a foreign exception. Here every fault of the line is the SDK's
`APIConnectionError`, no proxy is taken from the environment, no cookie is kept, and nothing is ever
sent twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
import stripe

# Otherwise the SDK keeps a file in the home directory and tells about the machine we run on.
stripe.enable_telemetry = False

_BODY_MAX: Final = 8 * 1024 * 1024
_CONNECT_SECONDS: Final = 5


class StripeWire(stripe.HTTPClient):
    """An SDK client on aiohttp. The connection pool opens with the first request."""

    name = "aiohttp"

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=_CONNECT_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request, one answer.

        Raises:
            stripe.APIConnectionError: no whole answer came back.
        """
        request = self._opened().request(
            method, url, headers=headers, data=post_data, allow_redirects=False
        )
        try:
            async with request as answer:
                body = await _bounded(answer)
                return body, answer.status, answer.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise _line_broken(fault) from fault

    async def close_async(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session


def _line_broken(fault: Exception) -> stripe.StripeError:
    kind: Callable[[str], stripe.StripeError] = (
        stripe.APIConnectionError
    )  # the SDK leaves it untyped
    return kind(f"{type(fault).__name__} on the line")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    chunks = bytearray()
    async for chunk in answer.content.iter_any():
        chunks += chunk
        if len(chunks) > _BODY_MAX:
            raise aiohttp.ClientPayloadError("the answer is larger than any of Stripe's")
    return bytes(chunks)
