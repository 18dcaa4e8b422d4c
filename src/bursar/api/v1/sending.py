"""`/v1/invoices/{id}/send` and `/xml`: an invoice on its way to people and to machines."""

from bursar.api.envelope import Reply, found, travelled
from bursar.api.fields import NoQuery, Nothing
from bursar.api.printing import XML, spelled
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.einvoices import einvoice
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import IllegalTransition, NotExpressible, NotFound
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.flows.send_invoice import send_invoice
from bursar.reads.invoices import invoice_printing
from bursar.runtime.idempotency import Answer

ROOM = Room("Invoices", prefix="/v1/invoices", about="Sending one, to people and to machines.")


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


@ROOM.get(
    "/{invoiceId}/xml",
    Terms(
        needs=Permission.INVOICE_READ, media=XML, is_tagged=True, refuses=(NotFound, NotExpressible)
    ),
)
async def get_invoice_xml(call: Call[None, NoQuery]) -> Answer:
    """Get an invoice as an e-invoice: Cross Industry Invoice, EN 16931 (Factur-X, ZUGFeRD).

    The same file lies in the PDF. A draft has none, and neither has an invoice with a line on which
    several taxes lie. The SHA-256 of the bytes is the `ETag`: who names it in `If-None-Match` has
    the file already, and is answered 304.
    """
    printing = await call.caller.look(invoice_printing, InvoiceId(call.id("invoiceId")))
    return spelled(einvoice(printing), str(printing.invoice.number or printing.invoice.id))
