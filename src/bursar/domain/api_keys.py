"""API keys: how programs sign in to one organization.

The key itself is shown once and never stored; what stays is a keyed hash and a prefix to tell keys
apart. Scopes only narrow what the key's maker could do. A key is never changed but by its end: a
rotation makes a successor and lets the two overlap.
"""

from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from msgspec import Struct

from bursar.domain.access import SCOPE_PERMISSIONS, Standing
from bursar.domain.change import Change
from bursar.domain.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from bursar.domain.frozen import replace
from bursar.domain.ids import ApiKeyId
from bursar.domain.refusals import IllegalTransition, InvalidInput, ScopeAboveOwn
from bursar.domain.times import Instant

OVERLAP_MAX: Final = timedelta(days=7)
ADDRESSES_MAX: Final = 20


class ApiKeyRecord(Struct, frozen=True):
    """What is known of a key after it was shown."""

    id: ApiKeyId
    name: str
    key_hash: bytes
    key_prefix: str
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...]
    successor_id: ApiKeyId | None
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

    def rotate(
        self, successor: "ApiKeyRecord", *, by: Standing, overlap: timedelta, at: Instant
    ) -> Change:
        """A successor that may do the same; this key works on for the overlap, and no longer.

        Raises:
            IllegalTransition: it is revoked, over, or has a successor already.
            ScopeAboveOwn: the key may do what the caller may not.
        """
        is_over = self.expires_at is not None and self.expires_at <= at
        if self.revoked_at is not None or is_over or self.successor_id is not None:
            raise IllegalTransition(f"API key {self.id} is revoked, expired or rotated already.")
        made = issue(successor, by=by, at=at)
        ends_at = at + overlap
        if self.expires_at is not None:
            ends_at = min(ends_at, self.expires_at)
        after = replace(
            self, successor_id=successor.id, expires_at=ends_at, version=self.version + 1
        )
        return Change(rows=(*made.rows, after), events=(*made.events, ApiKeyRotated(after, self)))


def issue(key: ApiKeyRecord, *, by: Standing, at: Instant) -> Change:
    """A new key.

    Raises:
        InvalidInput: an unknown scope, none at all, or an expiry that has passed.
        ScopeAboveOwn: it could do what its maker cannot.
    """
    unknown = sorted(set(key.scopes) - SCOPE_PERMISSIONS.keys())
    if unknown or not key.scopes:
        known = ", ".join(SCOPE_PERMISSIONS)
        raise InvalidInput.at("scopes", f"expected one or more of {known}", "unknown_scope")
    if key.expires_at is not None and key.expires_at <= at:
        raise InvalidInput.at("expiresAt", "must be in the future", "in_the_past")
    if not by.covers(key.scopes):
        raise ScopeAboveOwn("A key cannot do what its maker cannot; give it fewer scopes.")
    return Change(rows=(key,), events=(ApiKeyCreated(key),))


def network(text: str) -> str:
    """An address or a range of them, in its one spelling.

    Raises:
        ValueError: it is neither, or has bits beyond its own mask.
    """
    return str(ip_network(text))


def is_allowed(networks: tuple[str, ...], address: str) -> bool:
    """Whether a key with this list may be used from there; without a list, from anywhere."""
    if not networks:
        return True
    try:
        at = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(at, "ipv4_mapped", None)
    return any((mapped or at) in ip_network(each) for each in networks)
