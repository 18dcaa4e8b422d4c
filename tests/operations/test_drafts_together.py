"""Drafts that share a commit: each is what it would have been alone, or refused alone."""

import asyncio
from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.support.world import Org, World

from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer, TaxTreatment
from bursar.domain.drafting import NewLine
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import AmountTooLarge, InvalidInput, NotFound
from bursar.flows.draft_invoice import LINES_MAX, draft_invoice
from bursar.operations.customers import (
    DeleteCustomer,
    UpdateCustomer,
    delete_customer,
    update_customer,
)
from bursar.operations.invoices import (
    CreateInvoice,
    DeleteInvoice,
    create_invoice,
    delete_invoice,
)
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import timeline
from bursar.reads.verify import checks
from bursar.runtime.db import Tx
from bursar.runtime.idempotency import Answer, Replayed
from bursar.store import invoices
from bursar.store.customers import Buyer
from bursar.store.events import Stamp

LINES = (
    NewLine("Seats", 3, Decimal("1000.5")),
    NewLine("Setup", 1, Decimal(500)),
)


def a_draft(customer: Customer, **changes: object) -> CreateInvoice:
    command = CreateInvoice(customer_id=customer.id, lines=LINES, memo="Hi", metadata={"a": "b"})
    return replace(command, **changes)  # type: ignore[arg-type]  # fields by their name


def answered(invoice: Invoice) -> Answer:
    return Answer(201, invoice.id.encode())


async def test_each_is_what_it_would_be_alone(world: World) -> None:
    # Same document, same lines in their order, told once, under its own request.
    org = await world.org()
    buyer = await org.customer()
    alone = await org.caller.run(create_invoice, a_draft(buyer))
    callers = org.requests(40)
    made = await asyncio.gather(
        *(draft_invoice(each, a_draft(buyer), answered) for each in callers)
    )
    assert len({each.id for each in made}) == 40
    for each, caller in zip(made, callers, strict=True):
        assert await org.caller.look(invoice_look, each.id) == each
        assert [line.amount for line in each.lines] == [line.amount for line in alone.lines]
        assert (
            replace(
                each,
                id=alone.id,
                lines=alone.lines,
                created_at=alone.created_at,
                updated_at=alone.updated_at,
            )
            == alone
        )
        (event,) = await org.caller.look(timeline, each.id)
        assert (event.name, event.request_id) == ("invoice.created", caller.request_id)
    assert [check.name for check in await org.caller.look(checks) if not check.is_good] == []


async def test_whoever_is_refused_stops_nobody(world: World) -> None:
    # Another's customer, another currency and an amount beyond the exact range, among good ones.
    org, other = await world.org(), await world.org()
    buyer, foreign, gone = await org.customer(), await other.customer(), await org.customer()
    await org.caller.run(delete_customer, DeleteCustomer(gone.id))
    huge = (NewLine("Much", 10**9, Decimal(10**12)),)
    asked = [
        a_draft(buyer),
        a_draft(foreign),
        a_draft(gone),
        a_draft(buyer, currency=Currency("eur")),
        a_draft(buyer, lines=huge),
        a_draft(buyer),
    ]
    came = await asyncio.gather(
        *(
            draft_invoice(caller, command, answered)
            for caller, command in zip(org.requests(len(asked)), asked, strict=True)
        ),
        return_exceptions=True,
    )
    kinds = [type(each) for each in came]
    assert kinds == [Invoice, NotFound, NotFound, InvalidInput, AmountTooLarge, Invoice]


async def test_a_key_drafts_once(world: World) -> None:
    # Sent twice at once, and again later: one document, and its answer.
    org = await world.org()
    buyer = await org.customer()
    (caller,) = org.requests(1)
    assert caller.idempotency is not None
    again = replace(caller, idempotency=replace(caller.idempotency, claim=uuid4()))
    came = await asyncio.gather(
        *(draft_invoice(each, a_draft(buyer), answered) for each in (caller, again)),
        return_exceptions=True,
    )
    (made,) = [each for each in came if isinstance(each, Invoice)]
    with pytest.raises(Replayed) as replayed:
        await draft_invoice(again, a_draft(buyer), answered)
    assert replayed.value.answer.body == made.id.encode()


