"""Changing what one signs in with: the password is asked for again, and checked outside.

A mailed token stands for the password where it was forgotten. Tries are counted like those at the
front door, so a stolen session cannot guess the password either.
"""

from typing import Final

from msgspec import Struct

from bursar.domain.access import Person
from bursar.domain.passwords import accepted_password, normalized
from bursar.domain.people import TokenPurpose
from bursar.domain.refusals import (
    MailedTokenRefused,
    TooManyRequests,
    WrongPassword,
)
from bursar.operations.accounts import (
    BeginFactor,
    BeginProof,
    RemoveFactor,
    ReplacePassword,
    ResetPassword,
    SettleProof,
    VerifyAddress,
    begin_factor,
    begin_proof,
    remove_factor,
    replace_password,
    reset_password,
    settle_proof,
    verify_address,
)
from bursar.reads.users import owner_of_token
from bursar.runtime import totp
from bursar.runtime.app import Caller
from bursar.runtime.mailed import mailed_token_hashes
from bursar.runtime.tokens import BadToken

_ISSUER: Final = "Bursar"


class NewFactor(Struct, frozen=True):
    """A secret to give to an authenticator, as text and as what a picture would say."""

    secret: str
    uri: str


async def confirm_address(caller: Caller, token: str) -> None:
    """Whoever has the token reads the mail of that address.

    Raises:
        MailedTokenRefused: used, expired, or never sent.
    """
    hashes = _hashes(caller, TokenPurpose.VERIFY, token)
    await caller.run(verify_address, VerifyAddress(hashes))


async def replace_forgotten(caller: Caller, token: str, *, password: str) -> None:
    """Choose a new password with a mailed token, which a refused password does not use up.

    Raises:
        MailedTokenRefused: used, expired, or never sent.
        PasswordRefused: it may not be chosen.
    """
    hashes = _hashes(caller, TokenPurpose.RESET, token)
    owner = await caller.look(owner_of_token, hashes, TokenPurpose.RESET.value)
    if owner is None:
        raise MailedTokenRefused.in_body()
    accepted = accepted_password(password, email=owner.email, words=(owner.name,))
    password_hash = await caller.app.passwords.hash(accepted)
    await caller.run(reset_password, ResetPassword(hashes, password_hash))


async def change_password(caller: Caller, current: str, *, password: str) -> None:
    """Choose another password; every other session ends.

    Raises:
        WrongPassword: the current one is not right.
        PasswordRefused: the new one may not be chosen.
        TooManyRequests: too many failures.
    """
    actor = caller.actor
    assert isinstance(actor, Person), "the route is for people"
    email, name = await _proven(caller, current, field="currentPassword")
    accepted = accepted_password(password, email=email, words=(name,))
    password_hash = await caller.app.passwords.hash(accepted)
    await caller.run(replace_password, ReplacePassword(password_hash, actor.session_id))


async def add_factor(caller: Caller, password: str) -> NewFactor:
    """Begin a second factor.

    Raises:
        WrongPassword: the password is not right.
        FactorExists: a confirmed one stands.
        TooManyRequests: too many failures.
    """
    email, _ = await _proven(caller, password, field="password")
    secret = await caller.run(begin_factor, BeginFactor())
    return NewFactor(totp.printed(secret), totp.uri_of(secret, issuer=_ISSUER, account=email))


async def drop_factor(caller: Caller, password: str) -> None:
    """Do without a second factor.

    Raises:
        WrongPassword: the password is not right.
        NotFound: there is none.
        TooManyRequests: too many failures.
    """
    await _proven(caller, password, field="password")
    await caller.run(remove_factor, RemoveFactor())


async def _proven(caller: Caller, password: str, *, field: str) -> tuple[str, str]:
    """The address and name of the person whose password this is."""
    proof = await caller.run(begin_proof, BeginProof())
    if proof.wait_seconds:
        raise TooManyRequests(
            f"Too many wrong passwords; try again in {proof.wait_seconds} s.",
            facts={"retryAfterSeconds": proof.wait_seconds},
        )
    is_right = await caller.app.passwords.verify(proof.password_hash, normalized(password))
    await caller.run(settle_proof, SettleProof(is_right))
    if not is_right:
        raise WrongPassword.at(field)
    return proof.user.email, proof.user.name


def _hashes(caller: Caller, purpose: TokenPurpose, token: str) -> list[bytes]:
    try:
        return mailed_token_hashes(caller.app.keys, token, purpose=purpose.value)
    except BadToken:
        raise MailedTokenRefused.in_body() from None
