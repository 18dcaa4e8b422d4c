"""Errands about the billing run, for the tour: each dies at each of its points and bills once."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request
from tests.support.billing import Shop

from bursar.domain.ids import InvoiceId, OrgId, uuid_of
from bursar.domain.tasks import FollowInvoice
from bursar.jobs.dispatch import drain_agenda

AGO: Final = timedelta(days=10)
BILLED: Final = "SELECT count(*) FROM invoices WHERE customer_id = $1 AND status {}"
# The leases of the dead run out, and drafts have waited long enough.
LATER: Final = """
    UPDATE agenda SET leased_until = NULL, due_at = CASE
        WHEN kind = 'issue_invoice' THEN now() - interval '1 second' ELSE due_at
    END WHERE org_id = $1
"""


async def _run(stage: Stage, org_id: OrgId) -> None:
    await stage.owner.execute(LATER, uuid_of(org_id))
    await drain_agenda(stage.world.app)


async def _billed(stage: Stage, subscribers: int, grace_hours: int) -> Request:
    """Subscribers of an organization of their own, each with one invoice due; one is counted."""
    shop = Shop(await stage.world.org())
    await shop.configure(invoice_grace_hours=grace_hours)
    plan, began = await shop.plan(4_900), datetime.now(UTC) - AGO
    made = [await shop.subscribe(plan, start_at=began) for _ in range(subscribers)]
    return Request(
        stage.client,
        *("GET", "/v1/meters", None),
        BILLED.format("<> 'draft'"),
        uuid_of(made[0].customer_id),
        beside=partial(_run, stage, shop.org.id),
    )


async def _bill_one(stage: Stage) -> Request:
    return await _billed(stage, 1, 0)


async def _bill_many(stage: Stage) -> Request:
    return await _billed(stage, 3, 0)


async def _issue(stage: Stage) -> Request:
    return await _billed(stage, 1, 1)


async def _follow(stage: Stage) -> Request:
    """An invoice that nobody paid is looked at again."""
    invoice = await stage.org.invoice(await stage.org.customer(token=None))
    app = stage.world.app
    async with app.database.machine() as connection:
        task = FollowInvoice(InvoiceId(invoice.id))
        await app.queue.enqueue(connection, stage.org.id, (task,), timedelta(0))
    counted = "SELECT count(*) FROM agenda WHERE subject_id = $1"
    return Request(stage.client, "GET", "/v1/meters", None, counted, uuid_of(invoice.id))


BILLING_ERRANDS: Final[tuple[Arrange, ...]] = (_bill_one, _bill_many, _issue, _follow)
