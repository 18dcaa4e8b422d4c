"""From a commit to an endpoint: fan-out, signatures, order, retries, giving up."""

import json

from standardwebhooks.webhooks import Webhook
from tests.support import lanes
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.sending import SendFailure, WebhookAnswer, WebhookRequest
from bursar.jobs import dispatch
from bursar.operations.webhook_subscriptions import (
    Subscribed,
    SubscribeWebhook,
    UnsubscribeWebhook,
    UpdateWebhook,
    subscribe_webhook,
    unsubscribe_webhook,
    update_webhook,
)
from bursar.runtime.crypto import sign_body


async def _subscribed(org: Org, path: str, *types: str) -> Subscribed:
    command = SubscribeWebhook(f"https://hooks.example.com/{path}", types or ("*",))
    return await org.caller.run(subscribe_webhook, command)


def _sent_to(world: World, subscribed: Subscribed) -> list[WebhookRequest]:
    url = subscribed.subscription.url
    return [request for request in world.postman.sent if request.url == url]


async def test_an_endpoint_hears_what_it_asked_for_in_order(world: World) -> None:
    # Each event once, rising sequence per resource, and nothing of another type.
    org = await world.org()
    hook = await _subscribed(org, "order", "invoice.created", "invoice.finalized", "invoice.paid")
    invoice = await org.invoice(await org.customer())
    await org.pay(invoice.id)
    await world.drain()
    told = [json.loads(request.body) for request in _sent_to(world, hook)]
    assert [each["type"] for each in told] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
    ]
    assert [each["sequence"] for each in told] == [1, 2, 3]
    assert told[2]["data"]["status"] == "paid"
    assert told[2]["previousAttributes"]["status"] == "open"
    assert told[2]["data"]["id"] == invoice.id


async def test_a_delivery_verifies_both_ways(world: World) -> None:
    # The standard's own package accepts it, and so does the plain HMAC of the body.
    org = await world.org()
    hook = await _subscribed(org, "signed", "customer.created")
    await org.customer(token=None)
    await world.drain()
    (request,) = _sent_to(world, hook)
    Webhook(hook.secret).verify(request.body, dict(request.headers))
    assert request.headers["X-Webhook-Signature"] == sign_body(hook.secret, request.body)
    assert request.headers["X-Webhook-Id"].startswith("evt_")


async def test_an_endpoint_may_do_without_the_signature_that_knows_no_time(world: World) -> None:
    # Only that header is missing, and from the next delivery on; the standard one always verifies.
    org = await world.org()
    hook = await _subscribed(org, "timed", "customer.created")
    off = UpdateWebhook(hook.subscription.id, {"has_body_signature": False})
    await org.caller.run(update_webhook, off)
    await org.customer(token=None)
    await world.drain()
    await org.caller.run(update_webhook, replace(off, changes={"has_body_signature": True}))
    await org.customer(token=None)
    await world.drain()
    without, signed = _sent_to(world, hook)
    Webhook(hook.secret).verify(without.body, dict(without.headers))
    assert set(signed.headers) - set(without.headers) == {"X-Webhook-Signature"}
    assert signed.headers["X-Webhook-Signature"] == sign_body(hook.secret, signed.body)


async def test_a_failed_delivery_waits_and_holds_back_its_successor(world: World) -> None:
    # A later event of the same resource waits for the earlier one; the id stays the same.
    org = await world.org()
    hook = await _subscribed(org, "retry", "invoice.created", "invoice.finalized")
    world.postman.mood = lambda request: WebhookAnswer(
        status=None if request.url.endswith("/retry") else 200,
        excerpt="",
        duration_ms=1,
        failure=SendFailure.TIMEOUT if request.url.endswith("/retry") else None,
    )
    try:
        await org.invoice(await org.customer(token=None))
        await world.drain()
        assert len(_sent_to(world, hook)) == 1
    finally:
        world.postman.mood = None
    connection = await world.house.as_owner()
    await lanes.make_due(connection)
    await connection.close()
    await world.drain()
    sent = _sent_to(world, hook)
    types = [json.loads(request.body)["type"] for request in sent]
    assert types == ["invoice.created", "invoice.created", "invoice.finalized"]
    assert sent[0].headers["webhook-id"] == sent[1].headers["webhook-id"]
    assert sent[0].body == sent[1].body


async def test_gone_switches_the_endpoint_off(world: World) -> None:
    # 410 means never again; what waited is given up.
    org = await world.org()
    hook = await _subscribed(org, "gone")
    world.postman.mood = lambda _: WebhookAnswer(status=410, excerpt="", duration_ms=1)
    try:
        await org.customer(token=None)
        await world.drain()
    finally:
        world.postman.mood = None
    count = len(_sent_to(world, hook))
    await org.customer(token=None)
    await world.drain()
    assert len(_sent_to(world, hook)) == count


async def test_nothing_goes_to_a_removed_endpoint(world: World) -> None:
    # Not even what was waiting for it.
    org = await world.org()
    hook = await _subscribed(org, "removed")
    await org.customer(token=None)
    await dispatch.relay_events(world.app)
    await org.caller.run(unsubscribe_webhook, UnsubscribeWebhook(hook.subscription.id))
    await world.drain()
    assert _sent_to(world, hook) == []


async def test_organizations_hear_only_their_own(world: World) -> None:
    # The fan-out joins on the organization.
    mine, theirs = await world.org(), await world.org()
    hook = await _subscribed(mine, "mine")
    await theirs.customer(token=None)
    await world.drain()
    assert _sent_to(world, hook) == []


async def test_an_event_that_commits_late_is_not_skipped(world: World) -> None:
    # The relay stays behind the oldest running transaction, then tells both.
    org = await world.org()
    hook = await _subscribed(org, "late", "customer.created")
    await world.drain()
    slow = await world.house.as_owner()
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT pg_current_xact_id()")
    await org.customer(token=None)
    await dispatch.relay_events(world.app)
    assert _sent_to(world, hook) == []
    await transaction.rollback()
    await slow.close()
    await world.drain()
    assert len(_sent_to(world, hook)) == 1
