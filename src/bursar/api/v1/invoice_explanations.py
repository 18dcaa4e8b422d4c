"""`/v1/invoices/{id}/explain`: why an invoice is over what it is."""

from bursar.api.envelope import resource
from bursar.api.fields import NoQuery
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.explanations import explain
from bursar.domain.ids import InvoiceId
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.explanations import ExplanationOut
from bursar.reads.explanations import usage_behind
from bursar.reads.invoices import invoice as invoice_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Invoices", prefix="/v1/invoices", about="Why one is over what it is.")


@ROOM.get(
    "/{invoiceId}/explain",
    Terms(needs=Permission.INVOICE_READ, gives=ExplanationOut, refuses=(NotFound,)),
)
async def explain_invoice(call: Call[None, NoQuery]) -> Answer:
    """Explain an invoice.

    Every line is worked out anew from its derivation (prices, tiers, parts of a period), then
    discounts, taxes and totals by the rounding law. Whatever was billed otherwise is named. Lines
    for usage say up to when it was known, and name some of its events.
    """
    found = await call.caller.look(invoice_look, InvoiceId(call.id("invoiceId")))
    sampled = await call.caller.look(usage_behind, found.id)
    return resource(ExplanationOut.of(explain(found), sampled))
