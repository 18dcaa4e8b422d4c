"""Disputes: opened, won, lost, opened again; events in any order, twice, or before we settled."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from tests.support.sandbox import control
from tests.support.world import Org, World

from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.disputes import Dispute
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentStatus
from bursar.domain.refusals import NotRefundable
from bursar.flows.receive_event import receive_event
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.disputes import DisputeFilters, disputes
from bursar.reads.payments import payment
from bursar.reads.verify import checks

CENTS = 5_000


async def verify(world: World, org: Org) -> list[str]:
    found = await world.operator(org.id).look(checks)
    return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def a_paid(org: Org, token: str = "pm_card_visa") -> Payment:
    return await org.pay((await org.invoice(await org.customer(token), CENTS)).id)


async def status(org: Org, paid: Payment) -> PaymentStatus:
    return (await org.caller.look(payment, paid.id)).status


async def only(org: Org, paid: Payment) -> Dispute:
    """The one dispute of a payment."""
    found = await org.caller.look(disputes, Page(), DisputeFilters(payment_id=paid.id))
    (dispute,) = found.items
    return dispute


def act(world: World, paid: Payment, *steps: str) -> None:
    """What the bank does about a payment, step by step."""
    books = world.sandbox.books
    (charge,) = [
        each for each in books.all("charge") if each["payment_intent"] == paid.provider_reference
    ]
    for step in steps:
        if step == "open":
            control(world.sandbox, "POST", "disputes", charge=charge["id"], reason="fraudulent")
            continue
        (dispute,) = [each for each in books.all("dispute") if each["charge"] == charge["id"]]
        path = f"disputes/{dispute['id']}/{'reopen' if step == 'reopen' else 'close'}"
        control(world.sandbox, "POST", path, **({} if step == "reopen" else {"outcome": step}))


async def hear_backwards(world: World) -> None:
    """Everything the processor tells, the newest first, and then once more in order."""
    told = world.sandbox.take_deliveries()
    now = datetime.fromtimestamp(world.sandbox.now_ms / 1000, tz=UTC)
    for delivery in [*reversed(told), *told]:
        signature = delivery.headers["Stripe-Signature"]
        event = world.provider.read_event(delivery.body, signature, now)
        await receive_event(world.system(None), world.provider, event)


async def test_a_dispute_takes_the_money_until_it_is_decided(world: World) -> None:
    # The bank has it, the fee is booked, and nothing of it can be refunded.
    org = await world.org()
    paid = await a_paid(org)
    act(world, paid, "open")
    await world.drain()
    dispute = await only(org, paid)
    assert (dispute.status, dispute.withdrawn.minor) == (DisputeStatus.NEEDS_RESPONSE, CENTS)
    assert dispute.fee.minor == 1_500
    assert await status(org, paid) is PaymentStatus.DISPUTED
    with pytest.raises(NotRefundable):
        await refund_payment(org.caller, BeginRefund(payment_id=paid.id, attempt_key="k"))
    assert await verify(world, org) == []


@pytest.mark.parametrize(
    ("steps", "ends", "withdrawn"),
    [
        (("open", "won"), PaymentStatus.SUCCEEDED, 0),
        (("open", "lost"), PaymentStatus.DISPUTED, CENTS),
        (("open", "won", "reopen", "lost"), PaymentStatus.DISPUTED, CENTS),
        (("open", "lost", "reopen", "won"), PaymentStatus.SUCCEEDED, 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("heard", ["each", "late"])
async def test_a_decision_is_followed(
    world: World, *, steps: Sequence[str], ends: PaymentStatus, withdrawn: int, heard: str
) -> None:
    # Whether each step is heard as it happens, or all of them at the end, twice and reversed.
    org = await world.org()
    paid = await a_paid(org)
    if heard == "late":
        act(world, paid, *steps)
        await hear_backwards(world)
    else:
        for step in steps:
            act(world, paid, step)
            await world.drain()
    await world.drain()
    dispute = await only(org, paid)
    assert (await status(org, paid), dispute.withdrawn.minor) == (ends, withdrawn)
    assert dispute.is_closed
    assert await verify(world, org) == []


async def test_a_dispute_that_is_faster_than_our_own_answer_is_kept(world: World) -> None:
    # The charge's answer was lost; its dispute is heard first, and finds the payment by its mark.
    org = await world.org()
    customer = await org.customer("pm_card_createDispute")
    invoice = await org.invoice(customer, CENTS)
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/payment_intents", times=1)
    lost = await org.pay(invoice.id)
    assert lost.status is PaymentStatus.PENDING
    await world.drain(watch=org)
    await world.drain(watch=org)
    assert await status(org, lost) is PaymentStatus.DISPUTED
    assert (await only(org, lost)).withdrawn.minor == CENTS
    assert await verify(world, org) == []


async def test_an_inquiry_moves_no_money(world: World) -> None:
    # The bank only asks: the payment holds its money, and may be refunded.
    org = await world.org()
    paid = await a_paid(org, "pm_card_createDisputeInquiry")
    await world.drain()
    dispute = await only(org, paid)
    assert (dispute.status, dispute.withdrawn.minor) == (DisputeStatus.WARNING_NEEDS_RESPONSE, 0)
    assert await status(org, paid) is PaymentStatus.SUCCEEDED
