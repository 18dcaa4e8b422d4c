"""Documents as answers: the PDF, which leads to paying while something is due, and the XML."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bursar.api.tags import tag_of
from bursar.domain.credit_notes import CreditNote
from bursar.domain.documents import DocumentNotRendered, InvoiceDocument
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.prints import Print, print_of
from bursar.domain.refusals import Unavailable
from bursar.flows.print_document import print_invoice, print_note
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

PDF: Final = "application/pdf"
XML: Final = "application/xml"


async def printed(caller: Caller, invoice_id: InvoiceId) -> Answer:
    """The invoice's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    with _in_time():
        found, made = await print_invoice(caller, invoice_id)
    return _sheets(made, str(found.number or found.id))


async def acknowledged(caller: Caller, invoice: Invoice, receipt: InvoiceDocument) -> Answer:
    """The receipt's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    with _in_time():
        made = print_of(await caller.app.renderer.invoice_pdf(receipt))
    return _sheets(made, f"{invoice.number}-receipt")


async def noted(caller: Caller, note: CreditNote) -> Answer:
    """The credit note's PDF.

    Raises:
        Unavailable: it could not be printed in time.
    """
    with _in_time():
        made = await print_note(caller, note)
    return _sheets(made, str(note.number))


def spelled(body: bytes, name: str) -> Answer:
    """The e-invoice."""
    return _file(print_of(body), XML, f"{name}.xml")


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except DocumentNotRendered as failed:
        raise Unavailable("The document could not be printed in time; try again.") from failed


def _sheets(made: Print, name: str) -> Answer:
    return _file(made, PDF, f"{name}.pdf")


def _file(made: Print, media: str, name: str) -> Answer:
    """A file that a browser shows; its tag is the digest of its bytes."""
    disposition = ("Content-Disposition", f'inline; filename="{name}"')
    return Answer(200, made.body, (("Content-Type", media), disposition, tag_of(made.digest)))
