"""Where providers report: verified, kept, answered, once."""

import hashlib
import json
import time
from typing import Any

from structlog.testing import capture_logs
from tests.api.client import Client, Response
from tests.support.world import WEBHOOK_SECRET, Org, World

from bursar.domain.ids import uuid_of
from bursar.domain.payments import PaymentMode, PaymentStatus
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.payments import payment as payment_look
from bursar.runtime.ids import new_uuid
from bursar_sandbox.core.outbox import signature

HOOK = "/webhooks/sandbox"


async def reports(world: World, org: Org) -> list[Any]:
    """The processor's reports about one paid checkout."""
    world.sandbox.take_deliveries()
    invoice = await org.invoice(await org.customer(None))
    payment = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert payment.checkout_url is not None
    world.type_card(payment.checkout_url)
    return list(world.sandbox.take_deliveries())


async def deliver(anyone: Client, delivery: Any, **changed: Any) -> Response:
    headers = {"stripe_signature": delivery.headers["Stripe-Signature"]} | changed
    body = headers.pop("body", delivery.body)
    return await anyone.post(HOOK, body, **headers)


async def heard(world: World, org: Org) -> int:
    connection = await world.house.as_owner()
    try:
        query = "SELECT count(*) FROM provider_events WHERE org_id = $1"
        return int(await connection.fetchval(query, uuid_of(org.id)))
    finally:
        await connection.close()


async def test_a_report_is_kept_and_acted_on(anyone: Client, world: World, org: Org) -> None:
    # Each is answered at once, kept once however often it comes, and settles the payment.
    deliveries = await reports(world, org)
    assert deliveries
    for delivery in [*deliveries, *deliveries]:
        answer = await deliver(anyone, delivery)
        assert (answer.status, answer.json) == (200, {"received": True})
    kept = await heard(world, org)
    assert 0 < kept <= len(deliveries)
    await world.drain()
    owner = anyone.bearing(org.access_token, org.id)
    (payment,) = (await owner.get("/v1/payments")).value
    assert payment["status"] == "succeeded"
    (invoice,) = (await owner.get("/v1/invoices")).value
    assert invoice["status"] == "paid"


async def test_reports_that_cannot_be_verified(anyone: Client, world: World, org: Org) -> None:
    # Forged, altered, unsigned or malformed: one 400 without a word of why, and nothing kept but
    # a line in the log, which names the body by its hash.
    delivery = (await reports(world, org))[0]
    signature = delivery.headers["Stripe-Signature"]
    before = await heard(world, org)
    said = set()
    altered = delivery.body + b" "
    with capture_logs() as lines:
        await deliver(anyone, delivery, body=altered)
    (line,) = [each for each in lines if each["event"] == "provider_event.refused"]
    assert line["body_sha256"] == hashlib.sha256(altered).hexdigest()
    for changed in (
        {"body": altered},
        {"body": b"{}"},
        {"body": b"[]"},
        {"body": b"\xff"},
        {"body": b""},
        {"stripe_signature": ""},
        {"stripe_signature": "t=1,v1=00"},
        {"stripe_signature": signature.replace("v1=", "v1=0")},
        {"stripe_signature": signature.replace("t=", "t=1")},
        {"stripe_signature": "é" * 10},
        {"stripe_signature": signature + "," + "v0=" + "a" * 4000},
    ):
        answer = await deliver(anyone, delivery, **changed)
        said.add((answer.status, answer.error["message"]))
    assert said == {(400, "The event cannot be verified.")}
    assert await heard(world, org) == before


async def test_a_provider_that_is_not_there(anyone: Client) -> None:
    # Without a live provider its hook does not exist.
    answer = await anyone.post("/webhooks/stripe", b"{}", stripe_signature="t=1,v1=00")
    assert answer.status == 404
    assert (await anyone.get(HOOK)).status == 405


