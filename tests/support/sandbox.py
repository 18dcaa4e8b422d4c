"""The sandbox processor in this process, behind the official Stripe SDK and without a socket.

`stripe_client(sandbox)` is an ordinary `stripe.StripeClient`. A dropped response raises the SDK's
`APIConnectionError`; a delay is handed to `on_delay`, and one beyond `timeout_ms` is a timeout
whose request was still carried out, as on a real line.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

from bursar_sandbox.core.wire import Request, Response
from bursar_sandbox.sandbox import Sandbox

BASE_URL = "http://sandbox.test"


class InProcessClient(stripe.HTTPClient):
    """What the SDK calls instead of a network library."""

    name = "sandbox"

    def __init__(
        self,
        sandbox: Sandbox,
        on_delay: Callable[[int], Awaitable[None]] | None = None,
        timeout_ms: int = 20_000,
    ) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.requests: list[Request] = []
        self.extra_headers: dict[str, str] = {}
        self._on_delay = on_delay
        self._timeout_ms = timeout_ms

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        body, status, told = self._read(self._send(method, url, headers, post_data))
        return body.decode(), status, told

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        response = self._send(method, url, headers, post_data)
        if response.delay_ms and self._on_delay is not None:
            await self._on_delay(min(response.delay_ms, self._timeout_ms))
        return self._read(response)

    async def sleep_async(self, secs: float) -> None:
        if self._on_delay is not None:
            await self._on_delay(int(secs * 1000))

    def close(self) -> None:
        """Nothing is open."""

    async def close_async(self) -> None:
        """Nothing is open."""

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any
    ) -> Response:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = post_data.encode() if isinstance(post_data, str) else bytes(post_data or b"")
        sent = {name: str(value) for name, value in (headers or {}).items()}
        request = Request(method.upper(), path, {**sent, **self.extra_headers}, body)
        self.requests.append(request)
        return self.sandbox.handle(request)

    def _read(self, response: Response) -> tuple[bytes, int, Mapping[str, str]]:
        if response.is_dropped:
            raise _broken("The line broke.")
        if response.delay_ms > self._timeout_ms:
            raise _broken("The answer took too long.")
        return response.body, response.status, response.headers


def _broken(message: str) -> Exception:
    untyped: Any = stripe.APIConnectionError
    error: Exception = untyped(message, should_retry=True)
    return error


def stripe_client(
    sandbox: Sandbox, http_client: InProcessClient | None = None
) -> stripe.StripeClient:
    """The official client, without retries of its own, speaking to this sandbox."""
    return stripe.StripeClient(
        sandbox.settings.secret_key,
        base_addresses={"api": BASE_URL},
        http_client=http_client or InProcessClient(sandbox),
        max_network_retries=0,
    )


def control(sandbox: Sandbox, method: str, path: str, /, **fields: object) -> Response:
    """Call a control route: `control(sandbox, "POST", "clock", advance=60)`."""
    headers = {"Authorization": f"Bearer {sandbox.settings.secret_key}"}
    pairs = {name: str(value) for name, value in fields.items()}
    if method == "GET":
        path = f"{path}?{urlencode(pairs)}" if pairs else path
        return sandbox.handle(Request(method, f"/_sandbox/{path}", headers))
    body = urlencode(pairs).encode()
    return sandbox.handle(Request(method, f"/_sandbox/{path}", headers, body))


def browse(sandbox: Sandbox, method: str, url: str, /, **fields: str) -> Response:
    """Open a hosted page, or post its form, as a browser would."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return sandbox.handle(Request(method, path, {}, urlencode(fields).encode()))
