"""The hosted checkout page, as a browser and the merchant see it."""

import pytest
import stripe
from tests.sandbox.worlds import World
from tests.support.sandbox import browse

GOOD = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123"}


async def test_a_customer_pays_on_the_page() -> None:
    # One post with a good card completes the session and returns the customer to the merchant.
    world = World()
    session = await world.open_checkout(metadata={"org_id": "org_1"})
    assert session.payment_intent is None
    page = browse(world.sandbox, "GET", session.url)
    assert page.status == 200
    assert b"USD 5.00" in page.body
    assert b"Invoice INV-1" in page.body

    answer = browse(world.sandbox, "POST", session.url, **GOOD)

    assert answer.status == 303
    assert answer.headers["Location"] == f"https://merchant.test/ok?session={session.id}"
    done = await world.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent = done.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert intent.to_dict()["metadata"] == {"payment_id": "pay_1"}
    assert done.line_items is not None
    assert done.line_items.data[0].amount_total == 500
    assert world.events()[-1] == "checkout.session.completed"
    found = await world.v1.checkout.sessions.list_async({"payment_intent": intent.id})
    assert [row.id for row in found.data] == [session.id]


async def test_a_declined_card_lets_another_be_tried() -> None:
    # The page says why the card was refused and the next card pays the same intent.
    world = World()
    session = await world.open_checkout()
    refused = browse(world.sandbox, "POST", session.url, **{**GOOD, "number": "4000000000009995"})
    assert refused.status == 402
    assert b"insufficient funds" in refused.body
    tried = await world.v1.checkout.sessions.retrieve_async(session.id)

    assert browse(world.sandbox, "POST", session.url, **GOOD).status == 303

    done = await world.v1.checkout.sessions.retrieve_async(session.id)
    assert (tried.status, done.status) == ("open", "complete")
    assert tried.payment_intent == done.payment_intent


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"number": "4242424242424241"}, b"card number is incorrect"),
        ({"number": "4111111111111111"}, b"non test card"),
        ({"expiry": "12/20"}, b"expiration year is invalid"),
        ({"expiry": "13/34"}, b"expiration month is invalid"),
        ({"expiry": ""}, b"expiration date is incomplete"),
        ({"cvc": "12"}, b"security code is invalid"),
    ],
)
async def test_a_mistyped_card_makes_no_attempt(fields: dict[str, str], told: bytes) -> None:
    # What the form itself can refuse never reaches the card network.
    world = World()
    session = await world.open_checkout()
    answer = browse(world.sandbox, "POST", session.url, **{**GOOD, **fields})
    assert answer.status == 402
    assert told in answer.body
    assert (await world.v1.payment_intents.list_async()).data == []


async def test_a_challenge_interrupts_and_returns() -> None:
    # A card that asks sends the customer to its bank; failing there leads back to the page.
    world = World()
    session = await world.open_checkout()
    card = {**GOOD, "number": "4000002760003184"}
    bank = browse(world.sandbox, "POST", session.url, **card).headers["Location"]
    failed = browse(world.sandbox, "POST", bank, outcome="fail")
    assert failed.headers["Location"] == f"/checkout/{session.id}"
    page = browse(world.sandbox, "GET", session.url)
    assert b"unable to authenticate" in page.body

    bank = browse(world.sandbox, "POST", session.url, **card).headers["Location"]
    done = browse(world.sandbox, "POST", bank, outcome="complete")

    assert done.headers["Location"].startswith("https://merchant.test/ok")
    charges = await world.v1.charges.list_async()
    assert [charge.status for charge in charges.data] == ["succeeded"]


async def test_paying_twice_pays_once() -> None:
    # A second post to a complete session returns the customer and charges nothing.
    world = World()
    session = await world.open_checkout()
    for _ in range(2):
        assert browse(world.sandbox, "POST", session.url, **GOOD).status == 303
    assert len((await world.v1.charges.list_async()).data) == 1


async def test_an_expired_session_takes_no_money() -> None:
    # Expiring closes the page and cancels an intent that waits for a challenge.
    world = World()
    session = await world.open_checkout()
    bank = browse(world.sandbox, "POST", session.url, **{**GOOD, "number": "4000002760003184"})

    await world.v1.checkout.sessions.expire_async(session.id)

    assert browse(world.sandbox, "POST", session.url, **GOOD).status == 410
    browse(world.sandbox, "POST", bank.headers["Location"], outcome="complete")
    intent = (await world.v1.payment_intents.list_async()).data[0]
    assert intent.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        await world.v1.checkout.sessions.expire_async(session.id)
    assert "checkout.session.expired" in world.events()


async def test_a_session_expires_by_the_clock() -> None:
    # Nobody pays for a day: the session expires at its own moment and tells of it.
    world = World()
    session = await world.open_checkout()
    world.advance(86_399)
    early = await world.v1.checkout.sessions.retrieve_async(session.id)
    world.advance(1)
    late = await world.v1.checkout.sessions.retrieve_async(session.id)
    assert (early.status, late.status) == ("open", "expired")
    assert world.events() == ["checkout.session.expired"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("4000900000000011", "checkout.session.async_payment_succeeded"),
        ("4000900000000029", "checkout.session.async_payment_failed"),
    ],
)
async def test_a_slow_payment_completes_the_session_unpaid(number: str, told: str) -> None:
    # A processing payment completes the session; the money's outcome follows as its own event.
    world = World()
    session = await world.open_checkout()
    browse(world.sandbox, "POST", session.url, **{**GOOD, "number": number})
    waiting = await world.v1.checkout.sessions.retrieve_async(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    world.events()
    world.advance(60)
    assert world.events()[-1] == told


async def test_checkouts_intent_belongs_to_checkout() -> None:
    # The merchant cannot cancel or confirm the intent of a session behind the page's back.
    world = World()
    session = await world.open_checkout()
    browse(world.sandbox, "POST", session.url, **{**GOOD, "number": "4000000000009995"})
    intent = (await world.v1.payment_intents.list_async()).data[0]
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout"):
        await world.v1.payment_intents.cancel_async(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
        await world.v1.payment_intents.confirm_async(intent.id)


@pytest.mark.parametrize(
    "path", ["/checkout/cs_none", "/3ds/pi_none", "/nowhere", "/checkout/../x"]
)
def test_unknown_addresses_are_pages_too(path: str) -> None:
    # A wrong link gives a readable 404, never an error of the machine.
    world = World()
    answer = browse(world.sandbox, "GET", path)
    assert answer.status == 404
    assert b"<h1>" in answer.body


async def test_pages_escape_what_merchants_send() -> None:
    # A product's name is text, whatever it contains.
    world = World()
    item = {
        "price_data": {
            "currency": "usd",
            "unit_amount": 500,
            "product_data": {"name": "<script>alert(1)</script>"},
        },
        "quantity": 1,
    }
    session = await world.open_checkout(line_items=[item])
    page = browse(world.sandbox, "GET", session.url)
    assert b"<script>" not in page.body
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert browse(world.sandbox, "GET", "/static/sandbox.css").status == 200
    assert browse(world.sandbox, "GET", "/").status == 200