@pytest.mark.parametrize("count", [0, 1, LINES_MAX, LINES_MAX + 1])
async def test_any_number_of_lines(world: World, count: int) -> None:
    # A long one goes alone, and nobody sees a difference.
    org = await world.org()
    command = a_draft(await org.customer(), lines=LINES[:1] * count)
    (caller,) = org.requests(1)
    made = await draft_invoice(caller, command, answered)
    assert (await org.caller.look(invoice_look, made.id)).lines == made.lines
    assert len(made.lines) == count


async def test_a_trial_leaves_nothing(world: World) -> None:
    # It goes alone and is rolled back.
    org = await world.org()
    caller = replace(org.caller, is_dry_run=True)
    made = await draft_invoice(caller, a_draft(await org.customer()), answered)
    with pytest.raises(NotFound):
        await org.caller.look(invoice_look, made.id)


async def drafted(org: Org, buyer: Customer, **changes: object) -> Invoice:
    (caller,) = org.requests(1)
    return await draft_invoice(caller, a_draft(buyer, **changes), answered)


async def exempted(org: Org, buyer: Customer) -> None:
    treatment = {"tax_treatment": TaxTreatment.EXEMPT}
    await org.caller.run(update_customer, UpdateCustomer(buyer.id, treatment))


async def taxed_lines(org: Org) -> tuple[NewLine, ...]:
    rate = CreateTaxRate(name="VAT", percent=Decimal(20), metadata={})
    made = await org.caller.run(create_tax_rate, rate)
    return (NewLine("Seats", 1, Decimal(1000), tax_rate_ids=(made.id,)),)


async def test_a_buyer_is_who_they_are_now(world: World) -> None:
    # Who was read for the draft before is remembered; whatever was changed since counts at once.
    org = await world.org()
    buyer, lines = await org.customer(), await taxed_lines(org)
    assert (await drafted(org, buyer, lines=lines)).tax.minor == 200
    await exempted(org, buyer)
    assert (await drafted(org, buyer, lines=lines)).tax.minor == 0
    assert (await drafted(org, buyer, lines=lines)).tax.minor == 0


async def test_a_change_while_a_draft_is_decided_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It commits between the reading and the writing: all is decided again, and written once.
    org = await world.org()
    buyer, lines = await org.customer(), await taxed_lines(org)
    save, tries = invoices.save_drafts, list[int]()

    async def save_late(
        tx: Tx, taken: Sequence[tuple[Change, Stamp]], buyers: Collection[Buyer]
    ) -> list[Invoice]:
        tries.append(len(tries))
        if len(tries) == 1:
            await exempted(org, buyer)
        return await save(tx, taken, buyers)

    monkeypatch.setattr(invoices, "save_drafts", save_late)
    made = await drafted(org, buyer, lines=lines)
    assert (made.tax.minor, tries) == (0, [0, 1])
    connection = await world.house.as_superuser()
    try:
        counted = "SELECT count(*) FROM invoices WHERE org_id = $1"
        assert await connection.fetchval(counted, uuid_of(org.id)) == 1
    finally:
        await connection.close()


async def test_whoever_is_being_deleted_is_waited_for(world: World) -> None:
    # Remembered as somebody to draft for; the deletion was there first, and nothing is drafted.
    org = await world.org()
    buyer = await org.customer()
    await org.caller.run(delete_invoice, DeleteInvoice((await drafted(org, buyer)).id))
    connection = await world.house.as_superuser()
    try:
        async with connection.transaction():
            gone = "UPDATE customers SET deleted_at = now() WHERE org_id = $1 AND id = $2"
            await connection.execute(gone, uuid_of(org.id), uuid_of(buyer.id))
            asked = asyncio.create_task(drafted(org, buyer))
            done, _ = await asyncio.wait([asked], timeout=0.3)
            assert not done
        with pytest.raises(NotFound):
            await asked
    finally:
        await connection.close()


async def test_a_refusal_rests_on_nothing_old(world: World) -> None:
    # Refused for a currency that the customer pays in by now: nothing is written, and yet it asks.
    org = await world.org()
    buyer = await org.customer()
    await drafted(org, buyer)
    connection = await world.house.as_superuser()
    try:
        moved = "UPDATE customers SET currency = 'eur' WHERE org_id = $1 AND id = $2"
        await connection.execute(moved, uuid_of(org.id), uuid_of(buyer.id))
    finally:
        await connection.close()
    assert (await drafted(org, buyer, currency=Currency("eur"))).currency == "eur"
