"""How often who may ask: a credential by itself, everybody else by their address.

The counting is `runtime.limits`; here is who is counted, how high, and what the headers say of it.
An address is what our own proxies vouch for, never what a stranger writes in a header. Outside
production everybody may ask as often as a credential may: there, all of them share one address.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from bursar.api.headers import Scope
from bursar.api.trace import Trace
from bursar.domain.access import Actor, actor_label
from bursar.domain.refusals import TooManyRequests
from bursar.runtime.limits import LimitState, RateLimiter
from bursar.runtime.settings import Settings

_UNKNOWN: Final = "unknown"
_HOPS_MAX: Final = 20
_SITE_PREFIX: Final = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


ANONYMOUS: Final = Allowance(30, 60)
HOSTED_PAY: Final = Allowance(10, 3_600)
# Doors that are worth rattling.
BY_PATH: Final = {
    "/v1/auth/register": Allowance(5, 3_600),
    "/v1/auth/login": Allowance(10, 60),
    "/v1/auth/refresh": Allowance(30, 60),
    "/i/{token}": Allowance(60, 60),
    "/i/{token}/pay": HOSTED_PAY,
}


class RequestLimits:
    """Admits or refuses, and leaves the headers that say so."""

    def __init__(self, limiter: RateLimiter, settings: Settings) -> None:
        self._limiter = limiter
        self._proxies = settings.trusted_proxies
        self._is_strict = settings.is_production
        seconds = -(-settings.rate_limit_window_ms // 1000)
        self._credential = Allowance(settings.rate_limit_requests_max, seconds)

    async def admit_actor(self, actor: Actor, trace: Trace) -> None:
        """Count a request of somebody known.

        Raises:
            TooManyRequests: the allowance is used up.
        """
        await self._admit(actor_label(actor), self._credential, trace)

    async def admit_address(self, scope: Scope, trace: Trace, route: str) -> None:
        """Count a request of nobody we know, at this route.

        Raises:
            TooManyRequests: the allowance is used up.
        """
        allowance = BY_PATH.get(route, ANONYMOUS) if self._is_strict else self._credential
        shared = route if route in BY_PATH else "any"
        await self._admit(f"address:{shared}:{self.address_of(scope)}", allowance, trace)

    async def admit_tries(self, scope: Scope, trace: Trace, subject: str) -> None:
        """Count a try at paying one document from one address.

        Raises:
            TooManyRequests: the allowance is used up.
        """
        allowance = HOSTED_PAY if self._is_strict else self._credential
        await self._admit(f"pay:{subject}:{self.address_of(scope)}", allowance, trace)

    def address_of(self, scope: Scope) -> str:
        """The address that asks: the last one that none of our own proxies has."""
        client = scope.get("client")
        hops = [client[0]] if client else []
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        named = b",".join(forwarded).decode("latin-1").split(",")[-_HOPS_MAX:]
        for hop in [*hops, *reversed(named)]:
            place = _place(hop.strip())
            if place is None:
                return _UNKNOWN
            if not any(place in network for network in self._proxies):
                return _site(place)
        return _UNKNOWN

    async def _admit(self, key: str, allowance: Allowance, trace: Trace) -> None:
        state = await self._limiter.hit(
            key, limit=allowance.requests, window_seconds=allowance.seconds
        )
        trace.headers += _headers(state, allowance)
        if not state.is_allowed:
            raise TooManyRequests(
                f"Too many requests; try again in {state.reset_seconds} s.",
                facts={"retryAfterSeconds": state.reset_seconds},
            )


def _headers(state: LimitState, allowance: Allowance) -> list[tuple[str, str]]:
    return [
        ("ratelimit-policy", f'"default";q={allowance.requests};w={allowance.seconds}'),
        ("ratelimit", f'"default";r={state.remaining};t={state.reset_seconds}'),
        ("x-ratelimit-limit", str(state.limit)),
        ("x-ratelimit-remaining", str(state.remaining)),
        ("x-ratelimit-reset", str(state.reset_seconds)),
    ]


def _place(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _site(place: Any) -> str:
    """One household of IPv6 is one address, or it would have 2^64 of them."""
    if isinstance(place, IPv6Address):
        return str(ip_network((place, _SITE_PREFIX), strict=False))
    return str(place)
