"""A forgotten password: from the sign-in page to a letter, and from the letter back in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from tests.api.client import Client, Response
from tests.console.browser import OWN, Browser, read, text_of
from tests.support.world import PASSWORD, World

from bursar.api.asgi import build_api
from bursar.console.site import console_routes
from bursar.domain.frozen import replace
from bursar.domain.mails import MailKind
from bursar.flows.sign_in import SignUp, sign_up
from bursar.runtime.ids import new_uuid
from bursar.runtime.limits import RateLimiter

PAGE: Final = "/console/forgot-password"
SIGN_IN: Final = "/console/sign-in"
OTHER: Final = "Stapled-13-batteries"


async def _somebody(world: World) -> str:
    email = f"{new_uuid().hex}@example.com"
    await sign_up(world.system(None), SignUp(email, "Ann", PASSWORD))
    return email


async def _ask(door: Browser, email: str, **headers: str) -> Response:
    return await door.post(PAGE, {"email": email}, **(headers or OWN))


@pytest.fixture
async def strict(world: World) -> AsyncIterator[Client]:
    """The whole application with the limits of production."""
    settings = replace(world.app.settings, app_env="production")
    limiter = RateLimiter()
    app = replace(world.app, settings=settings, limiter=limiter)
    yield Client(build_api(app, annexes=(console_routes,)))
    await limiter.close()


async def test_the_way_back_in(world: World, anyone: Client) -> None:
    # From link to link: the sign-in page, the form, the letter, another password, and in.
    email, door = await _somebody(world), Browser(anyone)
    assert PAGE in read(await door.get(SIGN_IN)).links
    shown = read(await door.get(PAGE))
    assert (set(shown.fields), SIGN_IN in shown.links) == ({"email"}, True)
    sent = await _ask(door, f" {email.upper()} ")
    assert (sent.status, sent.headers["location"]) == (303, f"{PAGE}?asked=1")
    told = await door.get(sent.headers["location"])
    assert "15 minutes" in text_of(told)
    assert {PAGE, SIGN_IN} <= set(read(told).links)
    await world.drain()
    token = world.mailbox.newest(email, MailKind.RESET_PASSWORD).parameters["token"]
    changed = await door.post(f"/account/reset/{token}", {"password": OTHER})
    assert (changed.status, read(changed).links) == (200, [SIGN_IN])
    assert (await door.sign_in(email, PASSWORD)).status == 401
    assert (await door.sign_in(email, OTHER)).status == 303
    late = await door.post(f"/account/reset/{token}", {"password": OTHER})
    assert (late.status, read(late).links) == (400, [PAGE])


async def test_nobody_learns_who_is_known(world: World, anyone: Client) -> None:
    # Known or not, the answer has the same words and the same headers, and is never a quick one.
    known, door = await _somebody(world), Browser(anyone)
    told, clock = [], asyncio.get_running_loop()
    for email in (known, f"x{known}"):
        began = clock.time()
        answer = await _ask(door, email)
        assert clock.time() - began >= 0.1
        told.append((answer.status, answer.body, _of_any_request(answer.headers)))
    assert told[0] == told[1]


def _of_any_request(headers: dict[str, str]) -> dict[str, str]:
    """Without a request's own name, and without what counts down from one to the next."""
    own = ("ratelimit", "request-id")
    return {n: text for n, text in headers.items() if not any(each in n for each in own)}


@pytest.mark.parametrize("email", ["", "ann", "ann@example", "<b>@example.com", "a" * 255])
async def test_what_is_no_address(email: str, anyone: Client) -> None:
    # It is said at the field, which keeps what was typed; nothing typed becomes markup.
    answer = await _ask(Browser(anyone), email)
    assert (answer.status, read(answer).fields) == (400, {"email": email})
    assert "no e-mail address" in text_of(answer)
    assert {"aria-invalid", "aria-describedby"} <= read(answer).attributes
    assert "b" not in read(answer).tags


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "cross-site"}, {"origin": "null"}], ids=str)
async def test_foreign_forms(headers: dict[str, str], world: World, anyone: Client) -> None:
    # Another site cannot have letters sent from its visitors' browsers.
    email = await _somebody(world)
    assert (await _ask(Browser(anyone), email, **headers)).status == 403
    await world.drain()
    with pytest.raises(LookupError):
        world.mailbox.newest(email, MailKind.RESET_PASSWORD)


async def test_one_allowance(strict: Client) -> None:
    # Five an hour from an address, by this door and by the API's together; elsewhere is fresh.
    door, email = Browser(strict), "nobody@example.com"
    said = [(await _ask(door, email)).status for _ in range(3)]
    body = {"email": email}
    said += [(await strict.post("/v1/auth/forgot-password", body)).status for _ in range(2)]
    assert said == [303, 303, 303, 202, 202]
    over = await _ask(door, email)
    assert (over.status, 0 < int(over.headers["retry-after"]) <= 7_200) == (429, True)
    assert (await strict.post("/v1/auth/forgot-password", body)).status == 429
    elsewhere = replace(strict, address="203.0.113.9")
    assert (await _ask(Browser(elsewhere), email)).status == 303
    assert (await door.get(PAGE)).status == 200, "whoever looks is not counted"
