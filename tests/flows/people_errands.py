"""Errands of people at the door, for the tour: each dies at each of its points and is done once."""

from base64 import b32decode
from itertools import count
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr
from tests.api.client import Client
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import AUTH, Arrange, Request
from tests.support.world import PASSWORD

from bursar.api.asgi import build_api
from bursar.api.rooms import ROUTES
from bursar.domain.frozen import replace
from bursar.domain.mails import MailKind
from bursar.jobs.handlers import run_task
from bursar.runtime import totp
from bursar.runtime.clock import now

_numbers = count(1)
# All that somebody who registers is shown of the API: building the whole takes as long as the rest.
THE_DOOR: Final = tuple(route for route in ROUTES if route.path == f"{AUTH}/register")
OTHER: Final = "Stapled-13-batteries"
VERIFIED: Final = """
    SELECT count(*) FROM directory.users WHERE email = $1 AND verified_at IS NOT NULL
"""
SIGNED_IN: Final = """
    SELECT count(*) FROM directory.sessions AS s JOIN directory.users AS u ON u.id = s.user_id
    WHERE u.email = $1 AND s.revoked_at IS NULL
"""
CONFIRMED: Final = """
    SELECT count(*) FROM directory.factors AS f JOIN directory.users AS u ON u.id = f.user_id
    WHERE u.email = $1 AND f.confirmed_at IS NOT NULL
"""


class Visitor(Struct, frozen=True):
    """Somebody who has just registered."""

    email: str
    client: Client
    session_path: str


async def _visitor(stage: Stage) -> Visitor:
    email = f"visitor{next(_numbers)}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Vi"}
    answer = await stage.http.post(f"{AUTH}/register", body)
    assert answer.status == 201, answer.body
    client = stage.http.bearing(answer.value["accessToken"])
    (session,) = (await client.get(f"{AUTH}/sessions")).value
    return Visitor(email, client, f"{AUTH}/sessions/{session['id']}")


async def _mailed(stage: Stage, email: str, kind: MailKind) -> str:
    """The token of the newest letter, once the mail has left."""
    for job in await stage.claim(is_anyones=True):
        await run_task(stage.world.app, job)
    return stage.world.mailbox.newest(email, kind).parameters["token"]


async def _verify(stage: Stage) -> Request:
    email = (await _visitor(stage)).email
    body = {"token": await _mailed(stage, email, MailKind.VERIFY_ADDRESS)}
    path = f"{AUTH}/verify-email"
    return Request(stage.http, "POST", path, body, VERIFIED, email, again=(400,))


async def _resend(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    return Request(visitor.client, "POST", f"{AUTH}/verify-email/resend", {})


async def _forget(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    return Request(stage.http, "POST", f"{AUTH}/forgot-password", {"email": visitor.email})


async def _reset(stage: Stage) -> Request:
    forget = await _forget(stage)
    assert (await stage.http.post(forget.path, forget.body)).status == 202
    assert isinstance(forget.body, dict)
    token = await _mailed(stage, forget.body["email"], MailKind.RESET_PASSWORD)
    body = {"token": token, "password": OTHER}
    return Request(stage.http, "POST", f"{AUTH}/reset-password", body, again=(400,))


async def _change(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    body = {"currentPassword": PASSWORD, "password": OTHER}
    path = f"{AUTH}/change-password"
    return Request(visitor.client, "POST", path, body, SIGNED_IN, visitor.email, again=(400,))


async def _mistype(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    body = {"email": visitor.email, "password": OTHER}
    return Request(stage.http, "POST", f"{AUTH}/login", body, again=(401,))


async def _end(stage: Stage) -> Request:
    visitor, other = await _visitor(stage), replace(stage.http, address="127.0.0.2")
    body = {"email": visitor.email, "password": PASSWORD}
    signed = await other.post(f"{AUTH}/login", body)
    client = stage.http.bearing(signed.value["accessToken"])
    return Request(
        client, "DELETE", visitor.session_path, None, SIGNED_IN, visitor.email, again=(404,)
    )


async def _begin_factor(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    return Request(visitor.client, "POST", f"{AUTH}/totp", {"password": PASSWORD})


async def _confirm_factor(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    begun = await visitor.client.post(f"{AUTH}/totp", {"password": PASSWORD})
    letters = begun.value["secret"]
    secret = b32decode(letters + "=" * (-len(letters) % 8))
    body = {"code": totp.code_at(secret, totp.step_of(now()))}
    path = f"{AUTH}/totp/confirm"
    return Request(visitor.client, "POST", path, body, CONFIRMED, visitor.email, again=(409,))


async def _remove_factor(stage: Stage) -> Request:
    confirm = await _confirm_factor(stage)
    assert (await confirm.client.post(confirm.path, confirm.body)).status == 200
    body = {"password": PASSWORD}
    return Request(confirm.client, "DELETE", f"{AUTH}/totp", body, again=(404,))


async def _repeat_quietly(stage: Stage) -> Request:
    visitor = await _visitor(stage)
    body = {"email": visitor.email, "password": PASSWORD, "name": "Vi"}
    return Request(_private_door(stage), "POST", f"{AUTH}/register", body)


def _private_door(stage: Stage) -> Client:
    """Where it is told to nobody who is registered; it stands as long as the stage."""
    app = stage.world.app
    if stage.private is None:
        settings = replace(app.settings, registration_mode="private")
        private = replace(app, settings=settings)
        stage.private = private, Client(build_api(private, THE_DOOR))
    private, client = stage.private
    force_setattr(private, "boot_id", app.boot_id)  # of the process that lives now
    return client


async def _sign_in(stage: Stage) -> Request:
    body = {"email": (await _visitor(stage)).email, "password": PASSWORD}
    return Request(stage.http, "POST", f"{AUTH}/login", body)


async def _sign_up(stage: Stage) -> Request:
    email = f"visitor{next(_numbers)}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Vi", "organizationName": "Visited"}
    counted = "SELECT count(*) FROM directory.users WHERE email = $1"
    return Request(stage.http, "POST", f"{AUTH}/register", body, counted, email, again=(409,))


async def _tokens(stage: Stage) -> tuple[str, dict[str, str]]:
    request = await _sign_in(stage)
    answer = await stage.http.post(request.path, request.body)
    return request.path, {"refreshToken": answer.value["refreshToken"]}


async def _sign_on(stage: Stage) -> Request:
    _, body = await _tokens(stage)
    # A token works once: whoever lost the answer signs in again.
    return Request(stage.http, "POST", f"{AUTH}/refresh", body, again=(401,))


async def _sign_out(stage: Stage) -> Request:
    _, body = await _tokens(stage)
    return Request(stage.http, "POST", f"{AUTH}/logout", body)


PEOPLE_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_sign_up, _sign_in, _mistype, _sign_on, _sign_out, _repeat_quietly),
    *(_verify, _resend, _forget, _reset, _change, _end),
    *(_begin_factor, _confirm_factor, _remove_factor),
)
