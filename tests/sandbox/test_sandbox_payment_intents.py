"""What each test card does to a payment intent."""

from typing import Any

import pytest
import stripe
from tests.sandbox.worlds import World
from tests.support.sandbox import browse


async def test_a_good_card_pays_at_once() -> None:
    # A confirmed intent with a good card has moved its whole amount once, and tells of it in order.
    world = World()
    intent = await world.pay(metadata={"payment_id": "pay_1"}, expand=["latest_charge"])

    assert (intent.status, intent.amount_received) == ("succeeded", 1999)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.to_dict()["metadata"] == {"payment_id": "pay_1"}
    assert world.events() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ("pm_card_radarBlock", "card_declined", "fraudulent"),
]


@pytest.mark.parametrize(("token", "code", "decline_code"), DECLINES)
async def test_a_bad_card_is_refused(token: str, code: str, decline_code: str | None) -> None:
    # A decline is a 402 card error with the published codes, and no money moves.
    world = World()
    with pytest.raises(stripe.CardError) as caught:
        await world.pay(token)

    error = caught.value.error
    assert (caught.value.http_status, caught.value.code) == (402, code)
    assert error is not None
    assert error.decline_code == decline_code
    intent = (await world.v1.payment_intents.list_async()).data[0]
    assert error.payment_intent is not None
    assert error.payment_intent.id == intent.id
    assert (intent.status, intent.amount_received) == ("requires_payment_method", 0)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code
    assert world.events()[-2:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_a_refused_intent_takes_another_card() -> None:
    # After a decline the same intent can be confirmed with a better card.
    world = World()
    with pytest.raises(stripe.CardError):
        await world.pay("pm_card_visa_chargeDeclined")
    declined = (await world.v1.payment_intents.list_async()).data[0]

    paid = await world.v1.payment_intents.confirm_async(
        declined.id,
        {"payment_method": "pm_card_visa", "return_url": "https://merchant.test/back"},
    )

    assert paid.status == "succeeded"
    assert paid.last_payment_error is None


async def test_a_customer_pays_off_session_with_an_attached_method() -> None:
    # A method that belongs to a customer can be charged again and again, only for that customer.
    world = World()
    customer = await world.customer("pm_card_visa")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0]

    for _ in range(2):
        intent = await world.pay(method.id, customer=customer, off_session=True)
        assert intent.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="attached to a customer"):
        await world.pay(method.id)


async def test_a_single_use_method_is_used_once() -> None:
    # A method that no customer owns is used up by its first payment.
    world = World()
    intent = await world.pay()
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await world.pay(str(intent.payment_method))


async def test_attaching_can_succeed_where_charging_fails() -> None:
    # The card ending in 0341 belongs to a customer without complaint and declines every charge.
    world = World()
    customer = await world.customer("pm_card_chargeCustomerFail")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0]
    with pytest.raises(stripe.CardError):
        await world.pay(method.id, customer=customer, off_session=True)


async def test_a_declining_card_cannot_be_attached() -> None:
    # Cards that decline do so when a customer tries to keep them.
    world = World()
    with pytest.raises(stripe.CardError):
        await world.customer("pm_card_visa_chargeDeclined")


async def test_our_own_tokens_attach_and_decline_with_any_code() -> None:
    # `pm_sandbox_later_…` lets a story choose the decline of a card that a customer owns.
    world = World()
    customer = await world.customer("pm_sandbox_later_insufficient_funds")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0]
    with pytest.raises(stripe.CardError) as caught:
        await world.pay(method.id, customer=customer, off_session=True)
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "insufficient_funds"


