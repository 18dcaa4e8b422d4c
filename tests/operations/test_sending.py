"""Mail around an invoice: sent, paid, failed, due; each once, in the language asked for."""

from datetime import timedelta
from typing import Any

from tests.domain.test_pictures import a_png
from tests.support.world import Org, World

from bursar.api.printing import noted as printed_note
from bursar.api.printing import printed as printed_pdf
from bursar.domain.document_settings import Language
from bursar.domain.ids import InvoiceId, print_id, uuid_of
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.mails import MailKind
from bursar.flows.send_invoice import send_invoice
from bursar.jobs.dispatch import drain_agenda
from bursar.operations.credit_notes import IssueCreditNote, issue_credit_note
from bursar.operations.document_settings import UpdateDocumentSettings, update_document_settings
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.sending import LookAgain, look_again
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import timeline
from bursar.reads.test_clocks import clock_reading
from bursar.runtime.ids import new_uuid, new_uuids
from bursar.runtime.queue import PAYLOAD_BYTES_MAX


async def say(org: Org, **changes: Any) -> None:
    await org.caller.run(update_document_settings, UpdateDocumentSettings(changes))


async def age(org: Org, invoice: Invoice, days: int) -> None:
    """As if the invoice had been made so many days earlier."""
    owner = await org.world.house.as_owner()
    try:
        await owner.execute(
            "UPDATE invoices SET due_at = due_at - $2::interval,"
            " finalized_at = finalized_at - $2::interval WHERE id = $1",
            uuid_of(invoice.id),
            timedelta(days=days),
        )
        await owner.execute(
            "UPDATE agenda SET due_at = due_at - $2::interval WHERE subject_id = $1",
            uuid_of(invoice.id),
            timedelta(days=days),
        )
    finally:
        await owner.close()


async def letters_about(world: World, invoice: Invoice) -> list[MailKind]:
    await world.drain()
    owner = await world.house.as_owner()
    try:
        query = "SELECT kind FROM mails WHERE invoice_id = $1 ORDER BY id"
        return [MailKind(row["kind"]) for row in await owner.fetch(query, uuid_of(invoice.id))]
    finally:
        await owner.close()


async def test_sending_finalizes_and_writes(world: World) -> None:
    # One letter with the link, in the language and with the reply-to of the organization.
    org = await world.org()
    await say(org, language=Language.GERMAN, reply_to="billing@acme.example")
    customer = await org.customer(token=None)
    draft = await org.draft(customer)
    sent = await send_invoice(org.caller, draft.id)
    assert (sent.status, sent.sent_at is not None) == (InvoiceStatus.OPEN, True)
    await world.drain()
    letter = world.mailbox.newest(customer.email, MailKind.INVOICE)
    assert (letter.language, letter.parameters["reply_to"]) == ("de", "billing@acme.example")
    printed = world.mailbox.print_letter(letter)
    assert "Rechnung" in printed.subject
    assert "49,99\xa0$" in printed.text
    assert "http://localhost:3000/i/" in printed.html
    told = [each.name for each in await org.caller.look(timeline, draft.id)]
    assert told == ["invoice.created", "invoice.finalized", "invoice.sent"]


async def test_the_invoice_goes_with_its_letter(world: World) -> None:
    # The very bytes that the API prints, and the same again when the mail is sent again.
    org = await world.org()
    customer = await org.customer(token=None)
    sent = await send_invoice(org.caller, (await org.draft(customer)).id)
    world.mailbox.takes_files = True
    try:
        await world.drain()
    finally:
        world.mailbox.takes_files = False
    enclosed = world.mailbox.newest(customer.email, MailKind.INVOICE).enclosure
    assert enclosed is not None
    assert enclosed.name == f"{sent.number}.pdf"
    printed = [await printed_pdf(org.caller, sent.id) for _ in range(2)]
    assert [each.body for each in printed] == [enclosed.body] * 2


async def test_a_receipt_is_written_where_asked_for(world: World) -> None:
    # With the payment, if the organization says so; else not.
    org = await world.org()
    customer = await org.customer()
    quiet = await org.invoice(customer)
    await org.pay(quiet.id)
    assert await letters_about(world, quiet) == []
    await say(org, sends_receipts=True)
    invoice = await org.invoice(customer, 4900)
    await org.pay(invoice.id)
    assert await letters_about(world, invoice) == [MailKind.RECEIPT]


