"""`bursar webhook listen` carries the feed to a program, signed, and says where to go on."""

import json

import pytest
from standardwebhooks.webhooks import Webhook
from tests.cli.conftest import Terminal
from tests.support.world import Org, World

from bursar.domain.sending import WebhookAnswer
from bursar.operations.audit import TellCheckpoint, tell_checkpoint

URL = "http://localhost:9999/hook"


async def a_checkpoint(world: World, org: Org) -> None:
    """The head of the organization's log, told now."""
    await world.seal()
    told = await world.operator(org.id).run(tell_checkpoint, TellCheckpoint())
    assert told is not None


async def test_it_forwards_what_happens_and_is_resumed(terminal: Terminal, world: World) -> None:
    # From the event it is given; what is not taken is sent again before anything else.
    org = await world.org()
    first, second = (await org.wallet()).id, (await org.wallet()).id
    await a_checkpoint(world, org)  # which nobody asked for
    listed = await terminal.run("event", "list", "--org", org.id)
    refusals = [WebhookAnswer(500, "", 1)]
    world.postman.sent.clear()
    world.postman.mood = lambda _: refusals.pop() if refusals else WebhookAnswer(200, "", 1)
    try:
        told = await terminal.run(
            *("webhook", "listen", "--org", org.id, "--forward-to", URL),
            *("--after", listed.value[0]["id"], "--seconds", "3"),
        )
    finally:
        world.postman.mood = None
    secret = told.err.split("signed with ")[1].split()[0]
    sent = [request for request in world.postman.sent if request.url == URL]
    for request in sent:
        Webhook(secret).verify(request.body, dict(request.headers))
    assert [json.loads(one.body)["data"]["id"] for one in sent] == [second, second]
    assert first not in told.err
    assert f"go on with --after {sent[-1].headers['webhook-id']}" in told.err


@pytest.mark.parametrize("wrong", [("--event", "invoice.unheard_of"), ("--after", "evt_1")])
async def test_what_is_no_event_is_refused(
    terminal: Terminal, world: World, wrong: tuple[str, str]
) -> None:
    # Before anything is forwarded.
    org = await world.org()
    told = await terminal.run("webhook", "listen", "--org", org.id, "--forward-to", URL, *wrong)
    assert told.code == 6
