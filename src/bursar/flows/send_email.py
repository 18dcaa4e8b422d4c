"""Sends one mail: begin, enclose, send, settle."""

from dataclasses import replace
from typing import Final

from bursar.domain.documents import DocumentNotRendered
from bursar.domain.ids import MailId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.mails import ENCLOSED_BYTES_MAX, ENCLOSING, Enclosure, Letter, MailDeferred
from bursar.domain.refusals import MailNotSent
from bursar.operations.mails import BeginMail, SettleMail, begin_mail, settle_mail
from bursar.reads.invoices import invoice, invoice_document
from bursar.runtime.app import Caller
from bursar.runtime.logging import get_log

log = get_log()
_PAGE: Final = "/i/"


async def send_email(caller: Caller, mail_id: MailId) -> None:
    """One attempt. Only when its record is lost can a mail leave twice, under the same id.

    Raises:
        MailNotSent: not this time; the queue tries again.
    """
    letter = await caller.run(begin_mail, BeginMail(mail_id))
    if letter is None:
        return
    mailer = caller.app.mailer
    outcome = await mailer.send(await _enclosed(caller, letter))
    await caller.run(settle_mail, SettleMail(mail_id, outcome, mailer.name))
    if isinstance(outcome, MailDeferred):
        raise MailNotSent(f"The mail was not sent: {outcome.reason}.")


async def _enclosed(caller: Caller, letter: Letter) -> Letter:
    """The letter with its invoice as it is now; without, where the printer fails: it has a link."""
    is_paper = letter.kind in ENCLOSING and caller.app.mailer.takes_files
    if letter.invoice_id is None or not is_paper:
        return letter
    found = await caller.look(invoice, letter.invoice_id)
    document = await caller.look(invoice_document, found.id)
    if found.status is InvoiceStatus.OPEN:
        page = f"{caller.app.settings.public_url.rstrip('/')}{_PAGE}{letter.parameters['token']}"
        document = replace(document, payment_url=page)
    try:
        body = await caller.app.renderer.invoice_pdf(document)
    except DocumentNotRendered:
        log.warning("mail.not_enclosed", mail_id=letter.id)
        return letter
    if len(body) > ENCLOSED_BYTES_MAX:
        return letter
    return replace(letter, enclosure=Enclosure(f"{found.number}.pdf", body))
