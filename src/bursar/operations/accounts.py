"""One's own account: the address, the password, the sessions, the second factor.

What proves who somebody is, a password or a mailed token, is checked or used here or just above;
whatever then changes ends what the change makes doubtful, and is told to the person by mail.
"""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import SessionId, scope_of
from bursar.domain.mails import MailKind, NewMail
from bursar.domain.orgs import User
from bursar.domain.people import RESET_MINUTES, AuthFact, TokenPurpose
from bursar.domain.refusals import (
    FactorExists,
    MailedTokenRefused,
    NotFound,
    WrongCode,
)
from bursar.domain.times import wire_instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import auth_events, directory, factors, mails, throttle


class VerifyAddress(Struct, frozen=True):
    """The hashes of a token that was mailed."""

    hashes: list[bytes]


@operation(requires=Permission.ANYONE)
async def verify_address(tx: Tx, command: VerifyAddress) -> None:
    """Whoever has the token reads the mail of that address.

    Raises:
        MailedTokenRefused: used, expired or unknown.
    """
    if await directory.use_token(tx, command.hashes, TokenPurpose.VERIFY) is None:
        raise MailedTokenRefused.in_body()
    await directory.verify_user(tx)
    await auth_events.tell(tx, AuthFact.ADDRESS_VERIFIED)


class AskVerification(Struct, frozen=True):
    """The link once more."""


@operation(requires=Permission.SELF)
async def ask_verification(tx: Tx, _command: AskVerification) -> None:
    """Mail the link again, unless the address is verified, or it was mailed often lately."""
    user = await directory.oneself(tx)
    if user.verified_at is not None:
        return
    token = await directory.new_token(tx, TokenPurpose.VERIFY)
    if token is not None:
        await auth_events.tell(tx, AuthFact.VERIFICATION_SENT)
        await _write(tx, user, MailKind.VERIFY_ADDRESS, token=token)


class AskReset(Struct, frozen=True):
    """Somebody forgot the password of this address."""

    email: str


@operation(requires=Permission.ANYONE)
async def ask_reset(tx: Tx, command: AskReset) -> None:
    """Mail a link to whoever has the address. Nothing tells the caller whether anybody does."""
    held = await directory.find(tx, command.email)
    await tx.bind(tx.org_id if held is None else scope_of(held.user.id))
    await auth_events.tell(tx, AuthFact.RESET_REQUESTED)
    if held is None:
        return
    token = await directory.new_token(tx, TokenPurpose.RESET)
    if token is not None:
        minutes = str(RESET_MINUTES)
        await _write(tx, held.user, MailKind.RESET_PASSWORD, token=token, minutes=minutes)


class ResetPassword(Struct, frozen=True):
    """The hashes of a mailed token, and the new password's own hash."""

    hashes: list[bytes]
    password_hash: str


@operation(requires=Permission.ANYONE)
async def reset_password(tx: Tx, command: ResetPassword) -> None:
    """Replace the password and end every session. The second factor stays.

    Raises:
        MailedTokenRefused: used, expired or unknown.
    """
    if await directory.use_token(tx, command.hashes, TokenPurpose.RESET) is None:
        raise MailedTokenRefused.in_body()
    user = await directory.oneself(tx)
    await directory.verify_user(tx)
    await directory.set_password(tx, command.password_hash)
    ended = await directory.end_sessions(tx, None)
    await throttle.clear(tx, user.email)
    await auth_events.tell(tx, AuthFact.PASSWORD_RESET, sessions_ended=str(ended))
    await _write(tx, user, MailKind.PASSWORD_CHANGED, at=wire_instant(tx.wall))


class BeginProof(Struct, frozen=True):
    """Somebody signed in is about to prove it once more."""


class OwnProof(Struct, frozen=True):
    """May it be tried now, and what the password is checked against."""

    wait_seconds: int
    user: User
    password_hash: str


@operation(requires=Permission.SELF)
async def begin_proof(tx: Tx, _command: BeginProof) -> OwnProof:
    """Count the try, or say how long to wait: a stolen session must not guess the password."""
    user = await directory.oneself(tx)
    seconds = await throttle.claim(tx, user.email)
    return OwnProof(seconds, user, await directory.own_password(tx))


