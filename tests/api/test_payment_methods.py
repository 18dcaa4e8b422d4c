"""Payment methods over HTTP: attached, listed, chosen, detached; charged by our id or by theirs."""

from tests.api.client import Client, Response
from tests.support.sandbox import browse, control, stripe_client
from tests.support.world import Org, World

from bursar.domain.customers import Customer
from bursar.domain.ids import uuid_of
from bursar.runtime.ids import new_uuid
from bursar_sandbox.core.outbox import Delivery

PATH = "/v1/payment-methods"


async def stored(
    owner: Client, customer: Customer, token: str, **terms: object
) -> dict[str, object]:
    body = {"customerId": customer.id, "providerToken": token, **terms}
    made = await owner.post(PATH, body)
    assert made.status == 201, made.body
    assert made.headers["location"] == f"{PATH}/{made.value['id']}"
    found: dict[str, object] = made.value
    return found


async def default_of(owner: Client, customer: Customer) -> object:
    return (await owner.get(f"/v1/customers/{customer.id}")).value["defaultPaymentMethodId"]


async def test_what_a_receipt_may_show_is_kept(owner: Client, org: Org) -> None:
    # Brand, last four digits and expiry, as the provider has them; and it is found again.
    customer = await org.customer(None)
    kept = await stored(owner, customer, "pm_card_mastercard")
    shown = {name: kept[name] for name in ("type", "brand", "last4", "expMonth", "expYear")}
    assert shown == {
        "type": "card",
        "brand": "mastercard",
        "last4": "4444",
        "expMonth": 12,
        "expYear": 2034,
    }
    assert (await owner.get(f"{PATH}/{kept['id']}")).value == kept
    assert (await owner.get(f"{PATH}?customerId={customer.id}")).value == [kept]
    assert await default_of(owner, customer) == kept["id"]


async def test_the_default_is_chosen(owner: Client, org: Org, world: World) -> None:
    # A second method waits if asked to; chosen, it is charged, and the provider has it so.
    customer = await org.customer(None)
    first = await stored(owner, customer, "pm_card_visa", default=False)
    second = await stored(owner, customer, "pm_card_mastercard", default=False)
    assert await default_of(owner, customer) == first["id"]
    chosen = await owner.post(f"{PATH}/{second['id']}/set-default")
    assert (chosen.status, chosen.value["id"]) == (200, second["id"])
    assert await default_of(owner, customer) == second["id"]
    await world.drain()
    there = stripe_client(world.sandbox).v1.customers.retrieve(str(customer.provider_reference))
    settings = there.invoice_settings
    assert settings is not None
    assert settings.default_payment_method == second["stripePaymentMethodId"]


async def test_a_named_method_is_charged(owner: Client, org: Org) -> None:
    # By our id; another customer's, or one that is gone, is refused by the field's name.
    customer, other = await org.customer(), await org.customer()
    spare = await stored(owner, customer, "pm_card_mastercard", default=False)
    foreign = await default_of(owner, other)
    invoice = await org.invoice(customer)
    path = f"/v1/invoices/{invoice.id}/pay"
    refused = await owner.post(path, {"mode": "charge", "paymentMethodId": foreign})
    assert (refused.status, refused.error["details"][0]["field"]) == (400, "paymentMethodId")
    paid = await owner.post(path, {"mode": "charge", "paymentMethodId": spare["id"]})
    assert (paid.status, paid.value["payment"]["status"]) == (200, "succeeded"), paid.body
    assert (await owner.ask("DELETE", f"{PATH}/{spare['id']}")).status == 204
    another = f"/v1/invoices/{(await org.invoice(customer)).id}/pay"
    gone = await owner.post(another, {"mode": "charge", "paymentMethodId": spare["id"]})
    assert gone.status == 400


async def test_a_detached_method_is_charged_no_more(owner: Client, org: Org, world: World) -> None:
    # At once here, soon there; the list hides it, its facts stay.
    customer = await org.customer()
    kept = str(await default_of(owner, customer))
    for _ in range(2):
        assert (await owner.ask("DELETE", f"{PATH}/{kept}")).status == 204
    assert await default_of(owner, customer) is None
    invoice = await org.invoice(customer)
    refused = await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert (await owner.post(f"{PATH}/{kept}/set-default")).status == 409
    assert (await owner.get(f"{PATH}?customerId={customer.id}")).value == []
    hidden = await owner.get(f"{PATH}?customerId={customer.id}&includeDetached=true")
    (seen,) = hidden.value
    assert seen["detachedAt"] is not None
    await world.drain()
    reference = seen["stripePaymentMethodId"]
    assert stripe_client(world.sandbox).v1.payment_methods.retrieve(reference).customer is None


