"""An API key as the world sees it after it was shown: what tells keys apart, never the hash."""

from typing import Literal

from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class ApiKeyOut(Shape, frozen=True, kw_only=True):
    """One key."""

    id: str
    object: Literal["api_key"] = "api_key"
    name: str
    key_prefix: str
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...]
    successor_id: str | None
    is_revoked: bool
    revoked_at: WireInstant | None
    expires_at: WireInstant | None
    last_used_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, key: ApiKeyRecord) -> "ApiKeyOut":
        """The key's shape."""
        return cls(
            id=key.id,
            name=key.name,
            key_prefix=key.key_prefix,
            scopes=key.scopes,
            allowed_addresses=key.allowed_addresses,
            successor_id=key.successor_id,
            is_revoked=key.revoked_at is not None,
            revoked_at=instant(key.revoked_at),
            expires_at=instant(key.expires_at),
            last_used_at=instant(key.last_used_at),
            version=key.version,
            created_at=wire_instant(key.created_at),
            updated_at=wire_instant(key.updated_at),
        )
