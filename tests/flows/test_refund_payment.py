"""Giving payments back: whole and in parts, lost answers, refusals, races, late failures."""

import asyncio

import pytest
from tests.support.sandbox import control
from tests.support.world import Org, World

from bursar.domain.ids import PaymentId
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.refusals import (
    IdempotencyMismatch,
    InsufficientFunds,
    NotRefundable,
    RefundAboveRest,
)
from bursar.flows.deposit_money import deposit_money
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.refund_payment import refund_payment
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.refunds import BeginRefund
from bursar.operations.wallets import WithdrawMoney, withdraw_money
from bursar.reads.payments import payment
from bursar.reads.refunds import RefundFilters, refund, refunds
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet

CENTS = 4_999


async def verify(world: World, org: Org) -> list[str]:
    """What our own checks find wrong."""
    found = await world.operator(org.id).look(checks)
    return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def a_paid(org: Org, token: str = "pm_card_visa") -> Payment:
    """A payment that succeeded."""
    paid = await org.pay((await org.invoice(await org.customer(token), CENTS)).id)
    assert paid.status is PaymentStatus.SUCCEEDED
    return paid


async def give_back(org: Org, of: PaymentId, cents: int | None = None, key: str = "k") -> Refund:
    """Refund as a request with this key would."""
    return await refund_payment(
        org.caller, BeginRefund(payment_id=of, attempt_key=key, amount_minor=cents)
    )


async def now(org: Org, paid: Payment) -> tuple[PaymentStatus, int, int]:
    """The payment's state, what was given back of it and what is reserved."""
    seen = await org.caller.look(payment, paid.id)
    return seen.status, seen.refunded.minor, seen.refunding.minor


def given_back(world: World, paid: Payment) -> list[int]:
    """What the processor gave back of a payment, refund by refund."""
    return [
        made["amount"]
        for made in world.sandbox.books.all("refund")
        if made["payment_intent"] == paid.provider_reference and made["status"] != "failed"
    ]


async def test_a_payment_is_given_back_in_parts_and_whole(world: World) -> None:
    # Each part is its own record; the rest is what is left, and then nothing is.
    org = await world.org()
    paid = await a_paid(org)
    part = await give_back(org, paid.id, 1_000, "first")
    assert (part.status, part.amount.minor) == (RefundStatus.SUCCEEDED, 1_000)
    assert await now(org, paid) == (PaymentStatus.PARTIALLY_REFUNDED, 1_000, 0)
    with pytest.raises(RefundAboveRest) as refused:
        await give_back(org, paid.id, CENTS - 999, "second")
    assert refused.value.facts["refundableCents"] == CENTS - 1_000
    rest = await give_back(org, paid.id, key="third")
    assert rest.amount.minor == CENTS - 1_000
    assert await now(org, paid) == (PaymentStatus.REFUNDED, CENTS, 0)
    with pytest.raises(NotRefundable):
        await give_back(org, paid.id, key="fourth")
    await world.drain()
    assert given_back(world, paid) == [1_000, CENTS - 1_000]
    assert await verify(world, org) == []


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "error_after", "error_before"])
async def test_the_watchdog_finds_a_lost_refund(fault: str, world: World) -> None:
    # Whether the processor acted or not, the same key finds it out, and money goes back once.
    org = await world.org()
    paid = await a_paid(org)
    control(world.sandbox, "POST", "faults", kind=fault, path="/v1/refunds", times=1)
    lost = await give_back(org, paid.id, 700)
    assert lost.status is RefundStatus.PENDING
    assert await now(org, paid) == (PaymentStatus.SUCCEEDED, 0, 700)
    world.sandbox.take_deliveries()  # and no event ever comes
    await world.drain(watch=org)
    assert await now(org, paid) == (PaymentStatus.PARTIALLY_REFUNDED, 700, 0)
    assert given_back(world, paid) == [700]
    assert await verify(world, org) == []


async def test_only_its_own_request_rejoins_a_refund(world: World) -> None:
    # The same request sent again goes on with its refund; with another amount it is another one.
    org = await world.org()
    paid = await a_paid(org)
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/refunds", times=1)
    lost = await give_back(org, paid.id, 700, "mine")
    again = await give_back(org, paid.id, 700, "mine")
    assert (again.id, again.status) == (lost.id, RefundStatus.SUCCEEDED)
    with pytest.raises(IdempotencyMismatch):
        await give_back(org, paid.id, 701, "mine")
    assert given_back(world, paid) == [700]


