"""Sends one mail: begin, send, settle."""

from bursar.domain.ids import MailId
from bursar.domain.mails import MailDeferred
from bursar.domain.refusals import MailNotSent
from bursar.operations.mails import BeginMail, SettleMail, begin_mail, settle_mail
from bursar.runtime.app import Caller


async def send_email(caller: Caller, mail_id: MailId) -> None:
    """One attempt. Only when its record is lost can a mail leave twice, under the same id.

    Raises:
        MailNotSent: not this time; the queue tries again.
    """
    letter = await caller.run(begin_mail, BeginMail(mail_id))
    if letter is None:
        return
    mailer = caller.app.mailer
    outcome = await mailer.send(letter)
    await caller.run(settle_mail, SettleMail(mail_id, outcome, mailer.name))
    if isinstance(outcome, MailDeferred):
        raise MailNotSent(f"The mail was not sent: {outcome.reason}.")
