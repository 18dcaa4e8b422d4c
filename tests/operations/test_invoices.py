"""Drafts, finalizing, voiding: what is written, numbered, booked and told."""

import asyncio
from decimal import Decimal

import pytest
from tests.support.world import World

from bursar.domain.drafting import NewLine
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.refusals import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    PreconditionFailed,
)
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import (
    CreateInvoice,
    UpdateInvoice,
    VoidInvoice,
    create_invoice,
    update_invoice,
    void_invoice,
)
from bursar.reads.ledger import trial_balance


async def test_a_draft_adds_up_and_may_change(world: World) -> None:
    # Totals follow the lines, rounded once at each line; an edit replaces all lines.
    org = await world.org()
    customer = await org.customer(token=None)
    draft = await org.draft(customer, 1000)
    lines = (NewLine("Seats", 3, Decimal(1050)), NewLine("Calls", 1000, Decimal("0.25")))
    edited = await org.caller.run(update_invoice, UpdateInvoice(draft.id, {}, lines))
    assert [line.amount.minor for line in edited.lines] == [3150, 250]
    assert edited.total.minor == 3400
    assert edited.version == 2


async def test_an_edit_of_another_version_is_refused(world: World) -> None:
    # If-Match names a version; nothing changes when it is gone.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    with pytest.raises(PreconditionFailed):
        await org.caller.run(
            update_invoice, UpdateInvoice(draft.id, {"memo": "x"}, expected_version=7)
        )


async def test_finalizing_numbers_and_books_once(world: World) -> None:
    # The second finalize is refused and takes no number.
    org = await world.org()
    customer = await org.customer(token=None)
    first = await org.invoice(customer)
    with pytest.raises(IllegalTransition):
        await org.caller.run(finalize_invoice, FinalizeInvoice(first.id))
    second = await org.invoice(customer)
    assert first.number is not None
    assert second.number is not None
    assert (first.number.number, second.number.number) == (1, 2)
    assert str(first.number).startswith("INV-20")


async def test_numbers_have_no_gap_when_many_finalize(world: World) -> None:
    # Concurrent finalizers, some of which fail, leave 1..n.
    org = await world.org()
    customers = [await org.customer(token=None) for _ in range(4)]
    drafts = [await org.draft(customer) for customer in customers for _ in range(5)]
    commands = [FinalizeInvoice(draft.id) for draft in drafts] * 2
    results = await asyncio.gather(
        *(org.caller.run(finalize_invoice, command) for command in commands),
        return_exceptions=True,
    )
    done = [result for result in results if not isinstance(result, BaseException)]
    refused = [result for result in results if isinstance(result, IllegalTransition)]
    assert len(done) == len(refused) == 20
    numbers = sorted(invoice.number.number for invoice in done if invoice.number is not None)
    assert numbers == list(range(1, 21))


async def test_an_invoice_without_lines_stays_a_draft(world: World) -> None:
    # Nothing to bill is not an invoice.
    org = await world.org()
    customer = await org.customer(token=None)
    empty = await org.caller.run(
        create_invoice, CreateInvoice(customer_id=customer.id, lines=(), metadata={})
    )
    with pytest.raises(InvalidInput):
        await org.caller.run(finalize_invoice, FinalizeInvoice(empty.id))


async def test_an_invoice_over_nothing_is_paid_at_once(world: World) -> None:
    # A zero total leaves nothing due and books nothing.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None), 0)
    assert invoice.status is InvoiceStatus.PAID


async def test_voiding_reverses_the_booking(world: World) -> None:
    # The books come back to zero on every account, by a linked posting.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None), 7777)
    voided = await org.caller.run(void_invoice, VoidInvoice(invoice.id))
    assert voided.status is InvoiceStatus.VOID
    balances = await org.caller.look(trial_balance)
    assert all(row.entry_sum.is_zero for row in balances)


async def test_a_draft_can_be_thrown_away(world: World) -> None:
    # A void draft has no number and was never booked.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    voided = await org.caller.run(void_invoice, VoidInvoice(draft.id))
    assert voided.status is InvoiceStatus.VOID
    assert voided.number is None


async def test_another_organizations_invoice_does_not_exist(world: World) -> None:
    # Row-level security and the lock give the same answer as an unknown id.
    mine, theirs = await world.org(), await world.org()
    invoice = await theirs.draft(await theirs.customer(token=None))
    with pytest.raises(NotFound):
        await mine.caller.run(finalize_invoice, FinalizeInvoice(invoice.id))
