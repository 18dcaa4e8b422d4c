"""Signing up, in, on and out. Passwords are hashed before a transaction begins, never inside one.

A try at a password is counted before the password is checked, and taken back by whoever was right:
tries made at once cannot pass each other.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import MemberId, OrgId, SessionId, UserId, scope_of
from bursar.domain.mails import MailKind, NewMail
from bursar.domain.members import new_owner
from bursar.domain.orgs import Organization, User, found, new_organization
from bursar.domain.people import AuthFact, TokenPurpose
from bursar.domain.times import wire_instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import auth_events, directory, factors, mails, throttle
from bursar.store.apply import apply
from bursar.store.directory import Credentials, Rotated

_NOBODY_KNOWN: Final = "somewhere unknown"


class Register(Struct, frozen=True, kw_only=True):
    """A new person, with an organization of their own if they name one.

    Without a `refresh_hash` nobody is signed in.
    """

    email: str
    name: str
    password_hash: str
    refresh_hash: bytes | None
    organization_name: str | None = None
    is_operator: bool = False


class Registered(Struct, frozen=True):
    """Who was registered, and the session they are signed in with, if they are."""

    user: User
    session_id: SessionId | None
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
        verified_at=None,
        created_at=tx.now,
    )
    await directory.add_user(tx, user, command.password_hash)
    await auth_events.tell(tx, AuthFact.REGISTERED)
    token = await directory.new_token(tx, TokenPurpose.VERIFY)
    assert token is not None, "it is the first one"
    await mails.post(
        tx,
        NewMail(
            kind=MailKind.VERIFY_ADDRESS,
            recipient=user.email,
            parameters={"name": user.name, "token": token},
        ),
    )
    session_id = None
    if command.refresh_hash is not None:
        session_id = await directory.open_session(tx, command.refresh_hash)
    organization = None
    if command.organization_name is not None:
        organization = await _found(tx, command.organization_name, user.id)
    return Registered(user, session_id, organization)


class NoteRepeated(Struct, frozen=True):
    """Somebody registers an address that is taken, where that is not said to them."""

    email: str


@operation(requires=Permission.ANYONE)
async def note_repeated(tx: Tx, command: NoteRepeated) -> None:
    """Tell whoever has the address, and nobody else."""
    held = await directory.find(tx, command.email)
    if held is None:
        return
    await tx.bind(scope_of(held.user.id))
    await auth_events.tell(tx, AuthFact.REGISTRATION_REPEATED)
    await mails.post(
        tx,
        NewMail(
            kind=MailKind.ADDRESS_TAKEN,
            recipient=held.user.email,
            parameters={"name": held.user.name},
        ),
    )


class BeginSignIn(Struct, frozen=True):
    """Somebody is about to prove who they are."""

    email: str


class Attempt(Struct, frozen=True):
    """May it be tried now, and what the password is checked against, if anybody has the address."""

    wait_seconds: int
    credentials: Credentials | None = None


@operation(requires=Permission.ANYONE)
async def begin_sign_in(tx: Tx, command: BeginSignIn) -> Attempt:
    """Count the try, or say how long to wait. Waiting is an answer: it must be committed."""
    seconds = await throttle.claim(tx, command.email)
    if seconds:
        return Attempt(seconds)
    return Attempt(0, await directory.find(tx, command.email))


class RefuseSignIn(Struct, frozen=True):
    """The password was wrong, or nobody has the address."""

    user_id: UserId | None


@operation(requires=Permission.ANYONE)
async def refuse_sign_in(tx: Tx, command: RefuseSignIn) -> None:
    """Tell it; the try is counted already. An unknown address takes the same steps."""
    await tx.bind(tx.org_id if command.user_id is None else scope_of(command.user_id))
    await auth_events.tell(tx, AuthFact.SIGN_IN_REFUSED, why="password")


class Proof(StrEnum):
    """How far a right password has got somebody."""

    ENOUGH = "enough"
    CODE_MISSING = "code_missing"
    CODE_WRONG = "code_wrong"


class OpenSession(Struct, frozen=True, kw_only=True):
    """Somebody whose password was right; `password_hash` is set when it should be renewed."""

    user: User
    refresh_hash: bytes
    code: str | None = None
    password_hash: str | None = None


class Opened(Struct, frozen=True):
    """The session, if the second factor was right too or none is asked for."""

    proof: Proof
    session_id: SessionId | None = None


@operation(requires=Permission.ANYONE)
async def open_session(tx: Tx, command: OpenSession) -> Opened:
    """Sign somebody in. A missing or wrong code is an answer: what it counts must be committed."""
    user = command.user
    await tx.bind(scope_of(user.id))
    proof = await _proven(tx, user, command.code)
    if proof is Proof.CODE_MISSING:
        await throttle.give_back(tx, user.email)
        return Opened(proof)
    if proof is Proof.CODE_WRONG:
        await auth_events.tell(tx, AuthFact.SIGN_IN_REFUSED, why="code")
        return Opened(proof)
    await throttle.succeed(tx, user.email)
    session_id = await directory.open_session(tx, command.refresh_hash)
    if command.password_hash is not None:
        await directory.set_password(tx, command.password_hash)
    await auth_events.tell(tx, AuthFact.SIGNED_IN, session_id=session_id)
    return Opened(proof, session_id)


class RotateSession(Struct, frozen=True):
    """A refresh token (its hash under each key) for the next one."""

    hashes: list[bytes]
    new_hash: bytes


@operation(requires=Permission.ANYONE)
async def rotate_session(tx: Tx, command: RotateSession) -> Rotated:
    """Exchange a refresh token.

    A token used before ends its session. That must be committed, so it is an answer here and
    becomes a refusal above.
    """
    rotated = await directory.rotate(tx, command.hashes, command.new_hash)
    if rotated.is_ended and rotated.user_id is not None and rotated.session_id is not None:
        await tx.bind(scope_of(rotated.user_id))
        await auth_events.tell(tx, AuthFact.TOKEN_REUSED, session_id=rotated.session_id)
        user = await directory.oneself(tx)
        about = {"at": wire_instant(tx.wall), "address": tx.address or _NOBODY_KNOWN}
        await mails.post(
            tx,
            NewMail(
                kind=MailKind.SESSION_REUSED,
                recipient=user.email,
                parameters={"name": user.name, **about},
            ),
        )
    return rotated


class CloseSession(Struct, frozen=True):
    """Sign out: the hashes of the session's refresh token."""

    hashes: list[bytes]