async def test_refunds_that_race_never_exceed_the_payment(world: World) -> None:
    # Eight at once of a third each: three begin, and no more than the payment goes back.
    org = await world.org()
    paid = await a_paid(org)
    each = CENTS // 3
    tries = [give_back(org, paid.id, each, f"racer {number}") for number in range(8)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Refund) for one in ended) == 3
    assert all(isinstance(one, Refund | RefundAboveRest) for one in ended)
    await world.drain(watch=org)
    assert given_back(world, paid) == [each] * 3
    assert await verify(world, org) == []


async def test_a_refund_on_its_way_is_told_when_it_arrives(world: World) -> None:
    # The processor took it on: the money has left what it holds for us, and later it arrives.
    org = await world.org()
    paid = await a_paid(org, "pm_card_pendingRefund")
    sent = await give_back(org, paid.id)
    assert sent.status is RefundStatus.PROCESSING
    assert await now(org, paid) == (PaymentStatus.REFUNDED, CENTS, 0)
    assert await verify(world, org) == []
    control(world.sandbox, "POST", "clock", advance=11)
    await world.drain()
    assert (await org.caller.look(refund, sent.id)).status is RefundStatus.SUCCEEDED


async def test_a_refund_that_comes_back_may_be_tried_again(world: World) -> None:
    # The bank sends it back: the payment holds the money again, and the books say so.
    org = await world.org()
    paid = await a_paid(org, "pm_card_refundFail")
    sent = await give_back(org, paid.id, key="first")
    assert sent.status is RefundStatus.SUCCEEDED
    control(world.sandbox, "POST", "clock", advance=11)
    await world.drain()
    came_back = await org.caller.look(refund, sent.id)
    assert (came_back.status, came_back.failure_code) == (
        RefundStatus.FAILED,
        "expired_or_canceled_card",
    )
    assert await now(org, paid) == (PaymentStatus.SUCCEEDED, 0, 0)
    assert await verify(world, org) == []
    assert (await give_back(org, paid.id, key="second")).status is RefundStatus.SUCCEEDED


async def test_a_refusal_frees_what_was_reserved(world: World) -> None:
    # The processor knows of a dispute that we have not heard of yet: nothing goes back.
    org = await world.org()
    paid = await a_paid(org, "pm_card_createDispute")
    refused = await give_back(org, paid.id)
    assert (refused.status, refused.failure_code) == (RefundStatus.FAILED, "charge_disputed")
    assert (await now(org, paid))[1:] == (0, 0)
    assert given_back(world, paid) == []


async def test_stored_money_that_paid_is_stored_again(world: World) -> None:
    # No processor is asked: the refund is done as it begins.
    org = await world.org()
    customer = await org.customer()
    stored = await org.wallet(10_000, customer)
    invoice = await org.invoice(customer, CENTS)
    paid = await pay_invoice(org.caller, org.begin(invoice.id, PaymentMode.WALLET))
    done = await give_back(org, paid.id, 999)
    assert done.status is RefundStatus.SUCCEEDED
    assert (await org.caller.look(wallet, stored.id)).balance.minor == 10_000 - CENTS + 999
    assert await now(org, paid) == (PaymentStatus.PARTIALLY_REFUNDED, 999, 0)
    assert await verify(world, org) == []


async def test_a_deposit_is_given_back_while_it_is_there(world: World) -> None:
    # What was spent cannot go back; what is there is taken when the refund begins.
    org = await world.org()
    stored = await org.wallet(0, await org.customer())
    command = org.filling(stored.id, 5_000, PaymentMode.CHARGE)
    deposit = await deposit_money(org.caller, command)
    assert deposit.payment is not None
    await org.caller.run(withdraw_money, WithdrawMoney(wallet_id=stored.id, amount_minor=2_000))
    with pytest.raises(InsufficientFunds):
        await give_back(org, deposit.payment.id, key="all")
    done = await give_back(org, deposit.payment.id, 3_000, "rest")
    assert done.status is RefundStatus.SUCCEEDED
    assert (await org.caller.look(wallet, stored.id)).balance.is_zero
    assert await verify(world, org) == []


async def test_credited_money_goes_back_from_the_credit(world: World) -> None:
    # Money for a void invoice became credit; refunding it takes the credit first.
    org = await world.org()
    invoice = await org.invoice(await org.customer(), CENTS)
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/payment_intents", times=1)
    late = await org.pay(invoice.id)
    await org.caller.run(void_invoice, VoidInvoice(invoice.id))
    await world.drain(watch=org)
    assert (await give_back(org, late.id)).status is RefundStatus.SUCCEEDED
    assert await verify(world, org) == []
    found = await org.caller.look(refunds, Page(), RefundFilters(payment_id=late.id))
    assert [each.amount.minor for each in found.items] == [CENTS]
