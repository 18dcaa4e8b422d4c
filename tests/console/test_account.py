"""One's own account at the console: the password, the second factor, the sessions."""

import base64
import re
from datetime import UTC, datetime

import pytest
from tests.api.client import Client, Response
from tests.console.browser import OWN, Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.world import PASSWORD, World

from bursar.console.account import ACCOUNT, DEEDS
from bursar.console.nouns.shape import Deed
from bursar.domain.frozen import replace
from bursar.runtime import totp
from bursar.runtime.ids import new_uuid

NEW = "Another-horse-8-battery"


async def _somebody(world: World, anyone: Client) -> tuple[Browser, str]:
    """Somebody new, signed in, and their address."""
    org = await world.org()
    token = org.access_token
    email = (await anyone.bearing(token).get("/v1/auth/me")).value["email"]
    return signed_in(world.app, anyone, token, org.id), email


async def pressed(there: Browser, slug: str, **typed: str) -> Response:
    """Open a button's page, fill it in and press."""
    shown = await there.get(f"{ACCOUNT}/{slug}")
    assert shown.status == 200, text_of(shown)
    return await there.post(f"{ACCOUNT}/{slug}", read(shown).fields | typed, **OWN)


def _slugs(shown: Response) -> set[str]:
    """The buttons of the page."""
    found = (each.removeprefix(f"{ACCOUNT}/") for each in read(shown).links)
    return {each for each in found if not each.startswith(("/", "end?", "#"))}


async def test_the_page_tells_who_and_where(world: World, anyone: Client) -> None:
    # It leads from the menu of every page, and shows the sessions, each but one's own with an end.
    ann, email = await _somebody(world, anyone)
    other = await Browser(anyone).sign_in(email, PASSWORD)
    assert other.status == 303
    assert ACCOUNT in read(await ann.see()).links
    shown = await ann.get(ACCOUNT)
    assert (shown.status, email in text_of(shown)) == (200, True)
    ends = [each for each in read(shown).links if each.startswith(f"{ACCOUNT}/end?")]
    sessions = (await ann.get(ACCOUNT)).body.decode().count('data-label="This one"')
    assert sessions == len(ends) + 1
    assert {"password", "second-factor", "verify"} <= _slugs(shown)
    assert "second-factor-off" not in _slugs(shown)


async def test_a_password_is_changed(world: World, anyone: Client) -> None:
    # The old one must be right and the new one good; then every other session ends, this one stays,
    # and no password ever comes back in the page.
    ann, email = await _somebody(world, anyone)
    other = Browser(anyone).keeping(await Browser(anyone).sign_in(email, PASSWORD))
    for current, new, said in ((NEW, NEW, "password is"), (PASSWORD, "short", "at least")):
        refused = await pressed(ann, "password", currentPassword=current, password=new)
        assert 400 <= refused.status < 500
        assert said in text_of(refused), text_of(refused)
        assert read(refused).fields["password"] == ""
        assert current.encode() not in refused.body
    assert (await other.get(ACCOUNT)).status == 200
    done = await pressed(ann, "password", currentPassword=PASSWORD, password=NEW)
    assert done.status == 303
    assert "Your password is changed" in text_of(await ann.get(done.headers["location"]))
    assert (await other.get(ACCOUNT)).headers["location"].startswith("/console/sign-in")
    assert (await Browser(anyone).sign_in(email, PASSWORD)).status == 401
    assert (await Browser(anyone).sign_in(email, NEW)).status == 303


async def test_blanks_belong_to_a_password(world: World, anyone: Client) -> None:
    # What a password begins or ends with is kept: the API and the sign-in page agree about it.
    ann, email = await _somebody(world, anyone)
    spaced = f" {NEW} "
    done = await pressed(ann, "password", currentPassword=PASSWORD, password=spaced)
    assert done.status == 303
    told = await anyone.post("/v1/auth/login", {"email": email, "password": spaced})
    assert told.status == 200
    assert (await Browser(anyone).sign_in(email, spaced)).status == 303
    assert (await Browser(anyone).sign_in(email, NEW)).status == 401


