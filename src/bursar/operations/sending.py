"""Sending invoices: the mail to the customer, and what comes after when nobody pays."""

from msgspec import Struct

from bursar.domain.access import Permission, opens_invoice
from bursar.domain.agenda import DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.mails import MailKind
from bursar.domain.refusals import NotFound
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import billing_run, correspondence, customers, invoices
from bursar.store.apply import apply


class MailInvoice(Struct, frozen=True):
    """An invoice to send; `is_once` leaves one alone that was sent before."""

    invoice_id: InvoiceId
    is_once: bool = False


@operation(requires=Permission.INVOICE_FINALIZE)
async def mail_invoice(tx: Tx, command: MailInvoice) -> Invoice:
    """Write to the customer, with the link to see and pay it; the mail leaves after the commit.

    Raises:
        IllegalTransition: it is a draft, or void.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    if command.is_once and invoice.sent_at is not None:
        return invoice
    sent = await _written(tx, invoice, invoice.send(tx.now))
    await correspondence.write(tx, sent, MailKind.INVOICE)
    return sent


class RenewLink(Struct, frozen=True):
    """The invoice whose link has ended."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_PAY)
async def renew_link(tx: Tx, command: RenewLink) -> None:
    """Mail a link that works to the customer, and to nobody else, whoever asks.

    Nothing tells the caller whether a mail left: not where none are sent, and not within the hour.

    Raises:
        NotFound: it is not the invoice of the link that asks.
    """
    if not opens_invoice(tx.actor, command.invoice_id):
        raise NotFound(f"No invoice {command.invoice_id}.")
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    change = invoice.renew_link(tx.now)
    if change is None or not await correspondence.reaches(tx, invoice):
        return
    renewed = await _written(tx, invoice, change)
    await correspondence.write(tx, renewed, MailKind.NEW_LINK)


class RevokeLink(Struct, frozen=True):
    """An invoice whose links are in the wrong hands."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def revoke_link(tx: Tx, command: RevokeLink) -> Invoice:
    """End every link to its page that was given out; whoever is sent it next gets one that works.

    Raises:
        IllegalTransition: it is a draft.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    return await _written(tx, invoice, invoice.revoke_link())


class LookAgain(Struct, frozen=True):
    """Invoices on a day that matters."""

    invoice_ids: tuple[InvoiceId, ...]


@operation(requires=Permission.INVOICE_FINALIZE)
async def look_again(tx: Tx, command: LookAgain) -> int:
    """Tell that open invoices are overdue, and remind of them, each once; then wait again.

    Of several reminders whose day has passed in the meantime only the last is written. However many
    invoices there are, it takes as many statements; gives how many became overdue.
    """
    await customers.lock_through_many(tx, command.invoice_ids)
    found = await invoices.get_many(tx, command.invoice_ids)
    calendar = await correspondence.calendar(tx)
    changes = [change for each in found if (change := each.fall_due(tx.now)) is not None]
    gone = set(command.invoice_ids) - {each.id for each in found}
    waits = [
        *(calendar.next_look(each, tx.now) for each in found),
        *(Undue(DueKind.FOLLOW_INVOICE, each) for each in sorted(gone)),
    ]
    await billing_run.apply_together(tx, [*changes, Change(agenda=tuple(waits))])
    for each in found:
        days = calendar.reminder_due(each, tx.now)
        if days is not None:
            await correspondence.remind(tx, each, days)
    return len(changes)


async def _written(tx: Tx, invoice: Invoice, change: Change | None) -> Invoice:
    if change is None:
        return invoice
    written = (await apply(tx, change))[invoice.id]
    assert isinstance(written, Invoice)
    return written
