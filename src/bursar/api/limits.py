"""How often who may ask: a credential in an organization, everybody else by their address.

The counting is `runtime.limits`; here is who is counted, how high, and what the headers say of it.
Every request of a credential counts as much as it costs us, writes are counted once more by the
second, and some doors have a narrower allowance of their own. The shortest window is asked first,
so a burst that is refused by the second does not use up the minute. Outside production everybody
may ask as often as a credential may: there, all of them share one address.
"""

from collections.abc import Awaitable, Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from bursar.api.addresses import address_of, seen_at
from bursar.api.headers import Scope
from bursar.api.routes import Route
from bursar.api.trace import Trace
from bursar.domain.access import Actor, Person, actor_label
from bursar.domain.refusals import TooManyRequests
from bursar.runtime.limits import LimitState, RateLimiter
from bursar.runtime.settings import Settings

WRITES_PER_SECOND: Final = 20
_ORGS_PER_PERSON: Final = 5
_ORG_HEADER: Final = b"x-org-id"
_ORG_LENGTH: Final = 40
_POLICIES_REMEMBERED: Final = 256


class Allowance(Struct, frozen=True):
    """So many requests in so many seconds, under the name that headers show."""

    name: str
    requests: int
    seconds: int


ANONYMOUS: Final = Allowance("anonymous", 30, 60)
HOSTED_PAY: Final = Allowance("pay", 10, 3_600)
# Doors worth rattling, for whoever comes to them: with a credential or without.
DOORS: Final = {
    "POST /v1/auth/register": Allowance("register", 5, 3_600),
    "POST /v1/auth/login": Allowance("login", 30, 60),
    "POST /v1/auth/refresh": Allowance("refresh", 30, 60),
    "POST /v1/auth/forgot-password": Allowance("reset", 5, 3_600),
    "POST /v1/auth/reset-password": Allowance("reset", 10, 3_600),
    "POST /v1/auth/verify-email": Allowance("verify", 10, 3_600),
    "POST /v1/auth/verify-email/resend": Allowance("verify", 5, 3_600),
    "POST /v1/auth/change-password": Allowance("password", 10, 3_600),
    "POST /v1/auth/totp/confirm": Allowance("totp", 10, 3_600),
    "DELETE /v1/auth/totp": Allowance("totp", 10, 3_600),
    "POST /v1/auth/accept-invitation": Allowance("invitation", 10, 3_600),
    "POST /v1/webhook-subscriptions": Allowance("webhook-registration", 30, 3_600),
    "POST /account/verify/{token}": Allowance("verify", 10, 3_600),
    "POST /account/reset/{token}": Allowance("reset", 10, 3_600),
    "GET /i/{token}": Allowance("hosted", 60, 60),
    "GET /i/{token}/pdf": Allowance("hosted", 60, 60),
    "GET /i/{token}/receipt": Allowance("hosted", 60, 60),
    "POST /i/{token}/pay": HOSTED_PAY,
    "POST /i/{token}/renew": HOSTED_PAY,
}


