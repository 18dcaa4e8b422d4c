"""One series under many hands: every number once, none left out, whatever fails in between."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

import pytest
from tests.support.billing import a_shop
from tests.support.world import Org, World

from bursar.domain.invoices import Invoice
from bursar.domain.numbering import NumberScope
from bursar.domain.paging import Page
from bursar.domain.refusals import Refusal
from bursar.flows.open_invoice import open_invoice
from bursar.operations.billing_runs import BillChunk, bill_chunk
from bursar.operations.credit_notes import IssueCreditNote, issue_credit_note
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.idempotency import Answer

CLIENTS = 32


def answered(invoice: Invoice) -> Answer:
    return Answer(200, invoice.id.encode())


async def until_answered(ask: Callable[[], Awaitable[Invoice]]) -> Invoice:
    """What is given, asked for again where no connection came free, as a client does."""
    while True:
        try:
            return await ask()
        except DatabaseAway:
            await asyncio.sleep(0.1)


async def finalized(org: Org, drafts: list[Invoice]) -> list[int]:
    """The numbers that clients get who finalize all of these, some twice, and void some.

    Half of them ask as over HTTP, so that drafts share commits; the others each for one alone.
    """
    todo, numbers = iter([*drafts, *drafts[::10]]), list[int]()
    order = count()

    async def client(place: int) -> None:
        for draft in todo:
            command = FinalizeInvoice(draft.id)
            alone = partial(org.caller.run, finalize_invoice, command)
            shared = partial(open_invoice, org.caller, command, answered)
            try:
                done = await until_answered(shared if place % 2 else alone)
            except Refusal:
                continue  # somebody else was first
            assert done.number is not None
            numbers.append(done.number.number)
            if next(order) % 7 == 0:
                await until_answered(partial(org.caller.run, void_invoice, VoidInvoice(done.id)))

    await asyncio.gather(*map(client, range(CLIENTS)))
    return numbers


async def without_a_gap(world: World, *, many: int) -> None:
    org = await world.org()
    buyers = [await org.customer(token=None) for _ in range(CLIENTS)]
    drafts = [await org.draft(buyers[at % CLIENTS]) for at in range(many)]
    numbers = await finalized(org, drafts)
    assert sorted(numbers) == list(range(1, many + 1))


async def test_each_customer_has_a_series(world: World) -> None:
    # Counted through the years if so wished; many hands at once, in both lanes, and credit notes.
    shop = await a_shop(world)
    await shop.configure(invoice_numbering=NumberScope.CUSTOMER, has_yearly_numbers=False)
    buyers = [await shop.org.customer(token=None) for _ in range(4)]
    drafts = [await shop.org.draft(buyers[at % 4]) for at in range(12)]
    finals = await asyncio.gather(
        *(
            open_invoice(shop.org.caller, FinalizeInvoice(each.id), answered)
            for each in drafts[::2]
        ),
        *(shop.org.caller.run(finalize_invoice, FinalizeInvoice(each.id)) for each in drafts[1::2]),
    )
    plan = await shop.plan(1_000)
    for buyer in buyers:
        await shop.subscribe(plan, buyer)
    await world.system(shop.org.id).run(bill_chunk, BillChunk())
    note = IssueCreditNote(invoice_id=finals[0].id, amount_minor=1, metadata={})
    noted = await shop.org.caller.run(issue_credit_note, note)
    shown = await shop.org.caller.look(invoices, Page(size=100), InvoiceFilters())
    held = {buyer.id: list[str]() for buyer in buyers}
    for each in shown.items:
        held[each.customer_id].append(str(each.number))
    series = {numbers[0].rpartition("-")[0] for numbers in held.values()}
    assert series == {f"INV-C{place:04d}" for place in range(1, 5)}
    for numbers in held.values():
        name = numbers[0].rpartition("-")[0]
        assert sorted(numbers) == [f"{name}-{number:05d}" for number in range(1, 5)]
    assert str(noted.number) == f"{str(finals[0].number).rpartition('-')[0]}-CN-00001"
    assert await shop.wrong() == []


async def test_numbers_are_given_once_and_without_a_gap(world: World) -> None:
    # Repetitions are refused and voided ones keep theirs: neither leaves a hole.
    await without_a_gap(world, many=40)


@pytest.mark.proof
async def test_two_thousand_invoices_by_thirty_two_clients(world: World) -> None:
    # The same with as many as a busy month's end has.
    await without_a_gap(world, many=2_000)
