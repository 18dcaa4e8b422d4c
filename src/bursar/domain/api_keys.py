"""API keys: how programs sign in to one organization.

The key itself is shown once and never stored; what stays is a keyed hash and a prefix to tell keys
apart. Scopes only narrow what the key's maker could do.
"""

from dataclasses import dataclass, replace

from bursar.domain.access import SCOPE_PERMISSIONS
from bursar.domain.change import Change
from bursar.domain.events import ApiKeyCreated, ApiKeyRevoked
from bursar.domain.ids import ApiKeyId
from bursar.domain.refusals import InvalidInput
from bursar.domain.times import Instant


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """What is known of a key after it was shown."""

    id: ApiKeyId
    name: str
    key_hash: bytes
    key_prefix: str
    scopes: tuple[str, ...]
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def revoke(self, at: Instant) -> Change | None:
        """The key stops working; revoking twice changes nothing."""
        if self.revoked_at is not None:
            return None
        after = replace(self, revoked_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(ApiKeyRevoked(after, self),))


def issue(key: ApiKeyRecord, *, at: Instant) -> Change:
    """A new key.

    Raises:
        InvalidInput: an unknown scope, none at all, or an expiry that has passed.
    """
    unknown = sorted(set(key.scopes) - SCOPE_PERMISSIONS.keys())
    if unknown or not key.scopes:
        known = ", ".join(SCOPE_PERMISSIONS)
        raise InvalidInput.at("scopes", f"expected one or more of {known}", "unknown_scope")
    if key.expires_at is not None and key.expires_at <= at:
        raise InvalidInput.at("expiresAt", "must be in the future", "in_the_past")
    return Change(rows=(key,), events=(ApiKeyCreated(key),))
