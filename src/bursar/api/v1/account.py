"""`/v1/auth`, one's own account: address, password, sessions, second factor."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bursar.api.envelope import NO_CONTENT, all_of, resource
from bursar.api.fields import AuthenticatorCode, Body, Credential, Email, NoQuery, Nothing, Password
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.domain.access import Permission, Person
from bursar.domain.ids import SessionId
from bursar.domain.passwords import PasswordRefused
from bursar.domain.refusals import (
    FactorExists,
    InvalidInput,
    MailedTokenRefused,
    NotFound,
    TooManyRequests,
    WrongCode,
    WrongPassword,
)
from bursar.domain.shapes.sessions import SessionOut
from bursar.flows.keep_account import (
    add_factor,
    change_password,
    confirm_address,
    drop_factor,
    replace_forgotten,
)
from bursar.operations.accounts import (
    AskReset,
    AskVerification,
    ConfirmFactor,
    EndSession,
    ask_reset,
    ask_verification,
    confirm_factor,
    end_session,
)
from bursar.reads.sessions import own_sessions
from bursar.runtime.idempotency import Answer
from bursar.runtime.pacing import lasting

ROOM = Room("Account", prefix="/v1/auth", about="What one signs in with, and where one did.")
_ACCEPTED: Final = Answer(202, b"")
_RESET_SECONDS: Final = 0.1


class TokenBody(Body, frozen=True):
    """The token from a mail."""

    token: Credential


class AddressBody(Body, frozen=True):
    """Whose password it is."""

    email: Email


class NewPassword(Body, frozen=True):
    """The token from a mail, and the password to have from now on."""

    token: Credential
    password: Password


class OtherPassword(Body, frozen=True):
    """The password one has, and the one to have from now on."""

    current_password: Password
    password: Password


class Proof(Body, frozen=True):
    """The password once more."""

    password: Password


class CodeBody(Body, frozen=True):
    """What the authenticator shows now."""

    code: AuthenticatorCode


class FactorBegun(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What an authenticator is given; `uri` is what a QR code would say."""

    secret: Annotated[str, Meta(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])]
    uri: Annotated[str, Meta(examples=["otpauth://totp/Bursar:ann@example.com?secret=JBSWY3DP"])]


class RecoveryCodes(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Each signs in once where the authenticator is lost; they are shown this once."""

    recovery_codes: tuple[Annotated[str, Meta(examples=["k7m2p-x9qtw"])], ...]


@ROOM.post(
    "/verify-email",
    Terms(
        needs=Permission.ANYONE,
        takes=TokenBody,
        status=204,
        audience=Audience.ANYONE,
        refuses=(MailedTokenRefused,),
    ),
)
async def verify_email(call: Call[TokenBody, NoQuery]) -> Answer:
    """Confirm an e-mail address with the token that was mailed to it.

    The token works once, and for a day.
    """
    await confirm_address(call.caller, call.body.token)
    return NO_CONTENT


@ROOM.post(
    "/verify-email/resend",
    Terms(needs=Permission.SELF, takes=Nothing, status=202, audience=Audience.PERSON),
)
async def resend_verification(call: Call[Nothing, NoQuery]) -> Answer:
    """Mail the token again, at most three times an hour."""
    await call.caller.run(ask_verification, AskVerification())
    return _ACCEPTED


@ROOM.post(
    "/forgot-password",
    Terms(needs=Permission.ANYONE, takes=AddressBody, status=202, audience=Audience.ANYONE),
)
async def forgot_password(call: Call[AddressBody, NoQuery]) -> Answer:
    """Mail a token that resets the password.

    The answer is the same, and takes the same time, whether or not anybody has the address.
    """
    async with lasting(_RESET_SECONDS):
        await call.caller.run(ask_reset, AskReset(call.body.email.lower()))
    return _ACCEPTED


@ROOM.post(
    "/reset-password",
    Terms(
        needs=Permission.ANYONE,
        takes=NewPassword,
        status=204,
        audience=Audience.ANYONE,
        refuses=(MailedTokenRefused,),
    ),
)
async def choose_password(call: Call[NewPassword, NoQuery]) -> Answer:
    """Choose a new password with the token that was mailed; every session ends.

    The token works once, and for 15 minutes. A refused password does not use it up, and a second
    factor is still asked for.
    """
    try:
        await replace_forgotten(call.caller, call.body.token, password=call.body.password)
    except PasswordRefused as refused:
        raise InvalidInput.at("password", str(refused), "password_refused") from refused
    return NO_CONTENT


@ROOM.post(
    "/change-password",
    Terms(
        needs=Permission.SELF,
        takes=OtherPassword,
        status=204,
        audience=Audience.PERSON,
        refuses=(WrongPassword, TooManyRequests),
    ),
)
async def change_own_password(call: Call[OtherPassword, NoQuery]) -> Answer:
    """Change the password; every other session ends, and this one goes on."""
    body = call.body
    try:
        await change_password(call.caller, body.current_password, password=body.password)
    except PasswordRefused as refused:
        raise InvalidInput.at("password", str(refused), "password_refused") from refused
    return NO_CONTENT


@ROOM.get(
    "/sessions",
    Terms(needs=Permission.SELF, gives=SessionOut, is_list=True, audience=Audience.PERSON),
)
async def list_sessions(call: Call[None, NoQuery]) -> Answer:
    """List where one is signed in, newest first."""
    actor = call.caller.actor
    assert isinstance(actor, Person), "the route is for people"
    found = await call.caller.look(own_sessions)
    return all_of(SessionOut.of(each, actor.session_id) for each in found)


@ROOM.delete(
    "/sessions/{sessionId}",
    Terms(needs=Permission.SELF, status=204, audience=Audience.PERSON, refuses=(NotFound,)),
)
async def end_own_session(call: Call[None, NoQuery]) -> Answer:
    """End a session; its access tokens stop working at once."""
    await call.caller.run(end_session, EndSession(SessionId(call.id("sessionId"))))
    return NO_CONTENT


@ROOM.post(
    "/totp",
    Terms(
        needs=Permission.SELF,
        takes=Proof,
        gives=FactorBegun,
        status=201,
        audience=Audience.PERSON,
        refuses=(WrongPassword, FactorExists, TooManyRequests),
    ),
)
async def begin_totp(call: Call[Proof, NoQuery]) -> Answer:
    """Begin a second factor: codes that change every 30 seconds.

    It is asked for once a code made with it was confirmed.
    """
    made = await add_factor(call.caller, call.body.password)
    return resource(FactorBegun(secret=made.secret, uri=made.uri), status=201)


@ROOM.post(
    "/totp/confirm",
    Terms(
        needs=Permission.SELF,
        takes=CodeBody,
        gives=RecoveryCodes,
        audience=Audience.PERSON,
        refuses=(WrongCode, FactorExists, NotFound),
    ),
)
async def confirm_totp(call: Call[CodeBody, NoQuery]) -> Answer:
    """Confirm the second factor; from now on it is asked for at sign-in.

    The recovery codes are in this answer only.
    """
    codes = await call.caller.run(confirm_factor, ConfirmFactor(call.body.code))
    return resource(RecoveryCodes(recovery_codes=codes))


@ROOM.delete(
    "/totp",
    Terms(
        needs=Permission.SELF,
        takes=Proof,
        status=204,
        audience=Audience.PERSON,
        refuses=(WrongPassword, NotFound, TooManyRequests),
    ),
)
async def remove_totp(call: Call[Proof, NoQuery]) -> Answer:
    """Do without the second factor; the password is asked for."""
    await drop_factor(call.caller, call.body.password)
    return NO_CONTENT
