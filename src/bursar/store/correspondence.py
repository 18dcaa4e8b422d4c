"""Mail to customers, and the days on which an open invoice is looked at again.

A letter is written into the outbox by the commit that causes it, and leaves after that commit.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.correspondence import InvoiceCalendar, Occasion, kind_for
from bursar.domain.credit_notes import CreditNote
from bursar.domain.customers import Customer
from bursar.domain.events import (
    CreditNoteCreated,
    Event,
    InvoiceFinalized,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoiceVoided,
    Row,
)
from bursar.domain.ids import uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.mails import MailKind
from bursar.domain.payment_events import PaymentFailed
from bursar.domain.payments import Payment
from bursar.domain.rows import row_to_customer
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.runtime.tokens import HostedLink, print_hosted_token
from bursar.store import agenda, document_settings, invoices, mails, orgs

Q = sql.beside(__file__)

_ENDS: Final = (InvoicePaid, InvoiceVoided, InvoiceMarkedUncollectible)
_LETTERS: Final = (InvoicePaid, PaymentFailed, CreditNoteCreated)
_CAUSES: Final = (*_ENDS, InvoiceFinalized, *_LETTERS)


async def follow(tx: Tx, events: Sequence[Event], written: Mapping[str, Row]) -> None:
    """What facts about invoices cause beside themselves: a day on the agenda, a letter."""
    for event in events:
        if isinstance(event, _CAUSES):
            await _follow(tx, event, written)


async def follow_together(tx: Tx, events: Sequence[Event], written: Mapping[str, Row]) -> list[Due]:
    """The same for many documents that billing makes; gives the days on the agenda."""
    finalized = [each for each in events if isinstance(each, InvoiceFinalized)]
    await follow(tx, [each for each in events if not isinstance(each, InvoiceFinalized)], written)
    if not finalized:
        return []
    known = await calendar(tx)
    days = []
    for event in finalized:
        invoice = written[event.subject.id]
        assert isinstance(invoice, Invoice)
        look = known.next_look(invoice, tx.now)
        if isinstance(look, Due):
            days.append(look)
    return days


async def calendar(tx: Tx) -> InvoiceCalendar:
    """The days on which the organization looks at open invoices."""
    return InvoiceCalendar(await document_settings.get(tx), (await orgs.get(tx)).timezone)


async def _follow(tx: Tx, event: Event, written: Mapping[str, Row]) -> None:
    subject = written[event.subject.id]
    if isinstance(event, _ENDS) and isinstance(subject, Invoice):
        await agenda.note(tx, Undue(DueKind.FOLLOW_INVOICE, subject.id))
    elif isinstance(event, InvoiceFinalized) and isinstance(subject, Invoice):
        await wait_for(tx, subject)
    if isinstance(event, _LETTERS):
        await _write(tx, event, subject)


async def _write(tx: Tx, event: Event, subject: Row) -> None:
    kind = kind_for(event, await document_settings.get(tx))
    if kind is None:
        return
    if isinstance(subject, Payment) and subject.invoice_id is not None:
        await write(tx, await invoices.get(tx, subject.invoice_id), kind)
    elif isinstance(subject, CreditNote):
        await write(tx, await invoices.get(tx, subject.invoice_id), kind, subject)
    elif isinstance(subject, Invoice) and not subject.total.is_zero:
        await write(tx, subject, kind)


async def wait_for(tx: Tx, invoice: Invoice) -> None:
    """Look at the invoice again on the next day that matters, or never again."""
    await agenda.note(tx, (await calendar(tx)).next_look(invoice, tx.now))


async def write(tx: Tx, invoice: Invoice, kind: MailKind, note: CreditNote | None = None) -> bool:
    """Write to the customer, unless the organization writes no mail or they cannot be reached."""
    settings, customer = await document_settings.get(tx), await _customer(tx, invoice)
    if not settings.reaches(customer.email):
        return False
    link = HostedLink(uuid_of(tx.org_id), uuid_of(invoice.id), invoice.hosted_generation)
    token = print_hosted_token(tx.keys, link)
    occasion = Occasion(invoice, await orgs.get(tx), customer, settings, token, note)
    await mails.post(tx, occasion.letter(kind, tx.now))
    return True


async def reaches(tx: Tx, invoice: Invoice) -> bool:
    """Whether the customer can be written to."""
    return (await document_settings.get(tx)).reaches((await _customer(tx, invoice)).email)


async def _customer(tx: Tx, invoice: Invoice) -> Customer:
    row = await tx.fetchrow(Q.concerned, uuid_of(tx.org_id), uuid_of(invoice.id))
    assert row is not None, "an invoice is to somebody"
    return row_to_customer(row)


async def remind(tx: Tx, invoice: Invoice, days: int) -> None:
    """Write the reminder of a day, once."""
    key = uuid_of(tx.org_id), uuid_of(invoice.id), days
    if await tx.fetchval(Q.note_reminder, *key, tx.now) is not None:
        await write(tx, invoice, MailKind.REMINDER)