async def test_a_failed_payment_is_told_where_asked_for(world: World) -> None:
    # The customer may see to another card.
    org = await world.org()
    await say(org, sends_failures=True)
    invoice = await org.invoice(await org.customer("pm_sandbox_later_insufficient_funds"))
    await org.pay(invoice.id)
    assert await letters_about(world, invoice) == [MailKind.PAYMENT_FAILED]


async def test_a_credit_note_is_told_where_receipts_are(world: World) -> None:
    # With its own number and what it takes back, on paper too, under the organization's logo.
    org = await world.org()
    await say(org, sends_receipts=True, logo=a_png())
    customer = await org.customer(token=None)
    invoice = await org.invoice(customer)
    note = await org.caller.run(
        issue_credit_note, IssueCreditNote(invoice_id=invoice.id, amount_minor=999)
    )
    world.mailbox.takes_files = True
    try:
        assert await letters_about(world, invoice) == [MailKind.CREDIT_NOTE]
    finally:
        world.mailbox.takes_files = False
    letter = world.mailbox.newest(customer.email, MailKind.CREDIT_NOTE)
    assert letter.parameters["note"] == str(note.number)
    assert letter.logo == a_png()
    assert letter.enclosure is not None
    assert letter.enclosure.name == f"{note.number}.pdf"
    assert letter.enclosure.body == (await printed_note(org.caller, note)).body
    assert "$9.99" in world.mailbox.print_letter(letter).text


async def test_reminders_come_once_each(world: World) -> None:
    # Three days before, overdue on the day, a reminder a week after; whoever comes twice is quiet.
    org = await world.org()
    await say(org, reminder_days=(-3, 7))
    invoice = await org.invoice(await org.customer(token=None))
    look = LookAgain((invoice.id,))
    await age(org, invoice, 12)
    assert await letters_about(world, invoice) == [MailKind.REMINDER]
    await world.system(org.id).run(look_again, look)
    assert await letters_about(world, invoice) == [MailKind.REMINDER]
    await age(org, invoice, 2)
    assert await letters_about(world, invoice) == [MailKind.REMINDER]
    late = await org.caller.look(invoice_look, invoice.id)
    assert late.overdue_at is not None
    await age(org, invoice, 30)
    assert await letters_about(world, invoice) == [MailKind.REMINDER] * 2
    reminder = world.mailbox.letters[-1]
    assert int(reminder.parameters["days"]) >= 29
    told = [each.name for each in await org.caller.look(timeline, invoice.id)]
    assert told.count("invoice.overdue") == 1


async def looked_at(world: World, looks: tuple[tuple[int, ...], ...]) -> list[str]:
    """What five invoices of three customers leave, some of them late, when looked at like this."""
    org = await world.org()
    await say(org, reminder_days=(3, 60))
    buyers = [await org.customer(token=None) for _ in range(3)]
    made = [await org.invoice(buyers[number % 3], 1_000 + number) for number in range(5)]
    await org.caller.run(void_invoice, VoidInvoice(made[1].id))
    for number, days in ((0, 40), (1, 40), (2, 15), (3, 100)):
        await age(org, made[number], days)
    before = await org.caller.look(clock_reading)
    for look in looks:
        command = LookAgain(tuple(made[number].id for number in look))
        late = await world.system(org.id).run(look_again, command)
        assert late == sum(number in {0, 2, 3} for number in look)
    left = []
    for each in made:
        invoice = await org.caller.look(invoice_look, each.id)
        told = [one.name for one in await org.caller.look(timeline, each.id)]
        assert invoice.overdue_at is None or invoice.overdue_at >= before.now
        is_late = invoice.overdue_at is not None
        kept = invoice.version, invoice.sequence, invoice.status.value, is_late, len(invoice.lines)
        left.append(f"{kept} {told} {await waits_until(org, invoice)}")
    letters = [await letters_about(world, each) for each in made]
    assert letters == [[MailKind.REMINDER], [], [], [MailKind.REMINDER], []]
    return left


async def waits_until(org: Org, invoice: Invoice) -> int | None:
    """So many days after it is due the invoice is looked at next."""
    owner = await org.world.house.as_owner()
    try:
        query = "SELECT due_at FROM agenda WHERE subject_id = $1 AND kind = 'follow_invoice'"
        at = await owner.fetchval(query, uuid_of(invoice.id))
    finally:
        await owner.close()
    assert invoice.due_at is not None
    return None if at is None else (at - invoice.due_at).days