@operation(requires=Permission.ANYONE)
async def close_session(tx: Tx, command: CloseSession) -> None:
    """End the session at once, its access tokens included."""
    closed = await directory.close_session(tx, command.hashes)
    if closed is not None:
        user_id, session_id = closed
        await tx.bind(scope_of(user_id))
        await auth_events.tell(tx, AuthFact.SIGNED_OUT, session_id=session_id)


async def _proven(tx: Tx, user: User, code: str | None) -> Proof:
    factor = await factors.own(tx)
    if factor is None or factor.confirmed_at is None:
        return Proof.ENOUGH
    if code is None:
        return Proof.CODE_MISSING
    taken = await factors.take_any(tx, factor, code)
    if taken is None:
        return Proof.CODE_WRONG
    if taken.is_recovery:
        await auth_events.tell(tx, AuthFact.RECOVERY_CODE_USED)
        about = {"name": user.name, "at": wire_instant(tx.wall), "change": "used"}
        letter = NewMail(kind=MailKind.FACTOR_CHANGED, recipient=user.email, parameters=about)
        await mails.post(tx, letter)
    return Proof.ENOUGH


async def _found(tx: Tx, name: str, owner: UserId) -> Organization:
    organization = new_organization(OrgId(tx.new_id("org")), name, at=tx.now)
    member = new_owner(MemberId(tx.new_id("mem")), owner, at=tx.now)
    await tx.bind(organization.id)
    written = (await apply(tx, found(organization, member)))[organization.id]
    assert isinstance(written, Organization)
    return written
