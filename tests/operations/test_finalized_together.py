"""Drafts finalized in one commit: each under its own request, or refused alone.

That they leave the same rows as one after the other is shown in `tests/equivalence`.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.support.world import World

from bursar.domain.drafting import NewLine
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import IllegalTransition, InvalidInput, NotFound
from bursar.domain.times import Instant
from bursar.flows.open_invoice import open_invoice
from bursar.operations.finalizing import FinalizeInvoice
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import timeline
from bursar.runtime.app import Caller
from bursar.runtime.clock import now
from bursar.runtime.idempotency import Answer, Replayed


def answered(invoice: Invoice) -> Answer:
    return Answer(200, invoice.id.encode())


async def opened(
    callers: Sequence[Caller], ids: Sequence[InvoiceId]
) -> list[Invoice | BaseException]:
    return await asyncio.gather(
        *(
            open_invoice(caller, FinalizeInvoice(each), answered)
            for caller, each in zip(callers, ids, strict=True)
        ),
        return_exceptions=True,
    )


async def test_each_is_told_under_its_own_request(world: World) -> None:
    # Forty at once: who asked, why and in which request, and what the reader then finds.
    org = await world.org()
    buyers = [await org.customer(token=None) for _ in range(3)]
    drafts = [await org.draft(buyers[at % 3]) for at in range(40)]
    callers = org.requests(40)
    numbers = []
    for caller, each in zip(callers, await opened(callers, [d.id for d in drafts]), strict=True):
        assert isinstance(each, Invoice)
        assert each.number is not None
        numbers.append(each.number.number)
        assert await org.caller.look(invoice_look, each.id) == each
        _, event = await org.caller.look(timeline, each.id)
        assert event.name == "invoice.finalized"
        assert (event.request_id, event.reason) == (caller.request_id, caller.reason)
    assert sorted(numbers) == list(range(1, 41))


async def test_whoever_is_refused_stops_nobody_and_takes_no_number(world: World) -> None:
    # Another organization's, an open one, one without lines and one whose day has passed.
    org, other = await world.org(), await world.org()
    buyer = await org.customer(token=None)

    async def a_draft(*lines: NewLine, due_at: Instant | None = None) -> InvoiceId:
        command = CreateInvoice(customer_id=buyer.id, lines=lines, due_at=due_at, metadata={})
        return (await org.caller.run(create_invoice, command)).id

    work = NewLine("Work", 1, Decimal(4_999))
    open_one = await org.invoice(buyer)
    foreign = await other.draft(await other.customer(token=None))
    late = await a_draft(work, due_at=now() + timedelta(seconds=1))
    await asyncio.sleep(1.1)
    ids = [await a_draft(work), foreign.id, open_one.id, await a_draft(), late, await a_draft(work)]
    came = await opened(org.requests(len(ids)), ids)
    kinds = [type(each) for each in came]
    assert kinds == [
        *(Invoice, NotFound, IllegalTransition, InvalidInput, InvalidInput, Invoice),
    ]
    numbers = [each.number.number for each in came if isinstance(each, Invoice) and each.number]
    assert numbers == [2, 3]
    assert (await other.caller.look(invoice_look, foreign.id)).status is InvoiceStatus.DRAFT


async def test_one_draft_asked_for_by_many_is_finalized_once(world: World) -> None:
    # The second finds what became of it; the number after it is the next one's.
    org = await world.org()
    buyer = await org.customer(token=None)
    one, next_one = await org.draft(buyer), await org.draft(buyer)
    came = await opened(org.requests(4), [one.id, one.id, one.id, next_one.id])
    kinds = sorted(type(each).__name__ for each in came)
    assert kinds == ["IllegalTransition", "IllegalTransition", "Invoice", "Invoice"]
    numbers = [each.number.number for each in came if isinstance(each, Invoice) and each.number]
    assert numbers == [1, 2]


async def test_a_key_finalizes_once(world: World) -> None:
    # Sent twice at once, and again later: one number, and its answer.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    (caller,) = org.requests(1)
    assert caller.idempotency is not None
    again = replace(caller, idempotency=replace(caller.idempotency, claim=uuid4()))
    came = await opened((caller, again), (draft.id, draft.id))
    assert [each.id for each in came if isinstance(each, Invoice)] == [draft.id]
    with pytest.raises(Replayed) as replayed:
        await open_invoice(again, FinalizeInvoice(draft.id), answered)
    assert replayed.value.answer.body == draft.id.encode()


async def test_a_trial_leaves_a_draft_and_no_gap(world: World) -> None:
    # It shows the number that would be given, and the next one to ask gets that.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    tried = await open_invoice(
        replace(org.caller, is_dry_run=True), FinalizeInvoice(draft.id), answered
    )
    assert (await org.caller.look(invoice_look, draft.id)).status is InvoiceStatus.DRAFT
    made = await open_invoice(org.with_key(), FinalizeInvoice(draft.id), answered)
    assert tried.number == made.number
