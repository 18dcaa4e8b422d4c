"""Where a webhook may go, what is signed, what an answer means, and when to try again.

Owns the rules and no socket: an endpoint's URL is judged by its shape here, and every address it
resolves to is judged by `is_public` at the moment of dialing, because a name may change its mind.
An address is public only if no special-purpose registry of IANA claims it: addresses that carry
another inside (mapped, NAT64, 6to4, Teredo) are refused whole. Chance is a parameter: the caller
brings the jitter.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bursar.domain.times import Instant

EVENT_TYPE_ALL: Final = "*"
"""A subscription to this hears every public event that is not only for who names it."""

RETRY_DELAYS_SECONDS: Final = (60, 300, 1800, 7200, 43_200)
FAST_DELAYS_SECONDS: Final = (1, 2, 4, 8, 16)
RETRIES_MAX: Final = 10
RETRY_DELAY_MAX_SECONDS: Final = 86_400
ATTEMPTS_MAX: Final = len(RETRY_DELAYS_SECONDS) + 1
RETRY_AFTER_MAX_SECONDS: Final = 43_200
JITTER_MAX_PERMILLE: Final = 100
RESPONSE_EXCERPT_MAX: Final = 1000
URL_LENGTH_MAX: Final = 2048
_REMEMBERED_MAX: Final = 4_096  # each delivery asks the same of its endpoint again

_HTTP_OK: Final = range(200, 300)
_HTTP_GONE: Final = 410
_RETRY_AFTER_DIGITS: Final = re.compile(r"[0-9]{1,400}")

_PORT_HTTPS: Final = 443
_PORT_HTTP: Final = 80
_PORTS_UNPRIVILEGED: Final = range(1024, 65_536)
# Services that would obey a well-placed line of text sent to them.
_PORTS_REFUSED: Final = frozenset(
    {1433, 2375, 2379, 3306, 5432, 5672, 5984, 6379, 9042, 9200, 9300, 11211, 15672, 27017}
)
_URL_TEXT: Final = re.compile(r"[!#-;=?-\[\]_a-z~]+")
# `[::1].example.com` and `example.com:` are hosts to one parser and not to the next.
_HOST_AND_PORT: Final = re.compile(r"(?:\[[^\[\]]+\]|[^\[\]:]+)(?::[0-9]{1,5})?")
_NAME_LENGTH_MAX: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# How browsers and C libraries decide that a host is an IPv4 address, also `127.1` and `0x7f.1`.
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")

_SPECIAL_IPV4: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # in no registry: the host agent inside one large cloud
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Only this block is handed out as global unicast. Mapped, compatible, NAT64, discard, segment
# routing, unique local, link-local, site-local and multicast addresses all lie outside it.
_GLOBAL_IPV6: Final = ip_network("2000::/3")
_SPECIAL_IPV6: Final = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


class EndpointUrlRefused(ValueError):
    """A webhook cannot be sent to this URL; the text says why, in plain words."""


class RetryPolicy(StrEnum):
    """How an endpoint wants what it did not take to be tried again."""

    STANDARD = "standard"  # six attempts in fifteen hours
    FAST = "fast"  # six attempts in half a minute
    CUSTOM = "custom"


class NamedPolicy(StrEnum):
    """The policies that an endpoint may ask for by name."""

    STANDARD = "standard"
    FAST = "fast"

    @property
    def delays_seconds(self) -> tuple[int, ...]:
        """How long each retry waits."""
        return RETRY_DELAYS_SECONDS if self is NamedPolicy.STANDARD else FAST_DELAYS_SECONDS


class DeliveryVerdict(StrEnum):
    DELIVERED = "delivered"
    SWITCH_OFF = "switch_off"
    RETRY = "retry"


def verdict_of(http_status: int) -> DeliveryVerdict:
    """What an endpoint's answer means. A redirect is not followed, so it is a failure."""
    if http_status in _HTTP_OK:
        return DeliveryVerdict.DELIVERED
    if http_status == _HTTP_GONE:
        return DeliveryVerdict.SWITCH_OFF
    return DeliveryVerdict.RETRY


def next_attempt(
    attempt_count: int,
    at: Instant,
    *,
    jitter_permille: int,
    retry_after_seconds: int | None = None,
    delays_seconds: Sequence[int] = RETRY_DELAYS_SECONDS,
) -> Instant | None:
    """When to try again after this many failed attempts; None when they are used up.

    The jitter, from −100 to 100, spreads endpoints that failed together. An endpoint may ask for
    more time than the schedule gives, up to 12 hours, never for less.
    """
    assert attempt_count >= 1, "an attempt was made"
    assert abs(jitter_permille) <= JITTER_MAX_PERMILLE, "the jitter is within a tenth"
    if attempt_count > len(delays_seconds):
        return None
    delay = delays_seconds[attempt_count - 1]
    scheduled = timedelta(seconds=delay, milliseconds=delay * jitter_permille)
    asked = min(max(retry_after_seconds or 0, 0), RETRY_AFTER_MAX_SECONDS)
    return at + max(scheduled, timedelta(seconds=asked))


