"""The PDF of an invoice, as an answer: with the link to pay it while there is something to pay."""

from dataclasses import replace
from typing import Final

from bursar.api.hosted_links import own_hosted_url
from bursar.domain.credit_note_documents import NotePrinting
from bursar.domain.credit_notes import CreditNote
from bursar.domain.documents import DocumentNotRendered, InvoiceDocument
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import Unavailable
from bursar.reads.invoices import invoice_document, invoice_printing
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

PDF: Final = "application/pdf"
XML: Final = "application/xml"


async def printed(caller: Caller, invoice: Invoice) -> Answer:
    """The invoice's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    document = await caller.look(invoice_document, invoice.id)
    if invoice.status is InvoiceStatus.OPEN:
        document = replace(document, payment_url=own_hosted_url(caller, invoice))
    return await _sheets(caller, document, str(invoice.number or invoice.id))


async def acknowledged(caller: Caller, invoice: Invoice, receipt: InvoiceDocument) -> Answer:
    """The receipt's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    return await _sheets(caller, receipt, f"{invoice.number}-receipt")


async def noted(caller: Caller, note: CreditNote) -> Answer:
    """The credit note's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    printing = await caller.look(invoice_printing, note.invoice_id)
    return await _sheets(caller, NotePrinting(note, printing).document(), str(note.number))


async def _sheets(caller: Caller, document: InvoiceDocument, name: str) -> Answer:
    try:
        body = await caller.app.renderer.invoice_pdf(document)
    except DocumentNotRendered as failed:
        raise Unavailable("The document could not be printed in time; try again.") from failed
    disposition = f'inline; filename="{name}.pdf"'
    return Answer(200, body, (("Content-Type", PDF), ("Content-Disposition", disposition)))
