"""The address that asks: what our own proxies vouch for, never what a stranger writes in a header.

Proxies of ours are known by their networks, or by how many stand in a row before us. A household of
IPv6 counts as one address, or it would have 2^64 of them.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from bursar.api.headers import Scope, headers_of
from bursar.runtime.settings_text import Proxies

UNKNOWN: Final = "unknown"
_HOPS_MAX: Final = 20
_SITE_PREFIX: Final = 64
_REMEMBERED: Final = 4_096

Place = IPv4Address | IPv6Address


def address_of(scope: Scope, proxies: Proxies) -> str:
    """The address that asks, as it is counted."""
    return site_of(seen_at(scope, proxies))


def seen_at(scope: Scope, proxies: Proxies) -> str:
    """The last address that none of our own proxies has."""
    client = scope.get("client")
    if not client:
        return UNKNOWN
    if not proxies or "x-forwarded-for" not in headers_of(scope):
        return exactly(client[0])
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    named = b",".join(forwarded).decode("latin-1").split(",")[-_HOPS_MAX:]
    hops = [client[0], *(hop.strip() for hop in reversed(named))]
    if isinstance(proxies, int):
        return exactly(hops[min(proxies, len(hops) - 1)])
    for hop in hops:
        place = place_of(hop)
        if place is None:
            return UNKNOWN
        if not any(place in network for network in proxies):
            return exactly(hop)
    return UNKNOWN


@lru_cache(_REMEMBERED)
def exactly(text: str) -> str:
    """The address that a text is, in its one spelling."""
    place = place_of(text)
    return UNKNOWN if place is None else str(place)


@lru_cache(_REMEMBERED)
def site_of(text: str) -> str:
    """The address as it is counted."""
    place = place_of(text)
    if place is None:
        return UNKNOWN
    if isinstance(place, IPv6Address):
        return str(ip_network((place, _SITE_PREFIX), strict=False))
    return str(place)


def place_of(text: str) -> Place | None:
    """The address that a text is; one of IPv4 written as IPv6 is that of IPv4."""
    try:
        place = ip_address(text)
    except ValueError:
        return None
    mapped = place.ipv4_mapped if isinstance(place, IPv6Address) else None
    return mapped or place
