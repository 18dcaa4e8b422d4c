"""`/v1/emails`: what an organization's mail became."""

from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.shapes.mails import EmailOut
from bursar.reads.mails import mails
from bursar.runtime.idempotency import Answer

ROOM = Room("E-mails", prefix="/v1/emails", about="Mail that was sent, and what became of it.")


@ROOM.get("", Terms(needs=Permission.MAIL_READ, gives=EmailOut, is_list=True, query=ListQuery))
async def list_emails(call: Call[None, ListQuery]) -> Answer:
    """List mail, newest first; never what stands in it."""
    page = pages(call.caller, call.query)
    return piece(call.caller, page, await call.caller.look(mails, page), EmailOut.of)
