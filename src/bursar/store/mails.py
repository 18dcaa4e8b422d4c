"""Mail as it is kept, and the task that sends it: one commit, so neither is without the other.

`post` writes into the scope the transaction is bound to: an organization, or a person alone.
"""

import msgspec

from bursar.domain.ids import InvoiceId, MailId, print_id, uuid_of
from bursar.domain.mails import (
    FAILURE_LENGTH_MAX,
    Letter,
    MailDeferred,
    MailKind,
    MailOutcome,
    MailRefused,
    MailSent,
    MailStatus,
    NewMail,
    status_after,
)
from bursar.domain.tasks import SendMail
from bursar.runtime import sql
from bursar.runtime.db import Record, Tx

Q = sql.beside(__file__)


async def post(tx: Tx, mail: NewMail) -> MailId:
    """Write a mail; it leaves after the commit."""
    mail_id = MailId(tx.new_id("mail"))
    sealed = tx.keys.seal(msgspec.json.encode(mail.parameters), context=mail_id.encode())
    await tx.execute(
        Q.add_mail,
        uuid_of(tx.org_id),
        uuid_of(mail_id),
        mail.kind.value,
        mail.language,
        mail.recipient,
        sealed,
        None if mail.invoice_id is None else uuid_of(mail.invoice_id),
    )
    await tx.enqueue(SendMail(mail_id))
    return mail_id


async def unsent(tx: Tx, mail_id: MailId) -> Letter | None:
    """The letter, if it has not left."""
    row = await tx.fetchrow(Q.unsent_mail, uuid_of(tx.org_id), uuid_of(mail_id))
    return None if row is None else _letter(tx, row)


async def kept(tx: Tx, mail_id: MailId) -> Letter | None:
    """The letter, if it can still be read."""
    row = await tx.fetchrow(Q.kept_mail, uuid_of(tx.org_id), uuid_of(mail_id))
    return None if row is None else _letter(tx, row)


async def settle(tx: Tx, mail_id: MailId, outcome: MailOutcome, transport: str) -> None:
    """Keep what became of an attempt; a mail that has left stays as it is."""
    key = uuid_of(tx.org_id), uuid_of(mail_id)
    attempt = await tx.fetchval(Q.count_attempt, *key)
    if attempt is None:
        return
    status = status_after(outcome, attempt)
    reference = outcome.reference if isinstance(outcome, MailSent) else None
    failure = None
    if isinstance(outcome, MailDeferred | MailRefused):
        failure = outcome.reason[:FAILURE_LENGTH_MAX]
    is_settled, has_left = status is not MailStatus.PENDING, status is MailStatus.SENT
    await tx.execute(
        Q.settle_mail, *key, status.value, transport, reference, failure, is_settled, has_left
    )


def _letter(tx: Tx, row: Record) -> Letter:
    mail_id = MailId(print_id("mail", row["id"]))
    plain = tx.keys.unseal(row["parameters_sealed"], context=mail_id.encode())
    about = row["invoice_id"]
    return Letter(
        id=mail_id,
        kind=MailKind(row["kind"]),
        language=row["language"],
        recipient=row["recipient"],
        parameters=msgspec.json.decode(plain, type=dict[str, str]),
        invoice_id=None if about is None else InvoiceId(print_id("inv", about)),
    )