async def test_many_looked_at_together_are_as_if_each_were_alone(world: World) -> None:
    # In one go or one by one: the same facts, once, the same reminders and days to come.
    alone = await looked_at(world, ((0,), (1,), (2,), (3,), (4,)))
    together = await looked_at(world, ((4, 2, 0, 3, 1),))
    assert alone == together
    assert [line.count("invoice.overdue") for line in alone] == [1, 0, 1, 1, 0]


async def test_what_is_due_together_is_one_task(world: World) -> None:
    # A day on which many invoices fall due costs one job; whoever brings it again tells nothing.
    org = await world.org()
    made = [await org.invoice(await org.customer(token=None)) for _ in range(4)]
    await world.drain()
    for each in made:
        await age(org, each, 40)
    await drain_agenda(world.app)
    jobs = [each for each in await queued(world) if '"FollowInvoice' in each]
    assert len(jobs) == 1
    assert all(str(uuid_of(each.id)) in jobs[0] for each in made)
    await world.drain()
    again = LookAgain(tuple(each.id for each in made))
    assert await world.system(org.id).run(look_again, again) == 0
    for each in made:
        told = [one.name for one in await org.caller.look(timeline, each.id)]
        assert told.count("invoice.overdue") == 1


async def test_a_day_of_very_many_fits_into_its_jobs(world: World) -> None:
    # As many as one look at the agenda finds: every one of them is asked for, in jobs of few bytes.
    org = await world.org()
    many = new_uuids(200)
    await world.drain()
    owner = await world.house.as_owner()
    try:
        await owner.execute(
            "INSERT INTO agenda (org_id, kind, subject_id, clock, due_at)"
            " SELECT $1, 'follow_invoice', id, 'business', now() FROM unnest($2::uuid[]) AS m (id)",
            *(uuid_of(org.id), many),
        )
    finally:
        await owner.close()
    await drain_agenda(world.app)
    jobs = [each for each in await queued(world) if '"FollowInvoices"' in each]
    assert sum(str(each) in job for each in many for job in jobs) == len(many)
    assert max(map(len, jobs)) <= PAYLOAD_BYTES_MAX
    await world.drain()
    assert [each for each in many if await waiting(org, InvoiceId(print_id("inv", each)))] == []


async def test_an_invoice_that_is_not_there_is_not_looked_for_again(world: World) -> None:
    # Its day comes off the agenda, and those beside it are looked at all the same.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    await age(org, invoice, 40)
    nobody = InvoiceId(print_id("inv", new_uuid()))
    owner = await world.house.as_owner()
    try:
        await owner.execute(
            "INSERT INTO agenda (org_id, kind, subject_id, clock, due_at)"
            " VALUES ($1, 'follow_invoice', $2, 'business', now())",
            *(uuid_of(org.id), uuid_of(nobody)),
        )
    finally:
        await owner.close()
    look = LookAgain((nobody, invoice.id))
    assert await world.system(org.id).run(look_again, look) == 1
    assert await waiting(org, nobody) == 0


async def queued(world: World) -> list[str]:
    """What waits in the queues, as it is written there."""
    owner = await world.house.as_owner()
    try:
        found = await owner.fetch(
            "SELECT convert_from(payload, 'UTF8') AS task FROM queue.pgqueuer"
        )
    finally:
        await owner.close()
    return [row["task"] for row in found]


async def test_nobody_is_reminded_of_what_is_settled(world: World) -> None:
    # Paid or void: nothing waits on the agenda any more.
    org = await world.org()
    await say(org, reminder_days=(1,))
    customer = await org.customer()
    paid, void = await org.invoice(customer), await org.invoice(customer)
    await org.pay(paid.id)
    await org.caller.run(void_invoice, VoidInvoice(void.id))
    assert await waiting(org, paid.id) == await waiting(org, void.id) == 0
    opened = await org.invoice(customer)
    assert await waiting(org, opened.id) == 1


async def test_an_organization_may_write_no_mail(world: World) -> None:
    # The fact is told all the same: others may write.
    org = await world.org()
    await say(org, sends_mail=False)
    invoice = await org.invoice(await org.customer(token=None))
    sent = await send_invoice(org.caller, invoice.id)
    assert sent.sent_at is not None
    assert await letters_about(world, invoice) == []


async def waiting(org: Org, invoice_id: InvoiceId) -> int:
    owner = await org.world.house.as_owner()
    try:
        query = "SELECT count(*) FROM agenda WHERE subject_id = $1 AND kind = 'follow_invoice'"
        return int(await owner.fetchval(query, uuid_of(invoice_id)))
    finally:
        await owner.close()