def retry_after_seconds(header: str, at: Instant) -> int | None:
    """The wait a `Retry-After` header asks for, in seconds or as a date; None if it asks nothing.

    Past dates, negative numbers and anything else are as if the header were absent.
    """
    text = header.strip()
    if _RETRY_AFTER_DIGITS.fullmatch(text):
        return min(int(text), RETRY_AFTER_MAX_SECONDS)
    until = _http_date(text)
    if until is None or until <= at:
        return None
    return min((until - at) // timedelta(seconds=1), RETRY_AFTER_MAX_SECONDS)


def signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    """The bytes under a Standard Webhooks signature: `id.timestamp.body`, the body as sent."""
    return f"{message_id}.{timestamp}.".encode() + body


def response_excerpt(text: str) -> str:
    """The part of an endpoint's answer that is kept for people to read."""
    return text.replace("\x00", "\ufffd")[:RESPONSE_EXCERPT_MAX]


@lru_cache(_REMEMBERED_MAX)
def endpoint_url(text: str, *, is_development: bool) -> str:
    """The same text, if webhooks may be sent to it.

    In development plain http and this machine's own addresses are allowed as well. A name is not
    looked up here: what it resolves to is judged when it is dialed.

    Raises:
        EndpointUrlRefused: with the reason.
    """
    parts, port = _split(text)
    schemes = {"https", "http"} if is_development else {"https"}
    if parts.scheme not in schemes:
        raise EndpointUrlRefused(f"the URL starts with {' or '.join(sorted(schemes))}://")
    if "#" in text:
        raise EndpointUrlRefused("the URL has no fragment")
    _require_port(port, is_plain=parts.scheme == "http")
    _require_host(parts, is_development=is_development)
    return text


@lru_cache(_REMEMBERED_MAX)
def is_public(address: IPv4Address | IPv6Address | str) -> bool:
    """Whether an address on the open internet, and nothing else, is meant by this one."""
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return (
        address.scope_id is None
        and address in _GLOBAL_IPV6
        and not any(address in network for network in _SPECIAL_IPV6)
    )


def _http_date(text: str) -> datetime | None:
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # An HTTP date is in GMT by definition; one that does not say so is no HTTP date.
    return until if until.utcoffset() is not None else None


def _split(text: str) -> tuple[SplitResult, int | None]:
    if len(text) > URL_LENGTH_MAX:
        raise EndpointUrlRefused(f"the URL is longer than {URL_LENGTH_MAX} characters")
    # Parsers disagree about blanks, control characters, backslashes and letters beyond ASCII, so
    # none of them gets as far as a parser.
    if _URL_TEXT.fullmatch(text) is None:
        raise EndpointUrlRefused(
            "the URL is plain ASCII; write other letters percent-encoded, a host name in punycode"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise EndpointUrlRefused("the URL is not well formed") from None
    if "@" in parts.netloc:
        raise EndpointUrlRefused("the URL carries no user name or password")
    if _HOST_AND_PORT.fullmatch(parts.netloc) is None:
        raise EndpointUrlRefused("the URL names a host, and at most a port")
    return parts, port


def _require_port(port: int | None, *, is_plain: bool) -> None:
    if port is None or port == (_PORT_HTTP if is_plain else _PORT_HTTPS):
        return
    if port not in _PORTS_UNPRIVILEGED or port in _PORTS_REFUSED:
        raise EndpointUrlRefused(f"webhooks are not sent to port {port}")


def _require_host(parts: SplitResult, *, is_development: bool) -> None:
    host = parts.hostname or ""
    address = _literal_address(host, is_bracketed="[" in parts.netloc)
    if address is None:
        is_own = host == "localhost" or host.endswith(".localhost")
        is_allowed = not is_own
    else:
        is_own = address.is_loopback
        is_allowed = is_public(address)
    if not (is_allowed or (is_own and is_development)):
        raise EndpointUrlRefused("the host is not on the public internet")


def _literal_address(host: str, *, is_bracketed: bool) -> IPv4Address | IPv6Address | None:
    """The address a host is, or None for a well-formed name."""
    try:
        if is_bracketed:
            return IPv6Address(host)
        labels = host.split(".")
        if _NUMERIC_LABEL.fullmatch(labels[-1]):
            # `127.1`, `0x7f000001` and `017700000001` are addresses to some and names to others.
            return IPv4Address(host)
    except ValueError:
        raise EndpointUrlRefused("the host is neither a name nor a plain address") from None
    if len(host) > _NAME_LENGTH_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise EndpointUrlRefused("the host is not a well-formed name")
    return None
