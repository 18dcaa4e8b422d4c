"""In and out of the console: password, second factor, the cookie, and forms from elsewhere."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from tests.api.client import Client
from tests.console.browser import OWN, Browser, read, text_of
from tests.console.conftest import Stage
from tests.support.world import PASSWORD, World

from bursar.console.doors import own_place
from bursar.console.passes import IDLE, LIFE, Pass, cookie, read_pass
from bursar.domain.frozen import replace
from bursar.domain.ids import SessionId, UserId, print_id
from bursar.flows.sign_in import SignUp, sign_up
from bursar.reads.members import me
from bursar.runtime import totp
from bursar.runtime.console_links import DEMO_OWNER, new_link
from bursar.runtime.ids import new_uuid

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


async def _email(stage: Stage) -> str:
    caller = replace(stage.org.caller, org_id=None)
    return (await caller.look(me)).user.email


async def test_password_opens(stage: Stage, anyone: Client) -> None:
    # The right password leads on to where one wanted to go, with a cookie that scripts cannot read.
    door = Browser(anyone)
    wanted = f"/console/{stage.org.id}/invoices"
    asked = await door.get(wanted)
    assert asked.headers["location"].startswith("/console/sign-in?next=")
    opened = await door.sign_in(await _email(stage), PASSWORD, next=wanted)
    assert (opened.status, opened.headers["location"]) == (303, wanted)
    for said in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert said in opened.headers["set-cookie"]
    assert (await door.keeping(opened).get(wanted)).status == 200


async def test_wrong_password(stage: Stage, anyone: Client) -> None:
    # One answer for a wrong password and for an address nobody has, and no cookie.
    for email in (await _email(stage), "nobody@example.com"):
        answer = await Browser(anyone).sign_in(email, "wrong horse battery")
        assert answer.status == 401
        assert "password is wrong" in text_of(answer)
        assert "set-cookie" not in answer.headers


async def test_second_factor(world: World, anyone: Client) -> None:
    # The password is typed once; the page that asks for the code does not hold it in the clear.
    org = await world.org()
    person = anyone.bearing(org.access_token)
    begun = await person.post("/v1/auth/totp", {"password": PASSWORD})
    letters = begun.value["secret"]
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    step = totp.step_of(datetime.now(UTC))
    await person.post("/v1/auth/totp/confirm", {"code": totp.code_at(secret, step - 1)})
    email = (await person.get("/v1/auth/me")).value["email"]
    door = Browser(anyone)
    asked = await door.sign_in(email, PASSWORD)
    fields = read(asked).fields
    assert "code" in fields
    assert PASSWORD.encode() not in asked.body
    wrong = await door.post("/console/sign-in", fields | {"code": "000000"}, **OWN)
    assert wrong.status == 200
    assert "set-cookie" not in wrong.headers
    code = totp.code_at(secret, step)
    opened = await door.post("/console/sign-in", read(wrong).fields | {"code": code}, **OWN)
    assert opened.status == 303
    assert (await door.keeping(opened).get(f"/console/{org.id}")).status == 200


async def test_sign_out(world: World, anyone: Client) -> None:
    # Signing out ends the session itself: the cookie somebody copied is worth nothing.
    org = await world.org()
    caller = replace(org.caller, org_id=None)
    door = Browser(anyone)
    opened = await door.sign_in((await caller.look(me)).user.email, PASSWORD)
    inside = door.keeping(opened)
    token = read(await inside.get(f"/console/{org.id}")).fields["_token"]
    out = await inside.post("/console/sign-out", {"_token": token}, **OWN)
    assert (out.status, "Max-Age=0" in out.headers["set-cookie"]) == (303, True)
    assert (await inside.get(f"/console/{org.id}")).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
    ids=str,
)
async def test_foreign_forms(headers: dict[str, str], stage: Stage) -> None:
    # A form that another site sends is refused, even with the cookie and the right token.
    place = f"/console/{stage.org.id}/customers/-/create"
    token = read(await stage.owner.get(place)).fields["_token"]
    typed = {"_token": token, "email": "x@example.com", "name": "X"}
    assert (await stage.owner.post(place, typed, **headers)).status == 403
    assert (
        await Browser(stage.owner.client).post("/console/sign-in", typed, **headers)
    ).status == 403


async def test_foreign_tokens(stage: Stage) -> None:
    # A form without the token, or with another session's, does nothing.
    place = f"/console/{stage.org.id}/customers/-/create"
    other = next(each for role, each in stage.browsers.items() if role != "owner")
    foreign = read(await other.get(f"/console/{stage.org.id}")).fields["_token"]
    for token in ("", "00", foreign):
        typed = {"_token": token, "email": "x@example.com", "name": "X"}
        assert (await stage.owner.post(place, typed, **OWN)).status == 403


async def test_foreign_cookies(stage: Stage, anyone: Client) -> None:
    # A cookie that was altered, made up or given twice opens nothing; the API reads none at all.
    good = stage.owner.jar
    for jar in (f"{good[:-4]}AAAA", "bursar=x", "bursar=", f"{good}; {good}", f"x{good}"):
        assert (await Browser(anyone, jar).get(f"/console/{stage.org.id}")).status == 303
    answer = await anyone.get("/v1/customers", cookie=good, x_org_id=stage.org.id)
    assert answer.status == 401


def test_clocks_of_a_pass(world: World) -> None:
    # Half an hour without a click ends it, and half a day in all; a click starts it again.
    given = Pass(
        UserId(print_id("usr", new_uuid())), SessionId(print_id("ses", new_uuid())), NOW, NOW
    )
    assert given.is_good(NOW + IDLE - timedelta(seconds=1))
    assert not given.is_good(NOW + IDLE)
    seen = replace(given, seen_at=NOW + LIFE - timedelta(minutes=1))
    assert seen.is_good(NOW + LIFE - timedelta(seconds=1))
    assert not seen.is_good(NOW + LIFE)
    line = cookie(world.app.keys, given, is_secure=True)
    assert "; Secure" in line
    assert read_pass(world.app.keys, line.partition(";")[0], is_secure=True) == given


@pytest.mark.parametrize(
    "text",
    ["https://elsewhere.example", "//elsewhere.example", "/v1", "/consolex", "/console/\\x", ""],
)
def test_own_places(text: str) -> None:
    # Signing in leads on to a page of the console and nowhere else.
    assert own_place(text) == "/console"
    assert own_place("/console/org_1/invoices?q=1") == "/console/org_1/invoices?q=1"


async def test_link_of_a_start(world: World, anyone: Client) -> None:
    # The printed link opens once, by its button alone, and a new start makes the old one void.
    folder = world.app.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    password = world.app.settings.derived("demo-owner").reveal()
    await sign_up(world.system(None), SignUp(DEMO_OWNER, "Alex", password, "Acme Cloud"))
    door, old, link = Browser(anyone), new_link(folder), new_link(folder)
    assert (await door.get(f"/console/open/{old}")).status == 404
    assert (await door.get(f"/console/open/{link}")).status == 200
    assert (await door.post(f"/console/open/{link}", {})).status == 403
    opened = await door.post(f"/console/open/{link}", {}, **OWN)
    assert (opened.status, opened.headers["location"]) == (303, "/console")
    assert (await door.keeping(opened).get("/console")).status == 303
    assert (await door.post(f"/console/open/{link}", {}, **OWN)).status == 404