async def test_a_second_factor_comes_and_goes(world: World, anyone: Client) -> None:
    # The password begins it, a code confirms it, recovery codes are shown; the password ends it.
    ann, email = await _somebody(world, anyone)
    assert (await pressed(ann, "second-factor", password=NEW)).status >= 400
    begun = await pressed(ann, "second-factor", password=PASSWORD)
    assert (begun.status, b'src="data:image/svg+xml' in begun.body) == (200, True)
    letters = re.findall(r"<code>([A-Z2-7]+)</code>", begun.body.decode())[0]
    assert "second-factor" in _slugs(await ann.get(ACCOUNT)), "nothing has happened yet"
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    step = totp.step_of(datetime.now(UTC))
    fields = read(begun).fields
    wrong = await ann.post(f"{ACCOUNT}/confirm", fields | {"code": "000000"}, **OWN)
    assert (wrong.status >= 400, "code" in read(wrong).fields) == (True, True)
    right = read(wrong).fields | {"code": totp.code_at(secret, step)}
    kept = await ann.post(f"{ACCOUNT}/confirm", right, **OWN)
    codes = re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}", text_of(kept))
    assert (kept.status, len(codes) > 5) == (200, True)
    assert "second-factor-off" in _slugs(await ann.get(ACCOUNT))
    asked = await Browser(anyone).sign_in(email, PASSWORD)
    assert "code" in read(asked).fields
    assert (await pressed(ann, "second-factor-off", password=NEW)).status >= 400
    assert (await pressed(ann, "second-factor-off", password=PASSWORD)).status == 303
    assert (await Browser(anyone).sign_in(email, PASSWORD)).status == 303


async def test_a_session_is_ended(world: World, anyone: Client) -> None:
    # From elsewhere, by its button; what it is told to be is text, whatever it calls itself.
    ann, email = await _somebody(world, anyone)
    hostile = replace(anyone, headers={"user-agent": "<script>alert(1)</script>"})
    other = Browser(anyone).keeping(await Browser(hostile).sign_in(email, PASSWORD))
    shown = await ann.get(ACCOUNT)
    assert b"<script>alert" not in shown.body
    assert "<script>alert(1)</script>" in text_of(shown)
    places = [each for each in read(shown).links if each.startswith(f"{ACCOUNT}/end?")]
    for place in places:
        form = await ann.get(place)
        assert form.status == 200
        assert (await ann.post(place, read(form).fields, **OWN)).status == 303
    assert (await other.get(ACCOUNT)).status == 303
    assert (await ann.get(ACCOUNT)).status == 200


async def test_sessions_of_others_are_not_there(world: World, anyone: Client, stage: Stage) -> None:
    # Whoever names somebody else's session finds nothing to end.
    ann, _ = await _somebody(world, anyone)
    org = await world.org()
    theirs = (await anyone.bearing(org.access_token).get("/v1/auth/sessions")).value[0]["id"]
    place = f"{ACCOUNT}/end?sessionId={theirs}"
    assert (await ann.get(place)).status == 404
    assert (await ann.post(place, {"_token": ann.token}, **OWN)).status == 404
    still = await anyone.bearing(org.access_token).get("/v1/auth/me")
    assert still.status == 200


async def test_the_letter_comes_again(world: World, anyone: Client) -> None:
    # Whoever has not confirmed their address asks for the letter again.
    ann, _ = await _somebody(world, anyone)
    done = await pressed(ann, "verify")
    assert "on its way" in text_of(await ann.get(done.headers["location"]))


@pytest.mark.parametrize("deed", DEEDS, ids=lambda each: each.slug)
async def test_foreign_forms_do_nothing(deed: Deed, world: World, anyone: Client) -> None:
    # Without the session's own token no button does anything; signed out there is no page.
    ann, _ = await _somebody(world, anyone)
    place = f"{ACCOUNT}/{deed.slug}"
    typed = {"password": PASSWORD, "currentPassword": PASSWORD, "code": "000000"}
    assert (await ann.post(place, typed | {"_token": new_uuid().hex}, **OWN)).status == 403
    crossing = {"sec_fetch_site": "cross-site"}
    assert (await ann.post(place, typed | {"_token": ann.token}, **crossing)).status == 403
    assert (await Browser(anyone).get(place)).status == 303