async def test_another_method_ends_dunning_at_once(owner: Client, org: Org, world: World) -> None:
    # A declined invoice is paid by the card that comes, without waiting for the schedule.
    customer = await org.customer("pm_sandbox_later_insufficient_funds")
    invoice = await org.invoice(customer)
    declined = await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert declined.status == 402
    await stored(owner, customer, "pm_card_visa")
    await world.drain()
    assert (await owner.get(f"/v1/invoices/{invoice.id}")).value["status"] == "paid"
    assert (await owner.get(f"/v1/dunning/{invoice.id}")).value["resolvedAt"] is not None


ASKING = "pm_card_authenticationRequiredOnSetup"


async def asked(owner: Client, customer: Customer, token: str, key: str) -> Response:
    body = {"customerId": customer.id, "providerToken": token}
    return await owner.post(f"{PATH}/set-up", body, **{"Idempotency-Key": key})


async def test_a_card_is_proven_with_its_holder(owner: Client, org: Org, world: World) -> None:
    # 202 until 3-D Secure is done, however often it is asked; then it is kept once, and charged
    # without its holder, which the same card is not that was only attached.
    customer, other = await org.customer(None), await org.customer(ASKING)
    waits = [await asked(owner, customer, ASKING, "k") for _ in range(2)]
    assert [each.status for each in waits] == [202, 202], waits[0].body
    (url,) = {str(each.value["nextActionUrl"]) for each in waits}
    assert waits[0].value["status"] == "requires_action"
    assert await default_of(owner, customer) is None
    browse(world.sandbox, "POST", url, outcome="complete")
    kept = [await asked(owner, customer, ASKING, key) for key in ("k", "k", "another")]
    assert [each.status for each in kept] == [201, 201, 201], kept[0].body
    (method_id,) = {each.value["paymentMethod"]["id"] for each in kept}
    assert kept[0].headers["location"] == f"{PATH}/{method_id}"
    assert await default_of(owner, customer) == method_id
    for whose, status in ((customer, 200), (other, 402)):
        invoice = await org.invoice(whose)
        paid = await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
        assert paid.status == status, paid.body


async def test_a_holder_who_fails_keeps_nothing(owner: Client, org: Org, world: World) -> None:
    # What could not be proven is refused with the provider's code, and nothing is charged by it.
    customer = await org.customer(None)
    wait = await asked(owner, customer, "pm_card_authenticationRequired", "k")
    browse(world.sandbox, "POST", str(wait.value["nextActionUrl"]), outcome="fail")
    refused = await asked(owner, customer, "pm_card_authenticationRequired", "k")
    assert (refused.status, refused.error["code"]) == (402, "PAYMENT_DECLINED"), refused.body
    assert await default_of(owner, customer) is None
    declined = await asked(owner, customer, "pm_card_visa_chargeDeclined", "other")
    assert declined.status == 402


async def heard(owner: Client, world: World) -> list[Delivery]:
    """What the processor told, delivered twice, the last first, and acted on."""
    told = world.sandbox.take_deliveries()
    for delivery in [*told, *reversed(told)]:
        signed = {"stripe_signature": delivery.headers["Stripe-Signature"]}
        assert (await owner.post("/webhooks/sandbox", delivery.body, **signed)).status == 200
    await world.drain()
    return told


async def listed(owner: Client, customer: Customer) -> list[dict[str, object]]:
    path = f"{PATH}?customerId={customer.id}&includeDetached=true"
    found: list[dict[str, object]] = (await owner.get(path)).value
    return found


async def test_a_holder_who_never_comes_back_has_the_card(
    owner: Client, org: Org, world: World
) -> None:
    # The provider's event keeps what they proved, once; the request finds it, if it comes at all.
    customer = await org.customer("pm_card_mastercard")
    wait = await asked(owner, customer, ASKING, "k")
    browse(world.sandbox, "POST", str(wait.value["nextActionUrl"]), outcome="complete")
    assert await heard(owner, world)
    (kept, before) = await listed(owner, customer)
    assert await default_of(owner, customer) == kept["id"] != before["id"]
    late = await asked(owner, customer, ASKING, "k")
    assert (late.status, late.value["paymentMethod"]["id"]) == (201, kept["id"])
    assert len(await listed(owner, customer)) == 2
    invoice = await org.invoice(customer)
    paid = await owner.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert paid.status == 200, paid.body