class RequestLimits:
    """Admits or refuses, and leaves the headers that say so."""

    def __init__(self, limiter: RateLimiter, settings: Settings) -> None:
        self._limiter = limiter
        self._proxies = settings.trusted_proxies
        self._is_strict = settings.is_production
        seconds = -(-settings.rate_limit_window_ms // 1000)
        requests = settings.rate_limit_requests_max
        self._credential = Allowance("default", requests, seconds)
        # Whoever may ask more often than 20 times a second may also write as often.
        self._writes = Allowance("writes", max(WRITES_PER_SECOND, -(-requests // seconds)), 1)
        self._person = Allowance("person", requests * _ORGS_PER_PERSON, seconds)

    async def admit_actor(self, actor: Actor, route: Route, scope: Scope, trace: Trace) -> None:
        """Count a request of somebody known.

        Raises:
            TooManyRequests: an allowance is used up.
        """
        who, org = actor_label(actor), ""
        if isinstance(actor, Person):
            org = _org_named(scope)
            # Naming one organization after another would be a fresh allowance each time.
            state = await self._hit(who, self._person)
            if not state.is_allowed:
                raise _too_many([(self._person, state)], trace)
        allowances = [self._credential]
        if route.is_write:
            allowances.insert(0, self._writes)
            door = DOORS.get(route.spot)
            if door is not None and self._is_strict:
                allowances.append(door)
        await self._admit(f"{who}@{org}", allowances, trace, weight=route.terms.weight)

    async def admit_address(self, scope: Scope, trace: Trace, spot: str) -> None:
        """Count a request of nobody we know; `spot` is the route's method and path.

        Raises:
            TooManyRequests: the allowance is used up.
        """
        door = DOORS.get(spot)
        allowance = (door or ANONYMOUS) if self._is_strict else self._credential
        shared = "any" if door is None else spot
        await self._admit(f"address:{shared}:{self.address_of(scope)}", (allowance,), trace)

    async def admit_tries(self, scope: Scope, trace: Trace, subject: str) -> None:
        """Count a try at paying one document from one address.

        Raises:
            TooManyRequests: the allowance is used up.
        """
        allowance = HOSTED_PAY if self._is_strict else self._credential
        await self._admit(f"pay:{subject}:{self.address_of(scope)}", (allowance,), trace)

    def seen_at(self, scope: Scope) -> str:
        """The address that asks, exactly."""
        return seen_at(scope, self._proxies)

    def address_of(self, scope: Scope) -> str:
        """The address that asks, as it is counted."""
        return address_of(scope, self._proxies)

    async def _admit(
        self, key: str, allowances: Iterable[Allowance], trace: Trace, *, weight: int = 1
    ) -> None:
        counted: list[tuple[Allowance, LimitState]] = []
        for allowance in allowances:
            cost = weight if allowance is self._credential else 1
            state = await self._hit(f"{key}:{allowance.name}", allowance, cost)
            counted.append((allowance, state))
            if not state.is_allowed:
                raise _too_many(counted, trace)
        shown = next((state for each, state in counted if each is self._credential), counted[0][1])
        trace.headers += _headers(counted, shown)

    def _hit(self, key: str, allowance: Allowance, cost: int = 1) -> Awaitable[LimitState]:
        return self._limiter.hit(
            key, limit=allowance.requests, window_seconds=allowance.seconds, cost=cost
        )


def _too_many(counted: list[tuple[Allowance, LimitState]], trace: Trace) -> TooManyRequests:
    """The refusal by the last of these, once its headers are left."""
    state = counted[-1][1]
    trace.headers += _headers(counted, state)
    return TooManyRequests(
        f"Too many requests; try again in {state.reset_seconds} s.",
        facts={"retryAfterSeconds": state.reset_seconds},
    )


def _headers(
    counted: list[tuple[Allowance, LimitState]], shown: LimitState
) -> list[tuple[str, str]]:
    """Every policy that was applied; the older headers have room for one of them."""
    left = [f'"{each.name}";r={state.remaining};t={state.reset_seconds}' for each, state in counted]
    return [
        ("ratelimit-policy", _policies(tuple(each for each, _ in counted))),
        ("ratelimit", ", ".join(left)),
        ("x-ratelimit-limit", str(shown.limit)),
        ("x-ratelimit-remaining", str(shown.remaining)),
        ("x-ratelimit-reset", str(shown.reset_seconds)),
    ]


@lru_cache(_POLICIES_REMEMBERED)
def _policies(allowances: tuple[Allowance, ...]) -> str:
    """As `RateLimit-Policy` states them: the same few come together again and again."""
    return ", ".join(f'"{each.name}";q={each.requests};w={each.seconds}' for each in allowances)


def _org_named(scope: Scope) -> str:
    """The organization in the header, as somebody claims; whether they may is asked later."""
    for name, value in scope["headers"]:
        if name == _ORG_HEADER:
            return bytes(value[:_ORG_LENGTH]).decode("latin-1")
    return ""
