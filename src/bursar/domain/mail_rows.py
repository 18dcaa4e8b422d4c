"""What the database keeps of mail becomes that noun again; never what stands in one."""

from bursar.domain import ids
from bursar.domain.mails import Mail, MailKind, MailStatus
from bursar.domain.rows import Record


def row_to_mail(record: Record) -> Mail:
    """From every column of `mails` but its content."""
    invoice_id = record["invoice_id"]
    return Mail(
        id=ids.MailId(ids.print_id("mail", record["id"])),
        kind=MailKind(record["kind"]),
        language=record["language"],
        recipient=record["recipient"],
        invoice_id=None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        status=MailStatus(record["status"]),
        attempt_count=record["attempt_count"],
        transport=record["transport"],
        reference=record["reference"],
        failure=record["failure"],
        created_at=record["created_at"],
        settled_at=record["settled_at"],
    )
