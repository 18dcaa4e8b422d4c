"""Idempotency keys: the same answer for the same request, for a day."""

from typing import Any

import pytest
import stripe
from tests.sandbox.worlds import World

KEYED: Any = {"idempotency_key": "pay_1"}
FIELDS: Any = {
    "amount": 1999,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "return_url": "https://merchant.test/back",
}


async def test_the_same_request_moves_money_once() -> None:
    # Any number of retries under one key give one charge and one and the same answer.
    world = World()
    first = await world.v1.payment_intents.create_async(FIELDS, KEYED)
    again = await world.v1.payment_intents.create_async(FIELDS, KEYED)
    assert again.to_dict() == first.to_dict()
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len((await world.v1.charges.list_async()).data) == 1


async def test_a_decline_is_kept_too() -> None:
    # A refused charge answers the same decline again, with no second attempt.
    world = World()
    fields: Any = {**FIELDS, "payment_method": "pm_card_visa_chargeDeclined"}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await world.v1.payment_intents.create_async(fields, KEYED)
    assert len((await world.v1.charges.list_async()).data) == 1


async def test_a_key_belongs_to_one_request() -> None:
    # Other parameters or another route under a known key are refused.
    world = World()
    await world.v1.payment_intents.create_async(FIELDS, KEYED)
    more: Any = {**FIELDS, "amount": 2000}
    with pytest.raises(stripe.IdempotencyError):
        await world.v1.payment_intents.create_async(more, KEYED)
    with pytest.raises(stripe.IdempotencyError):
        await world.v1.customers.create_async({}, KEYED)


async def test_a_request_that_never_began_leaves_the_key_free() -> None:
    # A validation error is not kept: the corrected request may use the same key.
    world = World()
    tiny: Any = {**FIELDS, "amount": 1}
    with pytest.raises(stripe.InvalidRequestError):
        await world.v1.payment_intents.create_async(tiny, KEYED)
    paid = await world.v1.payment_intents.create_async(FIELDS, KEYED)
    assert paid.status == "succeeded"


async def test_a_key_is_forgotten_after_a_day() -> None:
    # 24 hours later the same key is a new request: resending then would charge twice.
    world = World()
    await world.v1.payment_intents.create_async(FIELDS, KEYED)
    world.now_ms += 24 * 3_600_000 - 1
    await world.v1.payment_intents.create_async(FIELDS, KEYED)
    assert len((await world.v1.charges.list_async()).data) == 1
    world.now_ms += 1
    await world.v1.payment_intents.create_async(FIELDS, KEYED)
    assert len((await world.v1.charges.list_async()).data) == 2
