"""One's own account over HTTP: addresses, passwords, sessions, the second factor, and the waits."""

from base64 import b32decode
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest
from tests.api.client import Client, Response
from tests.support.world import PASSWORD, World

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.domain.ids import UserId, scope_of, uuid_of
from bursar.domain.mails import MailKind
from bursar.domain.people import AuthFact
from bursar.runtime import totp
from bursar.runtime.clock import now

AUTH: Final = "/v1/auth"
OTHER_PASSWORD: Final = "Stapled-13-batteries"


@pytest.fixture
async def owner_of_all(world: World) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that passes row-level security."""
    connection = await world.house.as_owner()
    yield connection
    await connection.close()


@pytest.fixture
def elsewhere(anyone: Client) -> Callable[[], Client]:
    """A client at another address each time, so that one test's tries are not another's."""
    return lambda: replace(anyone, address=_address())


def _address() -> str:
    number = uuid4().int
    return f"10.{number % 250}.{number // 250 % 250}.{number // 62_500 % 250 + 1}"


async def _registered(anyone: Client) -> tuple[str, Any]:
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Ann"}
    answer = await anyone.post(f"{AUTH}/register", body)
    assert answer.status == 201, answer.body
    return email, answer.value


async def _login(client: Client, email: str, password: str = PASSWORD, **more: str) -> Response:
    return await client.post(f"{AUTH}/login", {"email": email, "password": password, **more})


async def _mailed(world: World, email: str, kind: MailKind) -> dict[str, str]:
    await world.drain()
    return dict(world.mailbox.newest(email, kind).parameters)


async def _facts(
    owner_of_all: "asyncpg.Connection[asyncpg.Record]", user_id: str
) -> list[tuple[str, str]]:
    rows = await owner_of_all.fetch(
        "SELECT type, address FROM auth_events WHERE org_id = $1 ORDER BY id",
        uuid_of(scope_of(UserId(user_id))),
    )
    return [(row["type"], row["address"]) for row in rows]


async def test_an_address_is_verified_by_the_mail_sent_to_it(
    world: World, anyone: Client, owner_of_all: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # Once; the token of another purpose, another letter of it, or a second use are refused.
    email, welcome = await _registered(anyone)
    assert welcome["user"]["isEmailVerified"] is False
    token = (await _mailed(world, email, MailKind.VERIFY_ADDRESS))["token"]
    path = f"{AUTH}/verify-email"
    for bad in (token[:-1] + ("A" if token[-1] != "A" else "B"), "bsm_" + "A" * 64, "x"):
        answer = await anyone.post(path, {"token": bad})
        assert (answer.status, answer.fields) == (400, {"token"}), answer.body
    reset = await anyone.post(f"{AUTH}/reset-password", {"token": token, "password": PASSWORD})
    assert (reset.status, reset.codes) == (400, {"mailed_token_refused"})
    assert (await anyone.post(path, {"token": token})).status == 204
    assert (await anyone.post(path, {"token": token})).status == 400
    me = anyone.bearing(welcome["accessToken"])
    assert (await me.get(f"{AUTH}/me")).value["isEmailVerified"] is True
    stored = await owner_of_all.fetchval(
        "SELECT string_agg(hash::text, '') FROM directory.mail_tokens"
    )
    assert token.encode().hex() not in stored


async def test_the_verification_is_sent_again_but_not_without_end(
    world: World, anyone: Client
) -> None:
    # Three an hour, the first one counted; and none once the address is verified.
    email, welcome = await _registered(anyone)
    me = anyone.bearing(welcome["accessToken"])
    for _ in range(5):
        assert (await me.post(f"{AUTH}/verify-email/resend", {})).status == 202
    await world.drain()
    sent = [each for each in world.mailbox.letters if each.recipient == email]
    assert len(sent) == 3
    token = sent[0].parameters["token"]
    assert (await anyone.post(f"{AUTH}/verify-email", {"token": token})).status == 204
    later = await anyone.post(f"{AUTH}/verify-email", {"token": sent[1].parameters["token"]})
    assert later.status == 400, "one token used makes the others void"


async def test_a_forgotten_password_is_reset_by_mail(
    world: World,
    anyone: Client,
    elsewhere: Callable[[], Client],
    owner_of_all: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    # The same 202 for anybody; the token works once, for 15 minutes, and ends every session.
    email, welcome = await _registered(anyone)
    asked = await anyone.post(f"{AUTH}/forgot-password", {"email": email.upper()})
    nobody = await anyone.post(f"{AUTH}/forgot-password", {"email": f"x{email}"})
    assert (asked.status, asked.body) == (nobody.status, nobody.body) == (202, b"")
    token = (await _mailed(world, email, MailKind.RESET_PASSWORD))["token"]
    weak = await anyone.post(f"{AUTH}/reset-password", {"token": token, "password": "Password1"})
    assert (weak.status, weak.codes) == (400, {"password_refused"})
    body = {"token": token, "password": OTHER_PASSWORD}
    assert (await anyone.post(f"{AUTH}/reset-password", body)).status == 204
    assert (await anyone.post(f"{AUTH}/reset-password", body)).status == 400
    me = anyone.bearing(welcome["accessToken"])
    assert (await me.get(f"{AUTH}/me")).status == 401
    renewed = await anyone.post(f"{AUTH}/refresh", {"refreshToken": welcome["refreshToken"]})
    assert renewed.status == 401
    assert (await _login(elsewhere(), email)).status == 401
    assert (await _login(elsewhere(), email, OTHER_PASSWORD)).status == 200
    assert await _mailed(world, email, MailKind.PASSWORD_CHANGED)
    told = [fact for fact, _ in await _facts(owner_of_all, welcome["user"]["id"])]
    assert AuthFact.PASSWORD_RESET in told


async def test_a_reset_token_is_good_for_a_quarter_of_an_hour(
    world: World, anyone: Client, owner_of_all: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # A second too late is too late.
    email, welcome = await _registered(anyone)
    await anyone.post(f"{AUTH}/forgot-password", {"email": email})
    token = (await _mailed(world, email, MailKind.RESET_PASSWORD))["token"]
    lives = await owner_of_all.fetchval(
        "UPDATE directory.mail_tokens SET expires_at = now() WHERE purpose = 'reset'"
        " AND user_id = $1 RETURNING (expires_at - created_at) <= interval '15 minutes'",
        uuid_of(UserId(welcome["user"]["id"])),
    )
    assert lives is True
    body = {"token": token, "password": OTHER_PASSWORD}
    assert (await anyone.post(f"{AUTH}/reset-password", body)).status == 400


async def test_changing_the_password_ends_the_other_sessions(
    world: World, anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # The one that changed it goes on; the current password is asked for.
    email, welcome = await _registered(anyone)
    other = (await _login(elsewhere(), email)).value
    here, there = anyone.bearing(welcome["accessToken"]), anyone.bearing(other["accessToken"])
    path = f"{AUTH}/change-password"
    wrong = {"currentPassword": "Wrong-horse-7-battery", "password": OTHER_PASSWORD}
    refused = await here.post(path, wrong)
    assert (refused.status, refused.fields) == (400, {"currentPassword"})
    weak = await here.post(path, {"currentPassword": PASSWORD, "password": "Password1"})
    assert (weak.status, weak.fields) == (400, {"password"})
    right = {"currentPassword": PASSWORD, "password": OTHER_PASSWORD}
    assert (await here.post(path, right)).status == 204
    assert (await here.get(f"{AUTH}/me")).status == 200
    assert (await there.get(f"{AUTH}/me")).status == 401
    assert (await _login(elsewhere(), email, OTHER_PASSWORD)).status == 200
    assert await _mailed(world, email, MailKind.PASSWORD_CHANGED)


async def test_sessions_are_seen_and_ended_by_their_owner_alone(
    anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # With where they are used from; another person's session is no session.
    email, welcome = await _registered(anyone)
    phone = await elsewhere().ask(
        "POST",
        f"{AUTH}/login",
        {"email": email, "password": PASSWORD},
        headers={"user-agent": "Phone/1 " + "x" * 500},
    )
    here, there = (anyone.bearing(each["accessToken"]) for each in (welcome, phone.value))
    listed = (await here.get(f"{AUTH}/sessions")).value
    assert [each["isCurrent"] for each in listed] == [False, True]
    assert listed[0]["userAgent"].startswith("Phone/1 ")
    assert len(listed[0]["userAgent"]) == 200
    assert listed[0]["address"].startswith("10.")
    _, stranger = await _registered(anyone)
    path = f"{AUTH}/sessions/{listed[0]['id']}"
    assert (await anyone.bearing(stranger["accessToken"]).delete(path)).status == 404
    assert (await there.get(f"{AUTH}/me")).status == 200
    assert (await here.delete(path)).status == 204
    assert (await here.delete(path)).status == 404
    assert (await there.get(f"{AUTH}/me")).status == 401


async def _with_factor(anyone: Client, world: World) -> tuple[str, Any, bytes, list[str]]:
    email, welcome = await _registered(anyone)
    me = anyone.bearing(welcome["accessToken"])
    begun = await me.post(f"{AUTH}/totp", {"password": PASSWORD})
    assert begun.status == 201, begun.body
    assert begun.value["uri"].startswith("otpauth://totp/Bursar:")
    letters = begun.value["secret"]
    secret = b32decode(letters + "=" * (-len(letters) % 8))
    code = totp.code_at(secret, totp.step_of(now()) - 1)
    confirmed = await me.post(f"{AUTH}/totp/confirm", {"code": code})
    assert confirmed.status == 200, confirmed.body
    return email, welcome, secret, confirmed.value["recoveryCodes"]


async def test_a_second_factor_is_asked_for_once_confirmed(
    world: World, anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # A right password alone is told what is missing; a code of one step works once.
    email, welcome, secret, _ = await _with_factor(anyone, world)
    missing = await _login(elsewhere(), email)
    assert missing.status == 401
    assert "missing" in missing.error["message"]
    assert (await _login(elsewhere(), email, "Wrong-horse-7", code="000000")).error["message"] == (
        "The e-mail address or the password is wrong."
    )
    assert (await _login(elsewhere(), email, code="000000")).status == 401
    code = totp.code_at(secret, totp.step_of(now()))
    assert (await _login(elsewhere(), email, code=code)).status == 200
    assert (await _login(elsewhere(), email, code=code)).status == 401, "each works once"
    assert (await _mailed(world, email, MailKind.FACTOR_CHANGED))["change"] == "added"
    me = anyone.bearing(welcome["accessToken"])
    again = await me.post(f"{AUTH}/totp", {"password": PASSWORD})
    assert (again.status, again.error["code"]) == (409, "CONFLICT")


async def test_a_recovery_code_signs_in_once(
    world: World, anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # However its halves are written; it is told by mail.
    email, _, _, codes = await _with_factor(anyone, world)
    assert len(set(codes)) == 10
    assert (await _login(elsewhere(), email, code=codes[0].replace("-", "").upper())).status == 200
    assert (await _login(elsewhere(), email, code=codes[0])).status == 401
    assert (await _login(elsewhere(), email, code=codes[1])).status == 200
    assert (await _mailed(world, email, MailKind.FACTOR_CHANGED))["change"] == "used"


async def test_a_factor_goes_with_the_password_alone(
    world: World, anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # A stolen session cannot take it away.
    email, welcome, _, _ = await _with_factor(anyone, world)
    me = anyone.bearing(welcome["accessToken"])
    refused = await me.ask("DELETE", f"{AUTH}/totp", {"password": OTHER_PASSWORD})
    assert (refused.status, refused.fields) == (400, {"password"})
    assert (await me.ask("DELETE", f"{AUTH}/totp", {"password": PASSWORD})).status == 204
    assert (await me.ask("DELETE", f"{AUTH}/totp", {"password": PASSWORD})).status == 404
    assert (await _login(elsewhere(), email)).status == 200


async def test_wrong_passwords_wait_ever_longer_and_lock_nobody_out(
    world: World,
    anyone: Client,
    elsewhere: Callable[[], Client],
    owner_of_all: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    # Also the right password waits where the wrong ones came from; elsewhere it works at once.
    email, welcome = await _registered(anyone)
    attacker, ghost = elsewhere(), elsewhere()
    for client, address in ((attacker, email), (ghost, f"x{email}")):
        seen = [(await _login(client, address, "Wrong-horse-7")).status for _ in range(5)]
        assert seen == [401] * 5
        # Four more, so that the wait is long enough for a slow machine to see.
        more = "UPDATE directory.tries SET failures = 9 WHERE address = $1"
        await owner_of_all.execute(more, client.address)
        waiting = await _login(client, address)
        assert waiting.status == 429, "an address nobody has is no different"
        assert 1 <= int(waiting.headers["retry-after"]) <= 16
    assert (await _login(elsewhere(), email)).status == 200
    later = "UPDATE directory.tries SET failed_at = failed_at - interval '17 seconds'"
    await owner_of_all.execute(later)
    assert (await _login(attacker, email)).status == 200
    assert (await _login(attacker, email, "Wrong-horse-7")).status == 401, "success clears"
    told = await _facts(owner_of_all, welcome["user"]["id"])
    refused = [address for fact, address in told if fact == AuthFact.SIGN_IN_REFUSED]
    assert refused == [attacker.address] * 6


async def test_a_besieged_account_stays_open_to_addresses_it_knows(
    anyone: Client,
    elsewhere: Callable[[], Client],
    owner_of_all: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    # After a hundred failures from wherever, a new address waits a quarter of an hour, and then
    # gets in; a known one does not wait.
    email, _ = await _registered(anyone)
    home, new = elsewhere(), elsewhere()
    assert (await _login(home, email)).status == 200
    assert (await _login(elsewhere(), email, "Wrong-horse-7")).status == 401
    await owner_of_all.execute(
        "UPDATE directory.tried_accounts SET failures = 100 WHERE failed_at ="
        " (SELECT max(failed_at) FROM directory.tried_accounts)"
    )
    waiting = await _login(new, email)
    assert waiting.status == 429
    assert 890 <= int(waiting.headers["retry-after"]) <= 900
    assert (await _login(home, email)).status == 200
    await owner_of_all.execute(
        "UPDATE directory.tries SET begun_at = begun_at - interval '15 minutes'"
    )
    assert (await _login(new, email)).status == 200


async def test_a_stolen_session_cannot_guess_the_password(
    anyone: Client, owner_of_all: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # Tries inside are counted like those at the front door.
    _, welcome = await _registered(anyone)
    me = replace(anyone.bearing(welcome["accessToken"]), address=_address())
    body = {"password": "Wrong-horse-7"}
    seen = [(await me.post(f"{AUTH}/totp", body)).status for _ in range(5)]
    assert seen == [400] * 5
    more = "UPDATE directory.tries SET failures = 9 WHERE address = $1"
    await owner_of_all.execute(more, me.address)
    assert (await me.post(f"{AUTH}/totp", {"password": PASSWORD})).status == 429


async def test_a_reused_refresh_token_is_told_to_its_owner(
    world: World, anyone: Client, owner_of_all: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # By mail, once, with the address it came from.
    email, welcome = await _registered(anyone)
    thief = replace(anyone, address="203.0.113.9")
    body = {"refreshToken": welcome["refreshToken"]}
    assert (await anyone.post(f"{AUTH}/refresh", body)).status == 200
    for _ in range(3):
        assert (await thief.post(f"{AUTH}/refresh", body)).status == 401
    assert (await _mailed(world, email, MailKind.SESSION_REUSED))["address"] == "203.0.113.9"
    told = await _facts(owner_of_all, welcome["user"]["id"])
    assert told.count((AuthFact.TOKEN_REUSED, "203.0.113.9")) == 1


async def test_a_private_installation_tells_nobody_who_is_registered(world: World) -> None:
    # The same 202 for a free and a taken address; mail says which, to whoever reads it.
    settings = replace(world.app.settings, registration_mode="private")
    private = Client(build_api(replace(world.app, settings=settings)), address=_address())
    body = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ann"}
    first = await private.post(f"{AUTH}/register", body)
    second = await private.post(f"{AUTH}/register", body)
    assert (first.status, first.body) == (second.status, second.body) == (202, b"")
    assert await _mailed(world, body["email"], MailKind.VERIFY_ADDRESS)
    assert await _mailed(world, body["email"], MailKind.ADDRESS_TAKEN)
    assert (await _login(private, body["email"])).status == 200


@pytest.mark.parametrize(
    "query", ["token=x", "access_token=x", "q=bsk_x", "email=bsm_x", "a=eyJx", "b=bsr_x"]
)
@pytest.mark.parametrize("path", ["/login", "/me", "/sessions", "/verify-email"])
async def test_a_credential_in_the_query_is_refused(anyone: Client, query: str, path: str) -> None:
    # It would end in logs and histories; and the answer does not repeat it.
    _, welcome = await _registered(anyone)
    me = anyone.bearing(welcome["accessToken"])
    method = "POST" if path in {"/login", "/verify-email"} else "GET"
    answer = await me.ask(method, f"{AUTH}{path}?{query}", {} if method == "POST" else None)
    assert answer.status == 400, answer.body
    assert query.partition("=")[2] == "x" or query.partition("=")[2].encode() not in answer.body


async def test_the_links_in_our_mail_lead_to_pages_that_work(
    world: World, anyone: Client, elsewhere: Callable[[], Client]
) -> None:
    # Looking uses nothing up; the button does, once; what is wrong is one page and says no more.
    email, welcome = await _registered(anyone)
    await anyone.post(f"{AUTH}/forgot-password", {"email": email})
    form = {"content_type": "application/x-www-form-urlencoded"}
    verify = "/account/verify/" + (await _mailed(world, email, MailKind.VERIFY_ADDRESS))["token"]
    reset = "/account/reset/" + (await _mailed(world, email, MailKind.RESET_PASSWORD))["token"]
    for path in (verify, reset, "/account/invitation/bsi_x"):
        for _ in range(2):
            shown = await anyone.get(path)
            assert (shown.status, shown.headers["referrer-policy"]) == (200, "no-referrer")
            assert shown.headers["cache-control"] == "no-store"
            assert email.encode() not in shown.body
    assert (await anyone.post(verify, b"", **form)).status == 200
    again = await anyone.post(verify, b"", **form)
    assert (again.status, b'href="/console/account"' in again.body) == (400, True)
    me = anyone.bearing(welcome["accessToken"])
    assert (await me.get(f"{AUTH}/me")).value["isEmailVerified"] is True
    for weak in (
        b"",
        b"password=Password1",
        b"password=%00",
        b"password=a&password=b",
        b"\xff=\xff",
    ):
        refused = await anyone.post(reset, weak, **form)
        assert refused.status == 400
        assert b"<form" in refused.body
    body = f"password={OTHER_PASSWORD}".encode()
    assert (await anyone.post(reset, body, **form)).status == 200
    again = await anyone.post(reset, body, **form)
    assert (again.status, b'href="/console/forgot-password"' in again.body) == (400, True)
    assert (await _login(elsewhere(), email, OTHER_PASSWORD)).status == 200
    assert (await anyone.post("/account/reset/%00", body, **form)).status == 400
