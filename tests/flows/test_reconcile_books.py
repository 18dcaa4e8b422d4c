"""Reconciliation: lost answers and events are mended, and what cannot be is named."""

from collections.abc import AsyncIterator

import pytest
from tests.support.database import Installation, beside
from tests.support.sandbox import control, stripe_client
from tests.support.world import Org, World, open_world

from bursar.domain.ids import uuid_of
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.reconciliation import DifferenceKind
from bursar.domain.refunds import RefundStatus
from bursar.flows.reconcile_books import reconcile_books
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.payments import payment
from bursar.reads.reconciliation import differences
from bursar.reads.refunds import RefundFilters, refunds
from bursar.reads.verify import checks

CENTS = 4_999


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """One of its own: who reads a processor's books reads all that anybody ever did there."""
    async with beside(house) as database, open_world(database) as made:
        yield made


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


async def give_back_there(world: World, paid: Payment, cents: int) -> str:
    """Somebody presses the button on the processor's own page."""
    assert paid.provider_reference is not None
    given = await stripe_client(world.sandbox, world.wire).v1.refunds.create_async(
        {"payment_intent": paid.provider_reference, "amount": cents}
    )
    return given.id


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_refund_made_at_the_processor_is_ours_too(world: World, *, is_told: bool) -> None:
    # Heard of or read in the books, twice or once: one refund, one posting, no difference.
    org = await world.org()
    paid = await a_paid(org)
    reference = await give_back_there(world, paid, 500)
    if not is_told:
        world.sandbox.take_deliveries()
    await look(world, org)
    await world.drain(watch=org)
    assert await look(world, org) == {}
    page = await org.caller.look(refunds, Page(), RefundFilters(payment_id=paid.id))
    (given,) = page.items
    assert (given.status, given.amount.minor) == (RefundStatus.SUCCEEDED, 500)
    assert given.provider_reference == reference
    seen = await org.caller.look(payment, paid.id)
    assert (seen.status, seen.refundable.minor) == (PaymentStatus.PARTIALLY_REFUNDED, CENTS - 500)
    assert [each.name for each in await org.caller.look(checks) if not each.is_good] == []


async def test_a_refund_made_there_comes_back(world: World) -> None:
    # The payer's bank refuses it days later: it is booked back, and may be given back again.
    org = await world.org()
    paid = await a_paid(org, "pm_card_refundFail")
    await give_back_there(world, paid, CENTS)
    await world.drain()
    assert (await org.caller.look(payment, paid.id)).status is PaymentStatus.REFUNDED
    control(world.sandbox, "POST", "clock", advance=11)
    await world.drain()
    seen = await org.caller.look(payment, paid.id)
    assert (seen.status, seen.refundable.minor) == (PaymentStatus.SUCCEEDED, CENTS)


async def test_more_than_is_left_is_named(world: World) -> None:
    # A refund of ours is on its way, and there somebody gave all of it back: a person looks.
    org = await world.org()
    paid = await a_paid(org)
    control(world.sandbox, "POST", "faults", kind="drop_before", path="/v1/refunds", times=1)
    ours = BeginRefund(payment_id=paid.id, attempt_key="k", amount_minor=700)
    assert (await refund_payment(org.caller, ours)).is_open
    await give_back_there(world, paid, CENTS)
    await world.hear_processor()
    assert await look(world, org) == {DifferenceKind.REFUND_UNKNOWN_HERE: paid.id}
    (found,) = await org.caller.look(differences)
    assert (found.ours_minor, found.theirs_minor) == (0, CENTS)
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
