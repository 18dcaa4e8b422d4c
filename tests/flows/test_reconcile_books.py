"""Reconciliation: lost answers and events are mended, and what cannot be is named."""

from tests.support.sandbox import control, stripe_client
from tests.support.world import Org, World

from bursar.domain.ids import uuid_of
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.reconciliation import DifferenceKind
from bursar.flows.reconcile_books import reconcile_books
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.payments import payment
from bursar.reads.reconciliation import differences

CENTS = 4_999


async def look(world: World, org: Org) -> dict[DifferenceKind, str]:
    """Read the processor's books, and give what differs."""
    await reconcile_books(world.system(None), world.provider)
    found = await org.caller.look(differences)
    return {each.kind: each.resource_id for each in found}


async def a_paid(org: Org, token: str = "pm_card_visa") -> Payment:
    return await org.pay((await org.invoice(await org.customer(token), CENTS)).id)


async def test_books_that_agree_have_no_difference(world: World) -> None:
    # Payments, refunds and disputes, each once in both books; looking twice changes nothing.
    org = await world.org()
    paid = await a_paid(org)
    await refund_payment(
        org.caller, BeginRefund(payment_id=paid.id, attempt_key="k", amount_minor=700)
    )
    await a_paid(org, "pm_card_createDispute")
    await world.drain()
    assert await look(world, org) == {}
    assert await look(world, org) == {}


async def test_a_payment_that_nobody_told_of_is_settled(world: World) -> None:
    # The answer was lost and no event ever comes: the books are told the same way.
    org = await world.org()
    invoice = await org.invoice(await org.customer(), CENTS)
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/payment_intents", times=1)
    lost = await org.pay(invoice.id)
    world.sandbox.take_deliveries()
    assert await look(world, org) == {}
    assert (await org.caller.look(payment, lost.id)).status is PaymentStatus.SUCCEEDED


async def test_a_dispute_that_nobody_told_of_is_followed(world: World) -> None:
    # Its movement in the books leads to it.
    org = await world.org()
    paid = await a_paid(org, "pm_card_createDispute")
    world.sandbox.take_deliveries()
    assert await look(world, org) == {}
    assert (await org.caller.look(payment, paid.id)).status is PaymentStatus.DISPUTED


async def test_a_refund_made_at_the_processor_is_named(world: World) -> None:
    # Somebody gave money back there: it is a difference, with its cause and its repair.
    org = await world.org()
    paid = await a_paid(org)
    assert paid.provider_reference is not None
    client = stripe_client(world.sandbox, world.wire)
    await client.v1.refunds.create_async({"payment_intent": paid.provider_reference, "amount": 500})
    await world.drain()
    assert await look(world, org) == {DifferenceKind.REFUND_UNKNOWN_HERE: paid.id}
    (found,) = await org.caller.look(differences)
    assert (found.ours_minor, found.theirs_minor) == (0, 500)
    assert found.meaning.repair


async def test_another_amount_is_named(world: World) -> None:
    # Our row says a cent less than the processor took.
    org = await world.org()
    paid = await a_paid(org)
    assert await look(world, org) == {}
    owner = await world.house.as_owner()
    try:
        changed = "UPDATE payments SET amount_minor = amount_minor - 1 WHERE id = $1"
        await owner.execute(changed, uuid_of(paid.id))
    finally:
        await owner.close()
    assert await look(world, org) == {DifferenceKind.PAYMENT_AMOUNT_DIFFERS: paid.id}
