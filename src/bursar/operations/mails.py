"""Mail on its way out: what to send, and what became of it."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import MailId
from bursar.domain.mails import Letter, MailOutcome
from bursar.domain.refusals import NotFound
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import document_settings, mails


class BeginMail(Struct, frozen=True):
    """A mail that waits."""

    mail_id: MailId


@operation(requires=Permission.MAIL_SEND)
async def begin_mail(tx: Tx, command: BeginMail) -> Letter | None:
    """The letter to send, in an organization's name with its logo; nothing, when it has left."""
    letter = await mails.unsent(tx, command.mail_id)
    if letter is None or letter.invoice_id is None:
        return letter
    return replace(letter, logo=(await document_settings.get(tx)).logo)


class SettleMail(Struct, frozen=True):
    """What the mail server said."""

    mail_id: MailId
    outcome: MailOutcome
    transport: str


@operation(requires=Permission.MAIL_SEND)
async def settle_mail(tx: Tx, command: SettleMail) -> None:
    """Keep what became of the attempt; a mail that left forgets what stood in it."""
    await mails.settle(tx, command.mail_id, command.outcome, command.transport)


class OpenMail(Struct, frozen=True):
    """A mail to read where it lies."""

    mail_id: MailId


@operation(requires=Permission.MAIL_SEND)
async def open_mail(tx: Tx, command: OpenMail) -> Letter:
    """The letter, for whoever runs this installation.

    Raises:
        NotFound: no such mail, or it has left and nobody can read it here any more.
    """
    letter = await mails.kept(tx, command.mail_id)
    if letter is None:
        raise NotFound(f"No mail {command.mail_id} that could still be read.")
    return letter