@pytest.mark.parametrize(("outcome", "status"), [("complete", "succeeded"), ("fail", "failed")])
async def test_a_challenge_decides(outcome: str, status: str) -> None:
    # A card that asks for authentication pays only after the cardholder has proven who they are.
    world = World()
    intent = await world.pay("pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    page = str(intent.next_action.redirect_to_url.url)

    assert browse(world.sandbox, "GET", page).status == 200
    answer = browse(world.sandbox, "POST", page, outcome=outcome)

    assert answer.status == 303
    assert f"redirect_status={status}" in answer.headers["Location"]
    after = await world.v1.payment_intents.retrieve_async(intent.id)
    expected = "succeeded" if outcome == "complete" else "requires_payment_method"
    assert after.status == expected
    again = browse(world.sandbox, "POST", page, outcome="complete")
    assert again.status == 303
    charges = await world.v1.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == (outcome == "complete")


@pytest.mark.parametrize(
    "token", ["pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup"]
)
async def test_off_session_a_card_cannot_be_asked(token: str) -> None:
    # Without the cardholder, a card that needs authentication declines with that very code.
    world = World()
    customer = await world.customer(token)
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0]
    with pytest.raises(stripe.CardError) as caught:
        await world.pay(method.id, customer=customer, off_session=True)
    assert caught.value.code == "authentication_required"


async def test_a_card_set_up_for_later_is_not_asked_again() -> None:
    # Card 3155 pays off session once a setup intent has proven it.
    world = World()
    customer = await world.customer()
    setup = await world.v1.setup_intents.create_async(
        {
            "customer": customer,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": "https://merchant.test/back",
        }
    )
    assert setup.status == "requires_action"
    browse(world.sandbox, "POST", f"/3ds/{setup.id}", outcome="complete")

    done = await world.v1.setup_intents.retrieve_async(setup.id)
    intent = await world.pay(str(done.payment_method), customer=customer, off_session=True)

    assert (done.status, intent.status) == ("succeeded", "succeeded")


async def test_manual_confirmation_asks_the_merchant_again() -> None:
    # With manual confirmation a proven challenge waits for the merchant's second confirmation.
    world = World()
    intent = await world.pay("pm_card_authenticationRequired", confirmation_method="manual")
    browse(world.sandbox, "POST", f"/3ds/{intent.id}", outcome="complete")
    waiting = await world.v1.payment_intents.retrieve_async(intent.id)
    paid = await world.v1.payment_intents.confirm_async(intent.id)
    assert (waiting.status, paid.status) == ("requires_confirmation", "succeeded")


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("pm_usBankAccount_success", "succeeded"),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method"),
        ("pm_sandbox_processing_10", "succeeded"),
        ("pm_sandbox_processing_10_do_not_honor", "requires_payment_method"),
    ],
)
async def test_a_slow_method_settles_when_the_clock_has_passed(token: str, status: str) -> None:
    # A processing intent stays so until the sandbox's clock reaches the settlement, then decides.
    world = World()
    intent = await world.pay(token)
    assert intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError, match="status of processing"):
        await world.v1.payment_intents.cancel_async(intent.id)
    world.now_ms += 9_999
    early = await world.v1.payment_intents.retrieve_async(intent.id)
    world.now_ms += 1
    late = await world.v1.payment_intents.retrieve_async(intent.id)
    assert (early.status, late.status) == ("processing", status)
    assert late.amount_received == (1999 if status == "succeeded" else 0)


async def test_canceled_is_final() -> None:
    # A canceled intent can be neither confirmed nor canceled again, and a paid one not canceled.
    world = World()
    open_intent = await world.v1.payment_intents.create_async({"amount": 500, "currency": "eur"})
    canceled = await world.v1.payment_intents.cancel_async(
        open_intent.id, {"cancellation_reason": "abandoned"}
    )
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    for verb in (
        world.v1.payment_intents.cancel_async,
        world.v1.payment_intents.confirm_async,
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await verb(open_intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"
    paid = await world.pay()
    with pytest.raises(stripe.InvalidRequestError):
        await world.v1.payment_intents.cancel_async(paid.id)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": 10**16}, "parameter_invalid_integer", "amount"),
        ({"currency": "xxx"}, None, "currency"),
        ({"currency": "kwd", "amount": 1001}, "parameter_invalid_integer", "amount"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"return_url": ""}, None, "return_url"),
        ({"no_such_field": 1}, "parameter_unknown", "no_such_field"),
        ({"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 40}]"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
    ],
)
async def test_a_refusal_names_its_field(
    fields: dict[str, Any], code: str | None, param: str
) -> None:
    # A request that cannot begin leaves nothing behind and names the field that is wrong.
    world = World()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await world.pay(**fields)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert (await world.v1.payment_intents.list_async()).data == []
    assert world.events() == []
