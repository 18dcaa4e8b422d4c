"""Signing up, in, on and out: slow password hashing outside, short transactions around it."""

from msgspec import Struct

from bursar.domain.ids import SessionId, UserId
from bursar.domain.orgs import Organization, User
from bursar.domain.passwords import normalized
from bursar.domain.refusals import (
    EmailTaken,
    NotAuthenticated,
    RefreshTokenReused,
    Refusal,
    SecondFactorRequired,
    TooManyRequests,
    WrongCredentials,
)
from bursar.operations.auth import (
    Attempt,
    BeginSignIn,
    CloseSession,
    NoteRepeated,
    OpenSession,
    Proof,
    RefuseSignIn,
    Register,
    Registered,
    RotateSession,
    begin_sign_in,
    close_session,
    note_repeated,
    open_session,
    refuse_sign_in,
    register,
    rotate_session,
)
from bursar.runtime import clock
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.tokens import new_refresh_token, refresh_token_hash, refresh_token_hashes


class SignedIn(Struct, frozen=True):
    """The pair of tokens; the access token lives for `expires_in_seconds`."""

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    user: User | None = None
    organization: Organization | None = None


class SignUp(Struct, frozen=True):
    """A new person, with an organization of their own if they name one."""

    email: str
    name: str
    password: str
    organization_name: str | None = None
    is_operator: bool = False


class SignIn(Struct, frozen=True, kw_only=True):
    """Who one is and the proof; the code of the second factor, if there is one."""

    email: str
    password: str
    code: str | None = None


async def sign_up(caller: Caller, command: SignUp) -> SignedIn:
    """Register and sign in.

    Raises:
        EmailTaken: the address belongs to somebody.
    """
    token = new_refresh_token()
    registered = await _registered(caller, command, refresh_token_hash(caller.app.keys, token))
    assert registered.session_id is not None, "a session was asked for"
    access, seconds = _access_token(caller, registered.user.id, registered.session_id)
    return SignedIn(access, token, seconds, registered.user, registered.organization)


async def sign_up_quietly(caller: Caller, command: SignUp) -> None:
    """Register without a word to the caller: what became of it is said by mail alone."""
    try:
        await _registered(caller, command, None)
    except EmailTaken:
        await caller.run(note_repeated, NoteRepeated(command.email.lower()))


async def sign_in(caller: Caller, command: SignIn) -> SignedIn:
    """Check the password, in the same time for an address nobody has.

    Raises:
        TooManyRequests: too many failures at this account from this address.
        WrongCredentials: unknown address or wrong password; one answer for both.
        SecondFactorRequired: the password was right; the code is missing or wrong.
    """
    telemetry = caller.app.telemetry
    try:
        signed_in = await _proven(caller, command)
    except Refusal as refusal:
        telemetry.sign_in_tried(outcome=refusal.reason)
        raise
    telemetry.sign_in_tried(outcome="succeeded")
    return signed_in


async def _proven(caller: Caller, command: SignIn) -> SignedIn:
    password, email = normalized(command.password), command.email.lower()
    attempt = await caller.run(begin_sign_in, BeginSignIn(email))
    held = _allowed(attempt).credentials
    stored = None if held is None else held.password_hash
    is_right = await caller.app.passwords.verify(stored, password)
    if held is None or not is_right:
        await caller.run(refuse_sign_in, RefuseSignIn(None if held is None else held.user.id))
        raise WrongCredentials("The e-mail address or the password is wrong.")
    renewed = None
    if caller.app.passwords.needs_rehash(held.password_hash):
        renewed = await caller.app.passwords.hash(password)
    token = new_refresh_token()
    opened = await caller.run(
        open_session,
        OpenSession(
            user=held.user,
            refresh_hash=refresh_token_hash(caller.app.keys, token),
            code=command.code,
            password_hash=renewed,
        ),
    )
    if opened.proof is not Proof.ENOUGH or opened.session_id is None:
        what = "missing" if opened.proof is Proof.CODE_MISSING else "wrong, or was used before"
        raise SecondFactorRequired(f"The code of the second factor is {what}.")
    access, seconds = _access_token(caller, held.user.id, opened.session_id)
    return SignedIn(access, token, seconds, held.user)


async def sign_on(caller: Caller, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for a new pair.

    Raises:
        RefreshTokenReused: it was used before; its whole family is revoked.
        NotAuthenticated: unknown, expired or revoked.
    """
    token = new_refresh_token()
    hashes = list(refresh_token_hashes(caller.app.keys, refresh_token))
    new_hash = refresh_token_hash(caller.app.keys, token)
    rotated = await caller.run(rotate_session, RotateSession(hashes, new_hash))
    if rotated.verdict == "reused":
        raise RefreshTokenReused("This refresh token was used before; sign in again.")
    if rotated.verdict != "ok" or rotated.user_id is None or rotated.session_id is None:
        raise NotAuthenticated("The refresh token is not good (any more).")
    access, seconds = _access_token(caller, rotated.user_id, rotated.session_id)
    return SignedIn(access, token, seconds)


async def sign_out(caller: Caller, refresh_token: str) -> None:
    """End the session at once; an unknown token ends nothing."""
    hashes = list(refresh_token_hashes(caller.app.keys, refresh_token))
    await caller.run(close_session, CloseSession(hashes))


async def _registered(caller: Caller, command: SignUp, refresh_hash: bytes | None) -> Registered:
    password_hash = await caller.app.passwords.hash(normalized(command.password))
    return await caller.run(
        register,
        Register(
            email=command.email.lower(),
            name=command.name,
            password_hash=password_hash,
            refresh_hash=refresh_hash,
            organization_name=command.organization_name,
            is_operator=command.is_operator,
        ),
    )


def _allowed(attempt: Attempt) -> Attempt:
    if attempt.wait_seconds:
        raise TooManyRequests(
            f"Too many wrong passwords; try again in {attempt.wait_seconds} s.",
            facts={"retryAfterSeconds": attempt.wait_seconds},
        )
    return attempt


def _access_token(caller: Caller, user_id: UserId, session_id: SessionId) -> tuple[str, int]:
    token = caller.app.access_tokens.issue(
        subject=user_id, session_id=session_id, token_id=str(new_uuid()), now=clock.now()
    )
    return token, caller.app.settings.jwt_lifetime_seconds
