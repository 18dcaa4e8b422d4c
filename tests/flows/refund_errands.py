"""Errands about refunds, for the tour: each dies at each of its points and is done once."""

from datetime import timedelta
from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.sandbox import control

from bursar.domain.ids import RefundId, uuid_of
from bursar.domain.tasks import ConfirmRefund

CENTS: Final = 3_000
SENT: Final = """
    SELECT count(*) FROM refunds AS r
    JOIN payments AS p ON p.org_id = r.org_id AND p.id = r.payment_id
    WHERE p.id = $1 AND r.status = 'succeeded' AND p.refunded_minor = r.amount_minor
"""


async def _payment(stage: Stage) -> str:
    customer = next(iter(stage.customers.values()))
    invoice = await stage.org.invoice(customer, CENTS)
    paid = await stage.client.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert paid.status == 200, paid.body
    return str(paid.value["payment"]["id"])


async def _refund(stage: Stage) -> Request:
    payment_id = await _payment(stage)
    path = f"/v1/payments/{payment_id}/refund"
    return Request(stage.client, "POST", path, {}, SENT, uuid_of(payment_id))


async def _partial(stage: Stage) -> Request:
    payment_id = await _payment(stage)
    body, path = {"amountCents": 700}, f"/v1/payments/{payment_id}/partial-refund"
    return Request(stage.client, "POST", path, body, SENT, uuid_of(payment_id))


async def _of_a_wallet(stage: Stage) -> Request:
    customer = next(iter(stage.customers.values()))
    stored = await stage.org.wallet(CENTS, customer)
    invoice = await stage.org.invoice(customer, CENTS)
    body = {"mode": "wallet", "walletId": stored.id}
    paid = await stage.client.post(f"/v1/invoices/{invoice.id}/pay", body)
    payment_id = str(paid.value["payment"]["id"])
    path = f"/v1/payments/{payment_id}/refund"
    return Request(stage.client, "POST", path, {}, SENT, uuid_of(payment_id))


async def _watched(stage: Stage) -> Request:
    """The answer was lost, and the watchdog that asks dies at its points."""
    payment_id = await _payment(stage)
    control(stage.world.sandbox, "POST", "faults", kind="drop_before", path="/v1/refunds", times=1)
    begun = await stage.client.post(f"/v1/payments/{payment_id}/refund", {})
    assert begun.status == 202, begun.body
    app = stage.world.app
    async with app.database.machine() as connection:
        task = ConfirmRefund(RefundId(begun.value["id"]))
        await app.queue.enqueue(connection, stage.org.id, (task,), timedelta(0))
    return Request(stage.client, "GET", "/v1/meters", None, SENT, uuid_of(payment_id))


REFUND_ERRANDS: Final[tuple[Arrange, ...]] = (_refund, _partial, _of_a_wallet, _watched)
