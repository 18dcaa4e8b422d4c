"""Events and their deliveries: signed, and misdelivered on request."""

from typing import Any

import msgspec
import pytest
import stripe
from tests.sandbox.worlds import SECRET, START_S, World
from tests.support.sandbox import control

ALL = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


async def test_a_delivery_is_signed_as_stripe_signs() -> None:
    # The official library accepts our signature, and refuses a changed body or another secret.
    world = World()
    await world.pay()
    delivery = world.deliveries()[0]
    header = delivery.headers["Stripe-Signature"]
    assert header.startswith(f"t={START_S},v1=")
    assert world.verified(delivery).type == "payment_intent.created"
    untyped: Any = stripe.Webhook
    for body, secret in ((delivery.body + b" ", SECRET), (delivery.body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            untyped.construct_event(body, header, secret, tolerance=1 << 40)


async def test_an_event_says_which_request_caused_it() -> None:
    # The event carries the request's id, its key, and the object as it was at that moment.
    world = World()
    intent = await world.v1.payment_intents.create_async(
        {"amount": 500, "currency": "usd"}, {"idempotency_key": "k1"}
    )
    await world.v1.payment_intents.cancel_async(intent.id)
    created, canceled = (world.verified(delivery) for delivery in world.deliveries())
    assert intent.last_response is not None
    assert created.request is not None
    assert created.request.id == intent.last_response.headers["Request-Id"]
    assert created.request.idempotency_key == "k1"
    assert created.data.object["status"] == "requires_payment_method"
    assert canceled.data.object["status"] == "canceled"
    told = msgspec.json.decode(str(created.data.object))
    assert not [name for name in told if name.startswith("_")]


async def test_events_are_listed_whatever_became_of_the_delivery() -> None:
    # A lost webhook is still an event that can be asked for, by type and by time.
    world = World()
    control(world.sandbox, "POST", "webhooks", kind="lost")
    await world.pay()
    assert world.events() == []
    listed = await world.v1.events.list_async({"types": ["charge.succeeded", "charge.failed"]})
    assert [event.type for event in listed.data] == ["charge.succeeded"]
    everything = await world.v1.events.list_async({"created": {"gte": START_S}})
    assert [event.type for event in everything.data] == ALL[::-1]
    control(world.sandbox, "DELETE", "webhooks")
    control(world.sandbox, "POST", f"events/{listed.data[0].id}/resend")
    assert world.events() == ["charge.succeeded"]


async def test_moods() -> None:
    # Each mood spoils what it names, and only that, as often as it was told to.
    world = World()
    control(
        world.sandbox, "POST", "webhooks", kind="duplicate", types="charge.*", copies=2, times=1
    )
    await world.pay()
    assert world.events() == [ALL[0], ALL[1], ALL[1], ALL[1], ALL[2]]

    control(world.sandbox, "POST", "webhooks", kind="late", delay_ms=5000, types=ALL[0])
    await world.pay()
    assert world.events() == ALL[1:]
    world.now_ms += 5000
    assert world.events() == [ALL[0]]


async def test_out_of_order() -> None:
    # The same events arrive, in another order, and the order repeats by its seed.
    orders: list[list[str]] = []
    for _ in range(2):
        world = World()
        control(world.sandbox, "POST", "webhooks", kind="out_of_order", delay_ms=1000)
        for _ in range(3):
            await world.pay()
        world.now_ms += 1000
        orders.append(world.events())
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(ALL * 3)
    assert orders[0] != ALL * 3


async def test_a_pause_holds_and_a_resume_lets_go() -> None:
    # While paused nothing is due; nothing is lost either.
    world = World()
    control(world.sandbox, "POST", "webhooks/pause")
    await world.pay()
    assert world.events() == []
    control(world.sandbox, "POST", "webhooks/resume")
    assert world.events() == ALL


async def test_a_failed_delivery_comes_again_until_it_is_taken() -> None:
    # Retries wait longer each time; a delivered one never comes again.
    world = World()
    await world.v1.customers.create_async({})
    waits: list[int] = []
    for wait_ms in (0, 1_000, 5_000, 30_000, 300_000):
        world.now_ms += wait_ms - 1
        assert world.sandbox.due_deliveries() == [] or wait_ms == 0
        world.now_ms += 1
        delivery = world.sandbox.due_deliveries()[0]
        world.sandbox.settle_delivery(delivery.delivery_id, is_delivered=False)
        waits.append(wait_ms)
    world.now_ms += 1_800_000
    assert world.events() == ["customer.created"]
    world.now_ms += 10**9
    assert world.events() == []


async def test_endpoints_can_be_made_by_api() -> None:
    # A second endpoint receives only what it asked for, under its own secret, shown once.
    world = World()
    made = await world.v1.webhook_endpoints.create_async(
        {"url": "https://other.test/hook", "enabled_events": ["charge.succeeded"]}
    )
    assert made.secret is not None
    await world.pay()
    mine = [d for d in world.deliveries() if d.url == "https://other.test/hook"]
    assert [d.event_type for d in mine] == ["charge.succeeded"]
    seen = await world.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in seen.to_dict()
    await world.v1.webhook_endpoints.delete_async(made.id)
    await world.pay()
    assert {d.url for d in world.deliveries()} == {"https://merchant.test/hook"}


async def test_events_are_forgotten_after_thirty_days() -> None:
    # Whoever was away longer must list the objects themselves.
    world = World()
    await world.v1.customers.create_async({})
    world.now_ms += 30 * 86_400_000 + 1000
    await world.v1.customers.create_async({})
    assert len((await world.v1.events.list_async()).data) == 1


def test_moods_are_shown() -> None:
    # The state of the outbox can be read: rules, pause, what waits.
    world = World()
    control(world.sandbox, "POST", "webhooks", kind="late", delay_ms=10)
    shown = msgspec.json.decode(control(world.sandbox, "GET", "webhooks").body)
    assert (shown["is_paused"], shown["pending"], shown["data"][0]["kind"]) == (False, 0, "late")