async def test_a_card_whose_event_never_comes_is_found(
    owner: Client, org: Org, world: World
) -> None:
    # Nobody asks again, and nothing is told: the watch looks until its holder has acted, and then
    # no more; what it finds is charged by default, and once is enough.
    customer = await org.customer("pm_card_mastercard")
    wait = await asked(owner, customer, ASKING, "k")
    for _ in range(2):
        await world.make_due(org)
        await world.drain()
    assert len(await listed(owner, customer)) == await watched(world, customer) == 1
    browse(world.sandbox, "POST", str(wait.value["nextActionUrl"]), outcome="complete")
    assert world.sandbox.take_deliveries()
    await world.make_due(org)
    await world.drain()
    (kept, before) = await listed(owner, customer)
    assert await default_of(owner, customer) == kept["id"] != before["id"]
    assert await watched(world, customer) == 0
    assert (await owner.ask("DELETE", f"{PATH}/{kept['id']}")).status == 204
    assert (await asked(owner, customer, "pm_card_visa", "another")).status == 201
    await world.make_due(org)
    await world.drain()
    now = await listed(owner, customer)
    assert [each["detachedAt"] is None for each in now] == [True, False, True]
    assert await default_of(owner, customer) == now[0]["id"]


async def test_books_that_cannot_be_read_are_asked_again(
    owner: Client, org: Org, world: World
) -> None:
    # An outage forgets no setup.
    customer = await org.customer(None)
    assert (await asked(owner, customer, ASKING, "k")).status == 202
    fault = {"kind": "error_before", "value": 500, "path": "/v1/setup_intents", "times": 1}
    control(world.sandbox, "POST", "faults", **fault)
    await world.make_due(org)
    await world.drain()
    assert await watched(world, customer) == 1


async def watched(world: World, customer: Customer) -> int:
    query = "SELECT count(*) FROM agenda WHERE kind = 'watch_setup' AND subject_id = $1"
    connection = await world.house.as_owner()
    try:
        return int(await connection.fetchval(query, uuid_of(customer.id)))
    finally:
        await connection.close()


async def test_what_is_heard_of_a_card_late_changes_nothing(
    owner: Client, org: Org, world: World
) -> None:
    # Neither one that was detached comes back, nor is one charged again that was replaced.
    customer, chooser = await org.customer(None), await org.customer(None)
    world.sandbox.take_deliveries()
    for whose in (customer, chooser):
        assert (await asked(owner, whose, "pm_card_visa", whose.id)).status == 201
    told = world.sandbox.take_deliveries()
    (gone,) = await listed(owner, customer)
    assert (await owner.ask("DELETE", f"{PATH}/{gone['id']}")).status == 204
    now = await stored(owner, chooser, "pm_card_mastercard")
    for delivery in told:
        signed = {"stripe_signature": delivery.headers["Stripe-Signature"]}
        assert (await owner.post("/webhooks/sandbox", delivery.body, **signed)).status == 200
    await world.drain()
    assert [each["detachedAt"] is None for each in await listed(owner, customer)] == [False]
    assert await default_of(owner, customer) is None
    assert await default_of(owner, chooser) == now["id"]


async def test_what_a_holder_failed_to_prove_is_heard_and_not_kept(
    owner: Client, org: Org, world: World
) -> None:
    # The provider says so, or that the setup was given up: nothing is charged by it.
    customer = await org.customer(None)
    failed = await asked(owner, customer, "pm_card_authenticationRequired", "failed")
    browse(world.sandbox, "POST", str(failed.value["nextActionUrl"]), outcome="fail")
    await asked(owner, customer, ASKING, "canceled")
    intents = stripe_client(world.sandbox).v1.setup_intents
    found = intents.list({"customer": str(customer.provider_reference)})
    for each in found.data:
        if each.status == "requires_action":
            intents.cancel(each.id)
    told = [each.body for each in await heard(owner, world)]
    assert any(b"setup_intent.setup_failed" in each for each in told)
    assert any(b"setup_intent.canceled" in each for each in told)
    assert await listed(owner, customer) == []


async def test_a_card_proven_for_nobody_is_not_kept(owner: Client, org: Org, world: World) -> None:
    # Another customer's reference, an organization that is not: acknowledged, and nothing kept.
    customer, other = await org.customer(None), await org.customer()
    v1 = stripe_client(world.sandbox).v1
    for marks in (
        {"org_id": org.id, "customer_id": customer.id},
        {"org_id": f"org_{new_uuid()}", "customer_id": customer.id},
        {"org_id": org.id, "customer_id": f"cust_{new_uuid()}"},
    ):
        v1.setup_intents.create(
            {
                "customer": str(other.provider_reference),
                "payment_method": "pm_card_visa",
                "confirm": True,
                "return_url": "https://pay.example/",
                "metadata": marks,
            }
        )
    assert await heard(owner, world)
    assert await listed(owner, customer) == []
    assert len(await listed(owner, other)) == 1


async def test_a_holder_comes_back_to_us(owner: Client, org: Org) -> None:
    # A return address that leads elsewhere is refused by its name.
    customer = await org.customer(None)
    body = {"customerId": customer.id, "providerToken": ASKING, "returnUrl": "https://evil.test/"}
    refused = await owner.post(f"{PATH}/set-up", body)
    assert (refused.status, refused.error["details"][0]["field"]) == (400, "returnUrl")
