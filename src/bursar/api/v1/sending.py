"""`/v1/invoices/{id}/send`: an invoice on its way to the customer."""

from bursar.api.envelope import Reply, found, travelled
from bursar.api.fields import NoQuery, Nothing
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import IllegalTransition, NotFound
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.flows.send_invoice import send_invoice
from bursar.runtime.idempotency import Answer

ROOM = Room("Invoices", prefix="/v1/invoices", about="Sending one to its customer.")


@ROOM.post(
    "/{invoiceId}/send",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=InvoiceOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def send_one_invoice(call: Call[Nothing, NoQuery]) -> Answer:
    """Send an invoice to its customer by mail; a draft is finalized first.

    The mail carries the link to see and pay it, and leaves right after; `/v1/emails` says what
    became of it. Sending again writes again.
    """
    reply: Reply[Invoice] = found(InvoiceOut.of)
    journey = send_invoice(call.caller, InvoiceId(call.id("invoiceId")), reply)
    return await travelled(journey, reply)
