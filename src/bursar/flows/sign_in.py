"""Signing up, in, on and out: slow password hashing outside, one transaction inside."""

from dataclasses import dataclass

from bursar.domain.ids import SessionId, UserId
from bursar.domain.orgs import Organization, User
from bursar.domain.passwords import normalized
from bursar.domain.refusals import NotAuthenticated, RefreshTokenReused, WrongCredentials
from bursar.operations.auth import (
    CloseSession,
    OpenSession,
    Register,
    RotateSession,
    close_session,
    open_session,
    register,
    rotate_session,
)
from bursar.reads.users import credentials_of
from bursar.runtime import clock
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.tokens import new_refresh_token, refresh_token_hash, refresh_token_hashes


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The pair of tokens; the access token lives for `expires_in_seconds`."""

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    user: User | None = None
    organization: Organization | None = None


@dataclass(frozen=True, slots=True)
class SignUp:
    """A new person, with an organization of their own if they name one."""

    email: str
    name: str
    password: str
    organization_name: str | None = None
    is_operator: bool = False


async def sign_up(caller: Caller, command: SignUp) -> SignedIn:
    """Register and sign in.

    Raises:
        EmailTaken: the address belongs to somebody.
    """
    token = new_refresh_token()
    registered = await caller.run(
        register,
        Register(
            email=command.email.lower(),
            name=command.name,
            password_hash=await caller.app.passwords.hash(normalized(command.password)),
            refresh_hash=refresh_token_hash(caller.app.keys, token),
            organization_name=command.organization_name,
            is_operator=command.is_operator,
        ),
    )
    access, seconds = _access_token(caller, registered.user.id, registered.session_id)
    return SignedIn(access, token, seconds, registered.user, registered.organization)


async def sign_in(caller: Caller, *, email: str, password: str) -> SignedIn:
    """Check the password, in the same time for an address nobody has.

    Raises:
        WrongCredentials: unknown address or wrong password; one answer for both.
    """
    found = await caller.look(credentials_of, email.lower())
    stored = None if found is None else found.password_hash
    is_right = await caller.app.passwords.verify(stored, normalized(password))
    if found is None or not is_right:
        raise WrongCredentials("The e-mail address or the password is wrong.")
    renewed = None
    if caller.app.passwords.needs_rehash(found.password_hash):
        renewed = await caller.app.passwords.hash(normalized(password))
    token = new_refresh_token()
    session_id = await caller.run(
        open_session,
        OpenSession(
            user_id=found.user.id,
            refresh_hash=refresh_token_hash(caller.app.keys, token),
            password_hash=renewed,
        ),
    )
    access, seconds = _access_token(caller, found.user.id, session_id)
    return SignedIn(access, token, seconds, found.user)


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


def _access_token(caller: Caller, user_id: UserId, session_id: SessionId) -> tuple[str, int]:
    token = caller.app.access_tokens.issue(
        subject=user_id, session_id=session_id, token_id=str(new_uuid()), now=clock.now()
    )
    return token, caller.app.settings.jwt_lifetime_seconds
