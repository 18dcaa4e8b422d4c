"""Prints a document once: look, print, keep. Whoever comes next is served what was kept."""

from contextlib import suppress
from typing import Final

from bursar.domain.credit_note_documents import NotePrinting
from bursar.domain.credit_notes import CreditNote
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.prints import PRINT_LABEL, Paper, Print, fingerprint, print_of
from bursar.operations.prints import KeepPrint, keep_print
from bursar.reads.invoices import invoice, invoice_document, invoice_printing
from bursar.reads.prints import kept_print
from bursar.runtime.app import Caller
from bursar.runtime.crypto import Undecryptable
from bursar.runtime.tokens import HostedLink, print_hosted_token

_PAGE: Final = "/i/"


async def print_invoice(caller: Caller, invoice_id: InvoiceId) -> tuple[Invoice, Print]:
    """An invoice as it is now, with the link to pay it while it is open; a draft is never kept.

    Raises:
        NotFound: no such invoice in this organization.
        DocumentNotRendered: it took too long, or would have too many pages.
    """
    found = await caller.look(invoice, invoice_id)
    document = await caller.look(invoice_document, invoice_id)
    if found.status is InvoiceStatus.OPEN:
        document = replace(document, payment_url=_page_of(caller, found))
    if found.number is None:
        return found, print_of(await caller.app.renderer.invoice_pdf(document))
    return found, await print_document(caller, Paper(found.id, found.id, document))


async def print_note(caller: Caller, note: CreditNote) -> Print:
    """A credit note.

    Raises:
        DocumentNotRendered: it took too long, or would have too many pages.
    """
    printing = await caller.look(invoice_printing, note.invoice_id)
    document = NotePrinting(note, printing).document()
    return await print_document(caller, Paper(note.id, note.invoice_id, document))


async def print_document(caller: Caller, paper: Paper) -> Print:
    """What was kept of it, if it still says the same; else a new print, which is kept.

    Raises:
        DocumentNotRendered: it took too long, or would have too many pages.
    """
    wanted = fingerprint(paper.document, caller.app.renderer.press)
    kept = await caller.look(kept_print, paper.subject_id, wanted)
    if kept is not None:
        # A key that is gone since leaves what nobody can read: it is printed again.
        with suppress(Undecryptable):
            return _opened(caller, paper, kept)
    made = print_of(await caller.app.renderer.invoice_pdf(paper.document))
    command = KeepPrint(paper.subject_id, paper.invoice_id, wanted, made)
    await caller.run(keep_print, command)
    return made


def _opened(caller: Caller, paper: Paper, boxed: bytes) -> Print:
    return print_of(caller.app.keys.unbox(PRINT_LABEL, boxed, context=paper.subject_id.encode()))


def _page_of(caller: Caller, found: Invoice) -> str:
    assert caller.org_id is not None, "an invoice is somebody's"
    link = HostedLink(uuid_of(caller.org_id), uuid_of(found.id), found.hosted_generation)
    token = print_hosted_token(caller.app.keys, link)
    return f"{caller.app.settings.public_url.rstrip('/')}{_PAGE}{token}"
