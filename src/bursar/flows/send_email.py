"""Sends one mail: begin, enclose, send, settle."""

from collections.abc import Awaitable, Callable
from typing import Final

from bursar.domain.credit_note_documents import NotePrinting
from bursar.domain.documents import DocumentNotRendered
from bursar.domain.frozen import replace
from bursar.domain.ids import CreditNoteId, MailId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.mails import (
    ENCLOSED_BYTES_MAX,
    ENCLOSING,
    Enclosure,
    Letter,
    MailDeferred,
    MailKind,
)
from bursar.domain.prints import Paper, Print
from bursar.domain.refusals import MailNotSent
from bursar.operations.mails import BeginMail, SettleMail, begin_mail, settle_mail
from bursar.reads.credit_notes import credit_note
from bursar.reads.invoices import invoice, invoice_document, invoice_printing
from bursar.runtime.app import Caller
from bursar.runtime.logging import get_log

log = get_log()
_PAGE: Final = "/i/"

Printer = Callable[[Caller, Paper], Awaitable[Print]]
"""Who prints what is enclosed: another journey, which keeps it."""


async def send_email(caller: Caller, mail_id: MailId, printed: Printer) -> None:
    """One attempt. Only when its record is lost can a mail leave twice, under the same id.

    Raises:
        MailNotSent: not this time; the queue tries again.
    """
    letter = await caller.run(begin_mail, BeginMail(mail_id))
    if letter is None:
        return
    mailer = caller.app.mailer
    outcome = await mailer.send(await _enclosed(caller, letter, printed))
    await caller.run(settle_mail, SettleMail(mail_id, outcome, mailer.name))
    if isinstance(outcome, MailDeferred):
        raise MailNotSent(f"The mail was not sent: {outcome.reason}.")


async def _enclosed(caller: Caller, letter: Letter, printed: Printer) -> Letter:
    """The letter with its document as it is now; where the printer fails, it has its link."""
    if letter.kind not in ENCLOSING or not caller.app.mailer.takes_files:
        return letter
    paper = await _paper(caller, letter)
    if paper is None:
        return letter
    name, asked = paper
    try:
        body = (await printed(caller, asked)).body
    except DocumentNotRendered:
        log.warning("mail.not_enclosed", mail_id=letter.id)
        return letter
    if len(body) > ENCLOSED_BYTES_MAX:
        return letter
    return replace(letter, enclosure=Enclosure(f"{name}.pdf", body))


async def _paper(caller: Caller, letter: Letter) -> tuple[object, Paper] | None:
    """What the letter is about, by its number: the credit note that it names, or its invoice."""
    assert letter.invoice_id is not None, "what is enclosed belongs to an invoice"
    if letter.kind is MailKind.CREDIT_NOTE:
        return await _note(caller, letter.parameters.get("note_id"))
    found = await caller.look(invoice, letter.invoice_id)
    document = await caller.look(invoice_document, found.id)
    if found.status is InvoiceStatus.OPEN:
        page = f"{caller.app.settings.public_url.rstrip('/')}{_PAGE}{letter.parameters['token']}"
        document = replace(document, payment_url=page)
    return found.number, Paper(found.id, found.id, document)


async def _note(caller: Caller, note_id: str | None) -> tuple[object, Paper] | None:
    if note_id is None:
        return None  # a letter of before notes were enclosed
    note = await caller.look(credit_note, CreditNoteId(note_id))
    printing = await caller.look(invoice_printing, note.invoice_id)
    document = NotePrinting(note, printing).document()
    return note.number, Paper(note.id, note.invoice_id, document)
