"""Which pages of other origins may call the API from a browser: none, unless they are listed.

The API knows no cookie, so a page can only use a credential it was given; what stands here decides
whether a browser hands it the answer. Never a wildcard, and nothing outside of `/v1/`.
"""

from typing import Final

from bursar.api.headers import Scope, header
from bursar.runtime.idempotency import Answer

PREFIX: Final = "/v1/"
_VARY: Final = ("vary", "Origin")
_EXPOSED: Final = (
    "ETag, Location, Retry-After, Idempotent-Replayed, X-Request-Id, RateLimit-Policy, RateLimit, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
_ACCEPTED: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Audit-Reason, "
    "X-Org-Id, X-Request-Id, traceparent"
)
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", _ACCEPTED),
    ("Access-Control-Max-Age", "600"),
)


class Cors:
    """The listed origins."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origins)

    def headers(self, scope: Scope) -> list[tuple[str, str]]:
        """What every answer to this request says of origins."""
        if not self._origins or not scope["path"].startswith(PREFIX):
            return []
        origin = header(scope, "Origin")
        if origin not in self._origins:
            return [_VARY]
        allowed = ("access-control-allow-origin", origin)
        return [allowed, ("access-control-expose-headers", _EXPOSED), _VARY]

    def preflight(self, scope: Scope) -> Answer | None:
        """The answer to a browser that asks beforehand; None for any other request."""
        if scope["method"] != "OPTIONS" or len(self.headers(scope)) <= 1:
            return None
        if header(scope, "Access-Control-Request-Method") is None:
            return None
        return Answer(204, b"", _PREFLIGHT)
