"""A document is printed once, and served as it was until something changes on it."""

from hashlib import sha256

import asyncpg
from tests.support.world import Org, World

from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.tasks import PrintInvoice
from bursar.flows.print_document import print_invoice
from bursar.flows.send_invoice import send_invoice
from bursar.jobs import dispatch
from bursar.operations.customers import EraseCustomer, erase_customer

LEVEL = """
UPDATE sec.print_cursor AS p SET transaction_id = r.transaction_id, event_id = r.event_id
FROM sec.relay_cursor AS r
"""
FLOOD = "SELECT count(*) FROM sec.finals_to_print(5000, 1)"


async def kept(org: Org) -> list[asyncpg.Record]:
    """What is kept of an organization's documents."""
    connection = await org.world.house.as_owner()
    try:
        query = "SELECT * FROM prints WHERE org_id = $1 ORDER BY subject_id"
        return await connection.fetch(query, uuid_of(org.id))
    finally:
        await connection.close()


async def be_level(world: World) -> None:
    """Whatever became final before this is nobody's to print."""
    while await dispatch.relay_events(world.app):
        pass
    connection = await world.house.as_owner()
    try:
        await connection.execute(LEVEL)
    finally:
        await connection.close()


async def test_a_final_invoice_is_printed_once_and_kept_under_its_digest(world: World) -> None:
    # Asked for again it is the same row; once something happens to it, it is printed anew.
    org = await world.org()
    customer = await org.customer()
    invoice = await org.invoice(customer)
    _, first = await print_invoice(org.caller, invoice.id)
    (row,) = await kept(org)
    assert row["sha256"] == first.digest == sha256(first.body).digest()
    assert first.body[:20] not in row["body_boxed"]
    assert (await print_invoice(org.caller, invoice.id))[1] == first
    assert await kept(org) == [row]
    await org.pay(invoice.id)
    _, second = await print_invoice(org.caller, invoice.id)
    (renewed,) = await kept(org)
    assert renewed["sha256"] == second.digest != first.digest


async def test_a_draft_is_printed_and_not_kept(world: World) -> None:
    # It may change with the next request.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    await print_invoice(org.caller, draft.id)
    assert await kept(org) == []


async def test_what_cannot_be_opened_any_more_is_printed_again(world: World) -> None:
    # A key of encryption that is gone takes prints with it, and nothing else.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    _, first = await print_invoice(org.caller, invoice.id)
    connection = await world.house.as_owner()
    await connection.execute(
        "UPDATE prints SET body_boxed = $2 WHERE org_id = $1", uuid_of(org.id), b"\x02gone"
    )
    await connection.close()
    assert (await print_invoice(org.caller, invoice.id))[1] == first
    assert len((await kept(org))[0]["body_boxed"]) > len(first.body)


async def test_the_print_of_an_erased_customer_goes(world: World) -> None:
    # With everything else that names them; later ones name nobody and are not kept.
    org = await world.org()
    customer = await org.customer(token=None)
    invoice = await org.invoice(customer, 0)
    await print_invoice(org.caller, invoice.id)
    assert len(await kept(org)) == 1
    await org.caller.run(erase_customer, EraseCustomer(customer.id))
    await print_invoice(org.caller, invoice.id)
    assert await kept(org) == []


async def test_finals_are_printed_ahead_once_nothing_else_waits(world: World) -> None:
    # Only the task prints; while the queue has work, nothing is read of the log.
    await world.drain()
    await be_level(world)
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    async with world.app.database.machine() as connection:
        busy = PrintInvoice(InvoiceId(invoice.id))
        await world.app.queue.enqueue(connection, org.id, [busy])
    while await dispatch.relay_events(world.app):
        pass
    await dispatch.print_finals(world.app)
    assert await kept(org) == []
    assert await world.work() > 0
    assert len(await kept(org)) == 1
    other = await org.invoice(await org.customer(token=None))
    await world.drain()
    await dispatch.print_finals(world.app)
    assert len(await kept(org)) == 1
    await world.drain()
    assert uuid_of(other.id) in {row["subject_id"] for row in await kept(org)}


async def test_a_flood_is_not_printed_ahead(world: World) -> None:
    # So many of each organization in a stretch of the log; the others when they are asked for.
    await world.drain()
    await be_level(world)
    crowded, quiet = await world.org(), await world.org()
    for org, count in ((crowded, 3), (quiet, 1)):
        customer = await org.customer(token=None)
        for _ in range(count):
            await org.invoice(customer)
    await world.drain()
    connection = await world.house.as_owner()
    try:
        assert await connection.fetchval(FLOOD) == 2
        assert await connection.fetchval(FLOOD) == 0
    finally:
        await connection.close()


async def test_a_mailed_invoice_is_kept_for_whoever_opens_its_page(world: World) -> None:
    # What was enclosed is what the page serves: one print for both.
    org = await world.org()
    draft = await org.draft(await org.customer(token=None))
    world.mailbox.takes_files = True
    try:
        await send_invoice(org.caller, draft.id)
        await world.drain()
    finally:
        world.mailbox.takes_files = False
    (row,) = await kept(org)
    _, served = await print_invoice(org.caller, draft.id)
    assert row["sha256"] == served.digest
    assert await kept(org) == [row]
