"""Signing up, in and out. Passwords are hashed before a transaction begins, never inside one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.ids import MemberId, OrgId, SessionId, UserId
from bursar.domain.members import new_owner
from bursar.domain.orgs import Organization, User, found, new_organization
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import directory
from bursar.store.apply import apply
from bursar.store.directory import Lives, Rotated

LIVES: Final = Lives(session=timedelta(days=30), token=timedelta(days=7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A new person, with an organization of their own if they name one."""

    email: str
    name: str
    password_hash: str
    refresh_hash: bytes
    organization_name: str | None = None
    is_operator: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """Who was registered, and the session they are signed in with."""

    user: User
    session_id: SessionId
    organization: Organization | None


@operation(requires=Permission.ANYONE)
async def register(tx: Tx, command: Register) -> Registered:
    """Register a person and sign them in; all of it, or nothing.

    Raises:
        EmailTaken: the address belongs to somebody.
    """
    user = User(
        id=UserId(tx.new_id("usr")),
        email=command.email,
        name=command.name,
        is_operator=command.is_operator,
        created_at=tx.now,
    )
    await directory.add_user(tx, user, command.password_hash)
    session_id = SessionId(tx.new_id("ses"))
    await directory.open_session(
        tx, session_id, user.id, token_hash=command.refresh_hash, lives=LIVES
    )
    organization = None
    if command.organization_name is not None:
        organization = await _found(tx, command.organization_name, user.id)
    return Registered(user, session_id, organization)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """Somebody whose password was right; `password_hash` is set when it should be renewed."""

    user_id: UserId
    refresh_hash: bytes
    password_hash: str | None = None


@operation(requires=Permission.ANYONE)
async def open_session(tx: Tx, command: OpenSession) -> SessionId:
    """Sign somebody in."""
    session_id = SessionId(tx.new_id("ses"))
    await directory.open_session(
        tx, session_id, command.user_id, token_hash=command.refresh_hash, lives=LIVES
    )
    if command.password_hash is not None:
        await directory.rehash(tx, command.user_id, command.password_hash)
    return session_id


@dataclass(frozen=True, slots=True)
class RotateSession:
    """A refresh token (its hash under each key) for the next one."""

    hashes: list[bytes]
    new_hash: bytes


@operation(requires=Permission.ANYONE)
async def rotate_session(tx: Tx, command: RotateSession) -> Rotated:
    """Exchange a refresh token.

    A token used before revokes its session. That must be committed, so it is an answer here and
    becomes a refusal above.
    """
    return await directory.rotate(tx, command.hashes, command.new_hash, LIVES)


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Sign out: the hashes of the session's refresh token."""

    hashes: list[bytes]


@operation(requires=Permission.ANYONE)
async def close_session(tx: Tx, command: CloseSession) -> None:
    """End the session at once, its access tokens included."""
    await directory.close_session(tx, command.hashes)


async def _found(tx: Tx, name: str, owner: UserId) -> Organization:
    organization = new_organization(OrgId(tx.new_id("org")), name, at=tx.now)
    member = new_owner(MemberId(tx.new_id("mem")), owner, at=tx.now)
    await tx.bind(organization.id)
    written = (await apply(tx, found(organization, member)))[organization.id]
    assert isinstance(written, Organization)
    return written
