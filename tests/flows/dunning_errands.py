"""Errands about dunning and money recorded by hand: each dies at each of its points, done once."""

from datetime import timedelta
from typing import Final

from tests.flows.crash_plan import BAD_METHOD
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.tasks import AdvanceDunning

CENTS: Final = 2_000
CASE: Final = "SELECT count(*) FROM dunning_cases WHERE invoice_id = $1"
RECORDED: Final = "SELECT count(*) FROM payments WHERE invoice_id = $1 AND mode = 'manual'"
TRIED: Final = """
    SELECT count(*) FROM payments WHERE invoice_id = $1 AND attempt_key LIKE 'dunning:%'
"""
LOST: Final = (
    "SELECT count(*) FROM ledger_transactions"
    " WHERE kind = 'invoice_written_off' AND source_id = 'inv_' || $1::uuid"
)
TOLD: Final = """
    SELECT count(*) FROM dunning_cases AS d JOIN events AS e ON e.resource_id = d.id
    WHERE d.invoice_id = $1 AND e.type = 'dunning.notified' AND d.step = 1
"""


async def _overdue(stage: Stage) -> str:
    """An invoice whose first charge was declined."""
    invoice = await stage.org.invoice(stage.customers[BAD_METHOD], CENTS)
    paid = await stage.client.post(f"/v1/invoices/{invoice.id}/pay", {"mode": "charge"})
    assert paid.status == 402, paid.body
    await stage.owner.execute("DELETE FROM queue.pgqueuer; DELETE FROM queue.claims")
    return invoice.id


async def _begin(stage: Stage) -> Request:
    invoice = await stage.org.invoice(stage.customers[BAD_METHOD], CENTS)
    path = f"/v1/invoices/{invoice.id}/pay"
    declined = (402,)
    subject = uuid_of(invoice.id)
    return Request(stage.client, "POST", path, {"mode": "charge"}, CASE, subject, declined)


async def _record(stage: Stage) -> Request:
    invoice_id = await _overdue(stage)
    body = {"amountCents": CENTS, "method": "check", "receivedAt": "2026-01-05T00:00:00.000Z"}
    path = f"/v1/invoices/{invoice_id}/record-payment"
    return Request(stage.client, "POST", path, body, RECORDED, uuid_of(invoice_id))


async def _retry(stage: Stage) -> Request:
    invoice_id = await _overdue(stage)
    path = f"/v1/dunning/{invoice_id}/retry-now"
    return Request(stage.client, "POST", path, {}, TRIED, uuid_of(invoice_id))


async def _pause(stage: Stage) -> Request:
    invoice_id = await _overdue(stage)
    path = f"/v1/dunning/{invoice_id}/pause"
    return Request(stage.client, "POST", path, {"reason": "tour"}, CASE, uuid_of(invoice_id))


async def _resume(stage: Stage) -> Request:
    paused = await _pause(stage)
    await stage.client.post(paused.path, paused.body)
    path = paused.path.replace("/pause", "/resume")
    return Request(stage.client, "POST", path, {}, CASE, paused.subject)


async def _resolve(stage: Stage) -> Request:
    path = f"/v1/dunning/{await _overdue(stage)}/resolve"
    return Request(stage.client, "POST", path, {})


async def _write_off(stage: Stage) -> Request:
    invoice_id = await _overdue(stage)
    path = f"/v1/invoices/{invoice_id}/mark-uncollectible"
    return Request(stage.client, "POST", path, {}, LOST, uuid_of(invoice_id))


async def _notice(stage: Stage) -> Request:
    invoice_id = await _overdue(stage)
    due = (
        "UPDATE dunning_cases SET current_action = 'notify', next_at = now() - interval '1 minute'"
        " WHERE invoice_id = $1"
    )
    await stage.owner.execute(due, uuid_of(invoice_id))
    app = stage.world.app
    async with app.database.machine() as connection:
        task = AdvanceDunning(InvoiceId(invoice_id))
        await app.queue.enqueue(connection, stage.org.id, (task,), timedelta(0))
    path = f"/v1/invoices/{invoice_id}"
    return Request(stage.client, "GET", path, None, TOLD, uuid_of(invoice_id))


DUNNING_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_begin, _record, _retry, _notice),
    *(_pause, _resume, _resolve, _write_off),
)
