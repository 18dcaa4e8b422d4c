"""Making, rotating and revoking API keys."""

from datetime import timedelta

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.api_keys import ApiKeyRecord, issue
from bursar.domain.ids import ApiKeyId
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.runtime.tokens import api_key_hash, api_key_prefix, new_api_key
from bursar.store import api_keys
from bursar.store.apply import apply


class CreateApiKey(Struct, frozen=True, kw_only=True):
    """A key for a program."""

    name: str
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...] = ()
    expires_at: Instant | None = None


class IssuedApiKey(Struct, frozen=True):
    """The key, which is shown this once, and what is kept of it."""

    record: ApiKeyRecord
    key: str


@operation(requires=Permission.API_KEY_WRITE)
async def create_api_key(tx: Tx, command: CreateApiKey) -> IssuedApiKey:
    """Make a key.

    Raises:
        InvalidInput: an unknown scope, or an expiry that has passed.
        ScopeAboveOwn: it could do what its maker cannot.
    """
    made = _new_key(tx, command)
    written = (await apply(tx, issue(made.record, by=tx.standing, at=tx.wall)))[made.record.id]
    assert isinstance(written, ApiKeyRecord)
    return IssuedApiKey(written, made.key)


class RotateApiKey(Struct, frozen=True):
    """A successor for a key; both work for the overlap."""

    api_key_id: ApiKeyId
    overlap: timedelta
    expires_at: Instant | None = None


@operation(requires=Permission.API_KEY_WRITE)
async def rotate_api_key(tx: Tx, command: RotateApiKey) -> IssuedApiKey:
    """A new key with the same name, scopes and addresses; the old one ends by itself.

    Raises:
        IllegalTransition: it is revoked, over, or has a successor already.
        ScopeAboveOwn: it may do what the caller may not.
    """
    record = await api_keys.get(tx, command.api_key_id)
    wanted = CreateApiKey(
        name=record.name,
        scopes=record.scopes,
        allowed_addresses=record.allowed_addresses,
        expires_at=command.expires_at,
    )
    made = _new_key(tx, wanted)
    change = record.rotate(made.record, by=tx.standing, overlap=command.overlap, at=tx.wall)
    written = (await apply(tx, change))[made.record.id]
    assert isinstance(written, ApiKeyRecord)
    return IssuedApiKey(written, made.key)


class RevokeApiKey(Struct, frozen=True):
    """Stop a key."""

    api_key_id: ApiKeyId


@operation(requires=Permission.API_KEY_WRITE)
async def revoke_api_key(tx: Tx, command: RevokeApiKey) -> ApiKeyRecord:
    """The key stops working with this commit; revoking it again changes nothing."""
    record = await api_keys.get(tx, command.api_key_id)
    change = record.revoke(tx.wall)
    if change is None:
        return record
    written = (await apply(tx, change))[record.id]
    assert isinstance(written, ApiKeyRecord)
    return written


def _new_key(tx: Tx, command: CreateApiKey) -> IssuedApiKey:
    key = new_api_key()
    record = ApiKeyRecord(
        id=ApiKeyId(tx.new_id("key")),
        name=command.name,
        key_hash=api_key_hash(tx.keys, key),
        key_prefix=api_key_prefix(key),
        scopes=command.scopes,
        allowed_addresses=command.allowed_addresses,
        successor_id=None,
        expires_at=command.expires_at,
        last_used_at=None,
        revoked_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return IssuedApiKey(record, key)
