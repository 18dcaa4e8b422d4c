"""Errands about what a processor tells and what its books show, for the tour.

Each arranges what happened there, and lets a worker hear of it or read of it: dying at each point
on the way, it is settled once.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.sandbox import browse, control, stripe_client

from bursar.domain.ids import uuid_of
from bursar.flows.receive_event import receive_event
from bursar.flows.reconcile_books import reconcile_books
from bursar_sandbox.core.outbox import Delivery

CENTS: Final = 5_000
PLENTY: Final = 100 * CENTS  # a payout comes only when disputes took less than charges brought
PAYOUT_SECONDS: Final = 4 * 86_400
DISPUTED: Final = "pm_card_createDispute"
ASKING: Final = "pm_card_authenticationRequiredOnSetup"
IS_DISPUTED: Final = """
    SELECT count(*) FROM disputes AS d
    JOIN payments AS p ON p.org_id = d.org_id AND p.id = d.payment_id
    WHERE p.id = $1 AND p.status = 'disputed'
"""
IS_SETTLED: Final = "SELECT count(*) FROM payments WHERE id = $1 AND status = 'succeeded'"
IS_GIVEN_BACK: Final = "SELECT count(*) FROM refunds WHERE payment_id = $1 AND status = 'succeeded'"
IS_KEPT: Final = "SELECT count(*) FROM payment_methods WHERE customer_id = $1"
IS_PAID_OUT: Final = "SELECT count(*) FROM payouts WHERE org_id = $1 AND status = 'paid'"


async def _paid(stage: Stage, token: str = "pm_card_visa", *, is_lost: bool = False) -> str:
    """A payment, of whose answer we may know nothing."""
    customer = await stage.org.customer(token)
    invoice = await stage.org.invoice(customer, CENTS)
    if is_lost:
        _lose(stage, "drop_after", "/v1/payment_intents")
    answer = await stage.client.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert answer.status == (202 if is_lost else 200), answer.body
    return str(answer.value["payment"]["id"])


def _lose(stage: Stage, kind: str, path: str) -> None:
    control(stage.world.sandbox, "POST", "faults", kind=kind, path=path, times=1)


async def _hear(stage: Stage, told: list[Delivery]) -> None:
    """Everything that was told, once more each time."""
    world = stage.world
    at = datetime.fromtimestamp(world.sandbox.now_ms / 1000, tz=UTC)
    for delivery in told:
        event = world.provider.read_event(delivery.body, delivery.headers["Stripe-Signature"], at)
        await receive_event(world.system(None), world.provider, event)


def _heard(stage: Stage, counted: str, payment_id: str) -> Request:
    told = stage.world.sandbox.take_deliveries()
    return _beside(stage, partial(_hear, stage, told), counted, payment_id)


def _beside(
    stage: Stage, work: Callable[[], Awaitable[object]], counted: str, subject: str
) -> Request:
    return Request(stage.client, "GET", "/v1/meters", None, counted, uuid_of(subject), beside=work)


async def _hear_of_dispute(stage: Stage) -> Request:
    return _heard(stage, IS_DISPUTED, await _paid(stage, DISPUTED))


async def _hear_of_refund(stage: Stage) -> Request:
    payment_id = await _paid(stage)
    _lose(stage, "drop_after", "/v1/refunds")
    begun = await stage.client.post(f"/v1/payments/{payment_id}/refund", {})
    assert begun.status == 202, begun.body
    return _heard(stage, IS_GIVEN_BACK, payment_id)


async def _given_back_there(stage: Stage) -> str:
    """Somebody gives a payment back at the processor itself."""
    payment_id = await _paid(stage)
    paid = await stage.client.get(f"/v1/payments/{payment_id}")
    client = stripe_client(stage.world.sandbox, stage.world.wire)
    await client.v1.refunds.create_async({"payment_intent": paid.value["stripePaymentIntentId"]})
    return payment_id


async def _hear_of_their_refund(stage: Stage) -> Request:
    return _heard(stage, IS_GIVEN_BACK, await _given_back_there(stage))


async def _read_of_their_refund(stage: Stage) -> Request:
    return _read(stage, IS_GIVEN_BACK, await _given_back_there(stage))


async def _hear_of_a_stranger(stage: Stage) -> Request:
    """A dispute of a charge whose answer never came: the processor is asked whose it is."""
    payment_id = await _paid(stage, DISPUTED, is_lost=True)
    told = [each for each in stage.world.sandbox.take_deliveries() if b"dispute" in each.body]

    async def work() -> None:
        await _hear(stage, told)
        await _read_books(stage)  # before it is settled, what was heard would have to wait

    return _beside(stage, work, IS_DISPUTED, payment_id)


async def _hear_of_setup(stage: Stage) -> Request:
    """Whoever proved a card never came back to say so."""
    customer = await stage.org.customer(None)
    stage.world.sandbox.take_deliveries()
    body = {"customerId": customer.id, "providerToken": ASKING}
    wait = await stage.client.post("/v1/payment-methods/set-up", body)
    assert wait.status == 202, wait.body
    browse(stage.world.sandbox, "POST", str(wait.value["nextActionUrl"]), outcome="complete")
    return _heard(stage, IS_KEPT, customer.id)


def _read(stage: Stage, counted: str, subject: str) -> Request:
    """No event ever comes: it stands in the books."""
    stage.world.sandbox.take_deliveries()
    return _beside(stage, partial(_read_books, stage), counted, subject)


async def _read_books(stage: Stage) -> None:
    await reconcile_books(stage.world.system(None), stage.world.provider)


async def _read_of_payment(stage: Stage) -> Request:
    return _read(stage, IS_SETTLED, await _paid(stage, is_lost=True))


async def _read_of_dispute(stage: Stage) -> Request:
    return _read(stage, IS_DISPUTED, await _paid(stage, DISPUTED))


async def _read_of_payout(stage: Stage) -> Request:
    org = await stage.world.org()
    await org.pay((await org.invoice(await org.customer(), PLENTY)).id)
    stage.let_processor_age(PAYOUT_SECONDS)
    return _read(stage, IS_PAID_OUT, org.id)


PROVIDER_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_hear_of_dispute, _hear_of_refund, _hear_of_their_refund, _hear_of_a_stranger),
    _hear_of_setup,
    *(_read_of_payment, _read_of_dispute, _read_of_their_refund, _read_of_payout),
)
