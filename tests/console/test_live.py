"""Pages that stay current: who hears of changes, and of what, and that nobody's session goes on."""

from collections.abc import AsyncIterator

import pytest
from tests.api.client import Client
from tests.console.browser import Browser, read, signed_in
from tests.console.conftest import Stage
from tests.support.world import PASSWORD, World

from bursar.api.streaming import follow_feed
from bursar.console import live
from bursar.domain.access import ROLE_PERMISSIONS, Permission, Role
from bursar.domain.ids import EventId
from bursar.flows.sign_in import SignUp, sign_up
from bursar.reads.events import FeedFilters, newest_event
from bursar.runtime.ids import new_uuid


async def test_changes_are_heard_by_name_alone(stage: Stage) -> None:
    # What happened is told with its place in the feed; what it holds is not.
    begin = await stage.org.caller.look(newest_event)
    customer = await stage.org.customer(None)
    told = [each async for each in live._named(_feed(stage, begin))]
    text = b"".join(told).decode()
    assert "event: changed\ndata: customer.created\n\n" in text
    assert "id: evt_" in text
    assert customer.email not in text


async def _feed(stage: Stage, begin: EventId | None) -> AsyncIterator[bytes]:
    async for piece in follow_feed(stage.org.caller, begin, FeedFilters(), 0.2):
        yield piece


@pytest.mark.parametrize("role", Role)
async def test_whoever_may_not_read_events_hears_nothing(role: Role, stage: Stage) -> None:
    # The page says where to listen only to those who may, and the stream refuses the others.
    may = Permission.EVENT_READ in ROLE_PERMISSIONS[role]
    browser = stage.browsers[role]
    assert ("data-live" in read(await browser.see()).attributes) is may
    answer = await browser.see("/live")
    assert answer.status == (200 if may else 403)
    assert answer.headers["content-type"].startswith("text/event-stream" if may else "text/html")


async def test_listening_is_no_click(stage: Stage) -> None:
    # Neither the stream nor a page that asks by itself lets a session live longer.
    place = f"/console/{stage.org.id}"
    assert "set-cookie" not in (await stage.owner.get(f"{place}/live")).headers
    asked = await stage.owner.get(place, x_console_live="1")
    assert (asked.status, "set-cookie" in asked.headers) == (200, False)


async def test_queues_are_live_for_operators(world: World, anyone: Client, stage: Stage) -> None:
    # Whoever runs the installation hears that figures changed; nobody else that there are any.
    who = SignUp(f"{new_uuid().hex}@example.com", "Otto", PASSWORD, is_operator=True)
    signed = await sign_up(world.system(None), who)
    otto = signed_in(world.app, anyone, signed.access_token, "")
    assert "data-live" in read(await otto.get("/admin/queues")).attributes
    heard = await otto.get("/admin/queues/live")
    assert heard.headers["content-type"].startswith("text/event-stream")
    assert (await stage.owner.get("/admin/queues/live")).status == 404
    assert (await Browser(anyone).get("/admin/queues/live")).status == 303
