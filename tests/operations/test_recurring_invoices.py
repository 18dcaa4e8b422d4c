"""Invoices that come by themselves: once each, in order, whatever was missed or runs twice."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.support.recurring import a_recurring_invoice
from tests.support.world import Org, World

from bursar.domain.ids import uuid_of
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.paging import Page
from bursar.domain.recurring_invoices import RecurringInterval, RecurringStatus
from bursar.flows.issue_recurring import issue_recurring
from bursar.operations.customers import DeleteCustomer, delete_customer
from bursar.operations.recurring_invoices import (
    DraftOccurrence,
    SteerRecurringInvoice,
    draft_occurrence,
    pause_recurring_invoice,
    resume_recurring_invoice,
)
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.reads.recurring_invoices import recurring_invoice


async def backdate(org: Org, template_id: str, days: int) -> None:
    """As if nobody had worked for some days."""
    owner = await org.world.house.as_owner()
    try:
        for column in ("start_at", "next_at"):
            await owner.execute(
                f"UPDATE recurring_invoices SET {column} = {column} - $2 * interval '1 day'"
                " WHERE id = $1",
                uuid_of(template_id),
                days,
            )
        await owner.execute(
            "UPDATE agenda SET due_at = due_at - $2 * interval '1 day' WHERE subject_id = $1",
            uuid_of(template_id),
            days,
        )
    finally:
        await owner.close()


async def made(org: Org) -> list[tuple[InvoiceStatus, str | None]]:
    shown = await org.caller.look(invoices, Page(size=100), InvoiceFilters())
    return [
        (each.status, None if each.number is None else str(each.number))
        for each in reversed(shown.items)
    ]


async def test_missed_days_are_caught_up_in_order(world: World) -> None:
    # Four days away: five invoices with numbers in order, and the next one tomorrow.
    org = await world.org()
    template = await a_recurring_invoice(org, interval=RecurringInterval.DAY)
    await backdate(org, template.id, 4)
    await world.drain()
    year = datetime.now(UTC).year
    expected = [(InvoiceStatus.OPEN, f"INV-{year}-{place:05d}") for place in range(1, 6)]
    assert await made(org) == expected
    after = await org.caller.look(recurring_invoice, template.id)
    assert after.occurrence == 5
    assert after.next_at == template.schedule.start_at + timedelta(days=1)


async def test_at_once_and_twice_makes_one(world: World) -> None:
    # Eight workers with the same task: one invoice, one number.
    org = await world.org()
    template = await a_recurring_invoice(org)
    system = world.system(org.id)
    await asyncio.gather(*(issue_recurring(system, template.id) for _ in range(8)))
    assert len(await made(org)) == 1


async def test_whoever_follows_finishes_the_draft(world: World) -> None:
    # Dead between draft and number: the next one numbers that draft and makes no other.
    org = await world.org()
    template = await a_recurring_invoice(org, interval=RecurringInterval.DAY)
    await backdate(org, template.id, 1)
    issued = await world.system(org.id).run(draft_occurrence, DraftOccurrence(template.id))
    assert issued is not None
    assert [status for status, _ in await made(org)] == [InvoiceStatus.DRAFT]
    await issue_recurring(world.system(org.id), template.id)
    assert [status for status, _ in await made(org)] == [InvoiceStatus.OPEN]
    await issue_recurring(world.system(org.id), template.id)
    assert [status for status, _ in await made(org)] == [InvoiceStatus.OPEN] * 2


async def test_the_schema_lets_an_occurrence_be_once(world: World) -> None:
    # Even whoever writes past every rule is stopped.
    org = await world.org()
    template = await a_recurring_invoice(org)
    await world.drain()
    other = await org.draft(await org.customer(token=None))
    owner = await world.house.as_owner()
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await owner.execute(
                "INSERT INTO recurring_occurrences SELECT org_id, recurring_invoice_id, occurrence,"
                " $2, due_at FROM recurring_occurrences WHERE recurring_invoice_id = $1",
                uuid_of(template.id),
                uuid_of(other.id),
            )
    finally:
        await owner.close()


async def test_a_paused_one_rests(world: World) -> None:
    # What fell due in the meantime is not made up for.
    org = await world.org()
    template = await a_recurring_invoice(org, interval=RecurringInterval.DAY)
    steer = SteerRecurringInvoice(template.id)
    await org.caller.run(pause_recurring_invoice, steer)
    await backdate(org, template.id, 3)
    await world.drain()
    assert await made(org) == []
    resumed = await org.caller.run(resume_recurring_invoice, steer)
    assert resumed.occurrence in {3, 4}  # the fourth day begins at this very second of the day
    await world.drain()
    assert len(await made(org)) <= 1


async def test_it_ends_with_its_customer(world: World) -> None:
    # Nobody is billed who is not there any more.
    org = await world.org()
    customer = await org.customer(token=None)
    template = await a_recurring_invoice(org, customer)
    await org.caller.run(delete_customer, DeleteCustomer(customer.id))
    await world.drain()
    after = await org.caller.look(recurring_invoice, template.id)
    assert after.status is RecurringStatus.CANCELED
    assert await made(org) == []