async def test_events_about_nothing_of_ours(anyone: Client, world: World) -> None:
    # A verified event about no payment of ours is acknowledged and leads to nothing.
    world.sandbox.take_deliveries()
    org = await world.org()
    await org.customer()
    deliveries = list(world.sandbox.take_deliveries())
    for delivery in deliveries:
        assert (await deliver(anyone, delivery)).status == 200
    assert await heard(world, org) == 0


async def test_large_reports(anyone: Client) -> None:
    # A report is no larger than a request.
    assert (await anyone.post(HOOK, b"a" * 1_048_577, stripe_signature="t=1")).status == 413


def sample(kind: str, about: dict[str, Any], at: int) -> bytes:
    """An event as the processor publishes it, about this object."""
    event = {
        "id": f"evt_{new_uuid().hex}",
        "object": "event",
        "type": kind,
        "created": at,
        "livemode": False,
        "api_version": "2026-01-28.clover",
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": about},
    }
    return json.dumps(event).encode()


async def test_published_samples_change_only_what_they_should(anyone: Client, world: World) -> None:
    # Unknown types, another account's objects, shapes nobody knows: acknowledged, nothing moves;
    # six minutes old, or from a minute that has not come: refused.
    org = await world.org()
    paid = await org.pay((await org.invoice(await org.customer())).id)
    await world.drain()
    before = await org.caller.look(payment_look, paid.id)
    at = int(time.time())
    marks = {"org_id": org.id, "payment_id": f"pay_{new_uuid()}"}
    intent = {"id": "pi_x", "object": "payment_intent", "amount": 1, "currency": "usd"}
    marked = {**intent, "status": "succeeded", "metadata": marks}
    theirs = {"org_id": org.id, "customer_id": f"cust_{new_uuid()}"}
    setup = {"id": "seti_x", "object": "setup_intent", "customer": "cus_x", "metadata": theirs}
    setup |= {"payment_method": "pm_x"}
    harmless = [
        sample("product.created", {"id": "prod_1", "object": "product"}, at),
        sample("payment_intent.succeeded", marked, at),
        sample("payment_intent.succeeded", {**intent, "status": "teleported"}, at),
        sample("charge.dispute.created", {"id": "du_1", "payment_intent": "pi_theirs"}, at),
        sample("refund.updated", {"id": "re_1", "amount": "much", "currency": "usd"}, at),
        sample("charge.refunded", {"id": "ch_1", "object": "charge"}, at),
        sample("setup_intent.succeeded", {**setup, "status": "succeeded"}, at),
        sample("setup_intent.setup_failed", {**setup, "status": "requires_payment_method"}, at),
        sample("setup_intent.canceled", {**setup, "status": "canceled", "metadata": {}}, at),
        sample("setup_intent.succeeded", {**setup, "status": "teleported"}, at),
    ]
    for body in harmless:
        good = signature(WEBHOOK_SECRET, body, at)
        assert (await anyone.post(HOOK, body, stripe_signature=good)).status == 200
    for late in (at - 360, at + 360):
        old = signature(WEBHOOK_SECRET, harmless[0], late)
        assert (await anyone.post(HOOK, harmless[0], stripe_signature=old)).status == 400
    foreign = signature("whsec_of_another_account", harmless[1], at)
    assert (await anyone.post(HOOK, harmless[1], stripe_signature=foreign)).status == 400
    await world.drain()
    assert await org.caller.look(payment_look, paid.id) == before


async def test_an_older_event_changes_nothing(anyone: Client, world: World) -> None:
    # Everything that was told of a payment and its refund, once more and backwards.
    org = await world.org()
    world.sandbox.take_deliveries()
    paid = await org.pay((await org.invoice(await org.customer())).id)
    await refund_payment(org.caller, BeginRefund(payment_id=paid.id, attempt_key="k"))
    told = list(world.sandbox.take_deliveries())
    for delivery in [*told, *reversed(told)]:
        assert (await deliver(anyone, delivery)).status == 200
    await world.drain()
    after = await org.caller.look(payment_look, paid.id)
    assert (after.status, after.refunded) == (PaymentStatus.REFUNDED, paid.amount)
