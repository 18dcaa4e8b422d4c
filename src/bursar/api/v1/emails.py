"""`/v1/emails`: what an organization's mail became."""

from bursar.api.fields import InvoiceRef
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.mails import MailStatus
from bursar.domain.shapes.mails import EmailOut
from bursar.reads.mails import mails
from bursar.runtime.idempotency import Answer

ROOM = Room("E-mails", prefix="/v1/emails", about="Mail that was sent, and what became of it.")


class EmailQuery(ListQuery, frozen=True):
    """Which mail: about one invoice, or in these states; `status` may name several."""

    invoice_id: InvoiceRef | None = None
    status: Values | None = None


@ROOM.get("", Terms(needs=Permission.MAIL_READ, gives=EmailOut, is_list=True, query=EmailQuery))
async def list_emails(call: Call[None, EmailQuery]) -> Answer:
    """List mail, newest first; never what stands in it."""
    page, query = pages(call.caller, call.query), call.query
    statuses = several(query.status, MailStatus, MailStatus, field="status")
    shown = await call.caller.look(mails, page, query.invoice_id, statuses)
    return piece(call.caller, page, shown, EmailOut.of)
