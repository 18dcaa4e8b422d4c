"""Carries webhooks to endpoints that customers chose: nothing inside our network can be reached.

The address about to be dialed is judged in the socket factory, which also sees literals, and every
address a name resolves to is judged before the first one is dialed. No redirect, proxy, cookie or
compressed body is followed, kept or opened; time, headers and bytes read are bounded. The far end
may do whatever it likes: the answer is always a small value.
"""

import asyncio
import base64
import codecs
import socket
import ssl
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from bursar.domain.sending import SendFailure, WebhookAnswer, WebhookRequest, WebhookSender
from bursar.domain.times import Instant
from bursar.domain.webhooks import (
    EndpointUrlRefused,
    endpoint_url,
    is_public,
    response_excerpt,
    retry_after_seconds,
)

READ_MAX: Final = 16 * 1024
HEADERS_MAX: Final = 32 * 1024
CONNECT_SECONDS: Final = 3
_HEADER_LINE_MAX: Final = 8_190
_BASE64_BYTES_MAX: Final = 720

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]

# The first line that fits says why. The order matters: the later ones are broader.
_FAILURES: Final[tuple[tuple[type[Exception], SendFailure], ...]] = (
    (aiohttp.InvalidURL, SendFailure.REFUSED_URL),
    (aiohttp.ClientConnectorDNSError, SendFailure.NAME_NOT_RESOLVED),
    (aiohttp.ClientSSLError, SendFailure.TLS_FAILED),
    (aiohttp.ConnectionTimeoutError, SendFailure.CONNECT_TIMEOUT),
    (aiohttp.ClientConnectorError, SendFailure.CONNECTION_FAILED),
    (aiohttp.ClientResponseError, SendFailure.MALFORMED_ANSWER),
    (TimeoutError, SendFailure.TIMEOUT),
    (aiohttp.ClientPayloadError, SendFailure.CONNECTION_LOST),
    (aiohttp.ClientError, SendFailure.CONNECTION_LOST),
    (OSError, SendFailure.CONNECTION_LOST),
    (ValueError, SendFailure.MALFORMED_ANSWER),
)


class ForbiddenAddress(OSError):
    """A name or a literal leads to an address that is not on the public internet."""


class HeadersTooLarge(ValueError):
    """The answer's headers are beyond what we keep."""


class Egress(Struct, frozen=True):
    """How far the sender may go. `own_urls` are this installation's; none is ever sent to.

    In development names may also lead to this machine and to `allowed_networks`.
    """

    timeout_seconds: float = 10
    is_development: bool = False
    own_urls: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        if is_public(address):
            return True
        if not self.is_development:
            return False
        is_listed = any(ip_address(address) in ip_network(each) for each in self.allowed_networks)
        return is_listed or address == "::1" or address.startswith("127.")


class GuardedResolver(AbstractResolver):
    """Refuses a name's whole answer when any address in it is forbidden."""

    def __init__(self, egress: Egress, inner: AbstractResolver) -> None:
        self._egress = egress
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._inner.resolve(host, port, family)
        if not all(self._egress.allows(answer["host"]) for answer in answers):
            raise ForbiddenAddress("the name leads to a forbidden address")
        return answers

    async def close(self) -> None:
        await self._inner.close()


class HttpWebhookSender(WebhookSender):
    """A `WebhookSender`. One per worker; close it when done."""

    def __init__(
        self,
        egress: Egress,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._egress = egress
        self._own = frozenset(map(_authority, egress.own_urls))
        self._resolver = resolver
        self._tls = tls or ssl.create_default_context()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: WebhookRequest) -> WebhookAnswer:
        """One POST, once; never raises for what the URL or the far end does."""
        clock = asyncio.get_running_loop().time
        started_at = clock()
        answer = _Heard()
        failure = None
        try:
            url = self._permitted(request.url)
            async with asyncio.timeout(self._egress.timeout_seconds):
                await self._exchange(url, request, answer)
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            failure = _reason(fault)
        return answer.told(int((clock() - started_at) * 1000), failure)

    async def aclose(self) -> None:
        """Close the connections. A later send opens a new session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _permitted(self, url: str) -> URL:
        endpoint_url(url, is_development=self._egress.is_development)
        if _authority(url) in self._own:
            raise EndpointUrlRefused("this is our own address")
        return URL(url, encoded=True)

    async def _exchange(self, url: URL, request: WebhookRequest, heard: "_Heard") -> None:
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Bursar-Webhooks/1",
            **request.headers,
            "Connection": "close",
        }
        async with self._opened().post(
            url, data=request.body, headers=headers, allow_redirects=False
        ) as answer:
            heard.begin(answer)
            while (room := READ_MAX - len(heard.body)) > 0:
                chunk = await answer.content.read(room)
                if not chunk:
                    break
                heard.body += chunk
            # There may be more, and nobody wants it: the line is cut, not drained.
            answer.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._tls,
                resolver=GuardedResolver(
                    self._egress, self._resolver or aiohttp.ThreadedResolver()
                ),
                socket_factory=self._socket,
                use_dns_cache=False,
                force_close=True,
                limit=0,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=self._egress.timeout_seconds, connect=CONNECT_SECONDS
                ),
                trust_env=False,
                auto_decompress=False,
                read_bufsize=READ_MAX,
                max_line_size=_HEADER_LINE_MAX,
                max_field_size=_HEADER_LINE_MAX,
            )
        return self._session

    def _socket(self, address: AddressInfo) -> socket.socket:
        family, kind, protocol, _, target = address
        if not self._egress.allows(target[0]):
            raise ForbiddenAddress("the address is not on the public internet")
        return socket.socket(family=family, type=kind, proto=protocol)


class _Heard:
    """What has come back so far; a fault later on does not lose it."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = bytearray()
        self.retry_after: int | None = None

    def begin(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        if _size(answer.raw_headers) > HEADERS_MAX:
            raise HeadersTooLarge
        self.retry_after = _retry_after(answer)

    def told(self, duration_ms: int, failure: SendFailure | None) -> WebhookAnswer:
        excerpt = _excerpt(bytes(self.body))
        return WebhookAnswer(self.status, excerpt, duration_ms, failure, self.retry_after)


def _reason(fault: Exception) -> SendFailure:
    cause = fault.os_error if isinstance(fault, aiohttp.ClientConnectorError) else fault
    if isinstance(cause, ForbiddenAddress):
        return SendFailure.FORBIDDEN_ADDRESS
    if isinstance(fault, EndpointUrlRefused):
        return SendFailure.REFUSED_URL
    return next(reason for kind, reason in _FAILURES if isinstance(fault, kind))


def _authority(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def _retry_after(answer: aiohttp.ClientResponse) -> int | None:
    wish = answer.headers.get("Retry-After")
    if wish is None:
        return None
    # A date is relative to the far end's own clock, which it also tells; without one it is nothing.
    said_at = _said_at(answer)
    if said_at is None and not wish.strip().isdigit():
        return None
    return retry_after_seconds(wish, said_at or parsedate_to_datetime(_ANY_DATE))


def _said_at(answer: aiohttp.ClientResponse) -> Instant | None:
    try:
        said_at = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return said_at if said_at.utcoffset() is not None else None


def _excerpt(body: bytes) -> str:
    """The start of the body as text; as base64 when it is none (compressed, an image)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # Not final: the cut may lie inside a character, which is then left out.
        text = decoder.decode(body)
    except UnicodeDecodeError:
        text = "base64:" + base64.b64encode(body[:_BASE64_BYTES_MAX]).decode()
    return response_excerpt(text)


_ANY_DATE: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
