"""One series under many hands: every number once, none left out, whatever fails in between."""

import asyncio
from itertools import count

import pytest
from tests.support.world import Org, World

from bursar.domain.invoices import Invoice
from bursar.domain.refusals import Refusal
from bursar.operations.invoices import FinalizeInvoice, VoidInvoice, finalize_invoice, void_invoice

CLIENTS = 32


async def finalized(org: Org, drafts: list[Invoice]) -> list[int]:
    """The numbers that clients get who finalize all of these, some twice, and void some."""
    todo, numbers = iter([*drafts, *drafts[::10]]), list[int]()
    order = count()

    async def client() -> None:
        for draft in todo:
            try:
                done = await org.caller.run(finalize_invoice, FinalizeInvoice(draft.id))
            except Refusal:
                continue  # somebody else was first
            assert done.number is not None
            numbers.append(done.number.number)
            if next(order) % 7 == 0:
                await org.caller.run(void_invoice, VoidInvoice(done.id))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return numbers


async def without_a_gap(world: World, *, invoices: int) -> None:
    org = await world.org()
    buyers = [await org.customer(token=None) for _ in range(CLIENTS)]
    drafts = [await org.draft(buyers[at % CLIENTS]) for at in range(invoices)]
    numbers = await finalized(org, drafts)
    assert sorted(numbers) == list(range(1, invoices + 1))


async def test_numbers_are_given_once_and_without_a_gap(world: World) -> None:
    # Repetitions are refused and voided ones keep theirs: neither leaves a hole.
    await without_a_gap(world, invoices=40)


@pytest.mark.proof
async def test_two_thousand_invoices_by_thirty_two_clients(world: World) -> None:
    # The same with as many as a busy month's end has.
    await without_a_gap(world, invoices=2_000)