class SettleProof(Struct, frozen=True):
    """Whether the password was right."""

    is_right: bool


@operation(requires=Permission.SELF)
async def settle_proof(tx: Tx, command: SettleProof) -> None:
    """Take the try back, or tell that it failed; it is counted already."""
    if command.is_right:
        await throttle.succeed(tx, (await directory.oneself(tx)).email)
    else:
        await auth_events.tell(tx, AuthFact.PASSWORD_REFUSED)


class ReplacePassword(Struct, frozen=True):
    """Another password, once the current one was right; the session that stays."""

    password_hash: str
    session_id: SessionId


@operation(requires=Permission.SELF)
async def replace_password(tx: Tx, command: ReplacePassword) -> None:
    """Replace one's own password and end every other session."""
    await directory.set_password(tx, command.password_hash)
    ended = await directory.end_sessions(tx, command.session_id)
    await auth_events.tell(tx, AuthFact.PASSWORD_CHANGED, sessions_ended=str(ended))
    user = await directory.oneself(tx)
    await _write(tx, user, MailKind.PASSWORD_CHANGED, at=wire_instant(tx.wall))


class EndSession(Struct, frozen=True):
    """One of one's own sessions."""

    session_id: SessionId


@operation(requires=Permission.SELF)
async def end_session(tx: Tx, command: EndSession) -> None:
    """End it at once.

    Raises:
        NotFound: no such session of one's own.
    """
    if not await directory.end_session(tx, command.session_id):
        raise NotFound(f"No session {command.session_id}.")
    await auth_events.tell(tx, AuthFact.SESSION_ENDED, session_id=command.session_id)


class BeginFactor(Struct, frozen=True):
    """A second factor, once the password was right."""


@operation(requires=Permission.SELF)
async def begin_factor(tx: Tx, _command: BeginFactor) -> bytes:
    """A fresh secret; it counts once a code made with it was right.

    Raises:
        FactorExists: a confirmed one stands; remove it first.
    """
    secret = await factors.begin(tx)
    if secret is None:
        raise FactorExists("There is a second factor already; remove it first.")
    await auth_events.tell(tx, AuthFact.FACTOR_BEGUN)
    return secret


class ConfirmFactor(Struct, frozen=True):
    """A code made with the new secret."""

    code: str


@operation(requires=Permission.SELF)
async def confirm_factor(tx: Tx, command: ConfirmFactor) -> tuple[str, ...]:
    """From now on it is asked for; the recovery codes are in this answer only.

    Raises:
        NotFound: none was begun.
        FactorExists: it was confirmed before.
        WrongCode: it is not the code of now.
    """
    factor = await factors.own(tx)
    if factor is None:
        raise NotFound("No second factor was begun.")
    if factor.confirmed_at is not None:
        raise FactorExists("The second factor was confirmed before.")
    if not await factors.take_code(tx, factor, command.code):
        raise WrongCode.in_body()
    codes = await factors.new_recovery_codes(tx)
    await auth_events.tell(tx, AuthFact.FACTOR_ADDED)
    user = await directory.oneself(tx)
    at = wire_instant(tx.wall)
    await _write(tx, user, MailKind.FACTOR_CHANGED, at=at, change="added")
    return codes


class RemoveFactor(Struct, frozen=True):
    """No second factor any more, once the password was right."""


@operation(requires=Permission.SELF)
async def remove_factor(tx: Tx, _command: RemoveFactor) -> None:
    """The password alone is asked for from now on.

    Raises:
        NotFound: there is none.
    """
    if not await factors.drop(tx):
        raise NotFound("There is no second factor.")
    await auth_events.tell(tx, AuthFact.FACTOR_REMOVED)
    user = await directory.oneself(tx)
    at = wire_instant(tx.wall)
    await _write(tx, user, MailKind.FACTOR_CHANGED, at=at, change="removed")


async def _write(tx: Tx, user: User, kind: MailKind, **about: str) -> None:
    parameters = {"name": user.name, **about}
    await mails.post(tx, NewMail(kind=kind, recipient=user.email, parameters=parameters))
