"""`/v1/auth`: signing up, in, on and out."""

from typing import Final

import msgspec

from bursar.api.envelope import NO_CONTENT, resource
from bursar.api.fields import Body, Credential, Email, Name, NoQuery, Password, SecondFactorCode
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.passwords import PasswordRefused, accepted_password
from bursar.domain.refusals import (
    EmailTaken,
    InvalidInput,
    NotAuthenticated,
    RefreshTokenReused,
    SecondFactorRequired,
    TooManyRequests,
    WrongCredentials,
)
from bursar.domain.shapes.orgs import MeOut, OrganizationOut, UserOut
from bursar.flows.sign_in import (
    SignIn,
    SignUp,
    sign_in,
    sign_on,
    sign_out,
    sign_up,
    sign_up_quietly,
)
from bursar.reads.members import me
from bursar.runtime.idempotency import Answer
from bursar.runtime.pacing import lasting
from bursar.runtime.tokens import BadToken

ROOM = Room("Auth", prefix="/v1/auth", about="People sign in here; programs use API keys.")

# Well above what hashing a password takes, with the mail and the organization.
_QUIET_SECONDS: Final = 0.4


class SignUpBody(Body, frozen=True):
    """A new person; with `organizationName`, also an organization of their own."""

    email: Email
    password: Password
    name: Name
    organization_name: Name | None = None


class SignInBody(Body, frozen=True):
    """Who one is, and the proof; `code` is of the second factor, or a recovery code."""

    email: Email
    password: Password
    code: SecondFactorCode | None = None


class RefreshBody(Body, frozen=True):
    """A refresh token, which works once."""

    refresh_token: Credential


class Tokens(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A pair of tokens; the access token lives for `expiresIn` seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class Session(Tokens, frozen=True, kw_only=True):
    """A pair of tokens, and whose they are."""

    user: UserOut


class Welcome(Session, frozen=True, kw_only=True):
    """A pair of tokens, whose they are, and the organization that was founded."""

    organization: OrganizationOut | None


@ROOM.post(
    "/register",
    Terms(
        needs=Permission.ANYONE,
        takes=SignUpBody,
        gives=Welcome,
        status=201,
        also={202: "Nobody is told whether the address was free; mail says what to do."},
        audience=Audience.ANYONE,
        refuses=(EmailTaken,),
    ),
)
async def register_person(call: Call[SignUpBody, NoQuery]) -> Answer:
    """Register and sign in.

    Where the installation is private the answer is always 202 and empty, and mail says the rest.
    """
    body = call.body
    try:
        accepted_password(
            body.password, email=body.email, words=(body.name, body.organization_name or "")
        )
    except PasswordRefused as refused:
        raise InvalidInput.at("password", str(refused), "password_refused") from refused
    command = SignUp(body.email, body.name, body.password, body.organization_name)
    if call.caller.app.settings.registration_mode == "private":
        async with lasting(_QUIET_SECONDS):
            await sign_up_quietly(call.caller, command)
        return Answer(202, b"")
    signed_in = await sign_up(call.caller, command)
    assert signed_in.user is not None, "somebody registered"
    founded = signed_in.organization
    welcome = Welcome(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        expires_in=signed_in.expires_in_seconds,
        user=UserOut.of(signed_in.user),
        organization=None if founded is None else OrganizationOut.of(founded),
    )
    return resource(welcome, status=201)


@ROOM.post(
    "/login",
    Terms(
        needs=Permission.ANYONE,
        takes=SignInBody,
        gives=Session,
        audience=Audience.ANYONE,
        refuses=(WrongCredentials, SecondFactorRequired, TooManyRequests),
    ),
)
async def login(call: Call[SignInBody, NoQuery]) -> Answer:
    """Sign in; an unknown address and a wrong password get the same answer.

    After five failures at an account from one address the wait grows, up to a quarter of an hour;
    nobody who tries from elsewhere makes the owner wait.
    """
    body = call.body
    try:
        signed_in = await sign_in(
            call.caller, SignIn(email=body.email, password=body.password, code=body.code)
        )
    except PasswordRefused as refused:
        raise InvalidInput.at("password", str(refused), "password_refused") from refused
    assert signed_in.user is not None, "somebody signed in"
    session = Session(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        expires_in=signed_in.expires_in_seconds,
        user=UserOut.of(signed_in.user),
    )
    return resource(session)


@ROOM.post(
    "/refresh",
    Terms(
        needs=Permission.ANYONE,
        takes=RefreshBody,
        gives=Tokens,
        audience=Audience.ANYONE,
        refuses=(NotAuthenticated, RefreshTokenReused),
    ),
)
async def refresh(call: Call[RefreshBody, NoQuery]) -> Answer:
    """Exchange a refresh token for a new pair.

    A token that was used before ends its whole session: somebody else may have it.
    """
    try:
        signed_in = await sign_on(call.caller, call.body.refresh_token)
    except BadToken:
        raise NotAuthenticated("The refresh token is not good.") from None
    tokens = Tokens(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        expires_in=signed_in.expires_in_seconds,
    )
    return resource(tokens)


@ROOM.post(
    "/logout",
    Terms(
        needs=Permission.ANYONE,
        takes=RefreshBody,
        status=204,
        audience=Audience.ANYONE,
        refuses=(NotAuthenticated,),
    ),
)
async def logout(call: Call[RefreshBody, NoQuery]) -> Answer:
    """Sign out; the session's access tokens stop working at once."""
    try:
        await sign_out(call.caller, call.body.refresh_token)
    except BadToken:
        raise NotAuthenticated("The refresh token is not good.") from None
    return NO_CONTENT


@ROOM.get("/me", Terms(needs=Permission.SELF, gives=MeOut, audience=Audience.PERSON))
async def get_me(call: Call[None, NoQuery]) -> Answer:
    """Get the person signed in, with everywhere they belong."""
    return resource(MeOut.of(await call.caller.look(me)))
