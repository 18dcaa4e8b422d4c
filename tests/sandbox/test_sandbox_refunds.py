"""Refunds, disputes and the merchant's balance."""

from typing import Any

import msgspec
import pytest
import stripe
from tests.sandbox.worlds import World
from tests.support.sandbox import control


async def _left(world: World, charge_id: str) -> int:
    charge = await world.v1.charges.retrieve_async(charge_id)
    return charge.amount - charge.amount_refunded


async def test_refunds_never_exceed_the_charge() -> None:
    # Partial refunds add up to the charge and not one unit more.
    world = World()
    intent = await world.pay(amount=1000)
    refunds = world.v1.refunds
    part = await refunds.create_async({"payment_intent": intent.id, "amount": 400})
    assert (part.status, part.amount, part.charge) == ("succeeded", 400, intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await refunds.create_async({"payment_intent": intent.id, "amount": 601})
    rest = await refunds.create_async({"charge": str(intent.latest_charge)})
    assert rest.amount == 600
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await refunds.create_async({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"
    assert world.events()[-2:] == ["refund.created", "charge.refunded"]
    charge = await world.v1.charges.retrieve_async(
        str(intent.latest_charge), {"expand": ["refunds"]}
    )
    assert charge.refunded
    assert charge.refunds is not None
    assert [refund.amount for refund in charge.refunds.data] == [600, 400]


async def test_only_money_that_came_can_go_back() -> None:
    # An open intent has nothing to refund.
    world = World()
    intent = await world.v1.payment_intents.create_async({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        await world.v1.refunds.create_async({"payment_intent": intent.id})
    bad: list[Any] = [{}, {"charge": "ch_none"}]
    for fields in bad:
        with pytest.raises(stripe.InvalidRequestError):
            await world.v1.refunds.create_async(fields)


@pytest.mark.parametrize(
    ("token", "first", "last", "left"),
    [
        ("pm_card_refundFail", "succeeded", "failed", 1999),
        ("pm_card_pendingRefund", "pending", "succeeded", 0),
    ],
)
async def test_a_refund_can_end_otherwise_than_it_began(
    token: str, first: str, last: str, left: int
) -> None:
    # Some cards take a refund back, or take their time; the charge follows the refund's end.
    world = World()
    intent = await world.pay(token)
    refund = await world.v1.refunds.create_async({"payment_intent": intent.id})
    world.advance(10)
    later = await world.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, later.status) == (first, last)
    assert await _left(world, str(intent.latest_charge)) == left
    assert ("refund.failed" in world.events()) == (last == "failed")


async def test_a_dispute_takes_the_money_and_winning_gives_it_back() -> None:
    # The balance falls by the amount and the fee, and rises by the amount when the merchant wins.
    world = World()
    intent = await world.pay("pm_card_createDispute", amount=1000)
    dispute = (await world.v1.disputes.list_async({"payment_intent": intent.id})).data[0]
    assert (dispute.status, dispute.amount, dispute.reason) == (
        "needs_response",
        1000,
        "fraudulent",
    )
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        await world.v1.refunds.create_async({"payment_intent": intent.id})

    control(world.sandbox, "POST", f"disputes/{dispute.id}/close", outcome="won")

    moved = (await world.v1.balance_transactions.list_async({"source": dispute.id})).data
    assert [row.net for row in moved] == [1000, -2500]
    assert world.events()[-4:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


async def test_a_dispute_can_be_lost_reopened_and_come_after_a_refund() -> None:
    # Any succeeded charge may be disputed later, for what is left of it; a closed one may reopen.
    world = World()
    intent = await world.pay(amount=1000)
    await world.v1.refunds.create_async({"payment_intent": intent.id, "amount": 300})
    made = control(world.sandbox, "POST", "disputes", charge=intent.latest_charge)
    dispute = msgspec.json.decode(made.body)
    assert dispute["amount"] == 700
    path = f"disputes/{dispute['id']}"
    control(world.sandbox, "POST", f"{path}/close", outcome="lost")
    assert control(world.sandbox, "POST", f"{path}/close", outcome="won").status == 400
    control(world.sandbox, "POST", f"{path}/reopen")
    again = await world.v1.disputes.retrieve_async(dispute["id"])
    assert again.status == "needs_response"
    won = await world.v1.disputes.update_async(
        again.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    assert won.status == "won"


async def test_an_inquiry_moves_no_money() -> None:
    # A warning asks, and its end leaves the balance alone.
    world = World()
    await world.pay("pm_card_createDisputeInquiry")
    dispute = (await world.v1.disputes.list_async()).data[0]
    assert dispute.status == "warning_needs_response"
    closed = await world.v1.disputes.close_async(dispute.id)
    assert closed.status == "warning_closed"
    assert len((await world.v1.balance_transactions.list_async()).data) == 1


async def test_funds_become_available_and_are_paid_out() -> None:
    # Two days later the net amount is available and leaves at midnight; every unit is accounted.
    world = World()
    for amount in (1000, 5000):
        await world.pay(amount=amount)
    before = (await world.v1.balance_transactions.list_async()).data
    assert [(row.amount, row.fee, row.status) for row in before] == [
        (5000, 175, "pending"),
        (1000, 59, "pending"),
    ]
    net = sum(row.net for row in before)
    world.advance(4 * 86_400)

    payout = (await world.v1.payouts.list_async()).data[0]

    assert (payout.amount, payout.status) == (net, "paid")
    inside = (await world.v1.balance_transactions.list_async({"payout": payout.id})).data
    assert sum(row.net for row in inside) == 0
    balance = await world.v1.balance.retrieve_async()
    assert [funds.amount for funds in balance.available] == [0]


async def test_the_books_can_be_read_for_one_merchant() -> None:
    # The books list every charge that took money, with totals, narrowed by metadata.
    world = World()
    customer = await world.customer("pm_card_visa")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0].id
    mine: dict[str, Any] = {"metadata": {"org_id": "org_1", "payment_id": "pay_1"}}
    paid = await world.pay(method, customer=customer, **mine)
    await world.pay(metadata={"org_id": "org_2"})
    await world.v1.refunds.create_async({"payment_intent": paid.id, "amount": 99})
    with pytest.raises(stripe.CardError):
        await world.pay("pm_card_visa_chargeDeclined", **mine)

    told = control(world.sandbox, "GET", "books", **{"metadata[org_id]": "org_1"})
    books = msgspec.json.decode(told.body)

    assert [line["payment_intent"] for line in books["charges"]] == [paid.id]
    assert books["totals"]["usd"]["amount"] == 1999
    assert books["totals"]["usd"]["amount_refunded"] == 99
    assert books["customers"][customer] == books["totals"]
    whole = msgspec.json.decode(control(world.sandbox, "GET", "books").body)
    assert whole["totals"]["usd"]["count"] == 2
