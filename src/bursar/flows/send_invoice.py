"""Sends an invoice to its customer; a draft is finalized first."""

from collections.abc import Callable

from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.sending import MailInvoice, mail_invoice
from bursar.reads.invoices import status_to_send
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


async def send_invoice(
    caller: Caller, invoice_id: InvoiceId, answer: Callable[[Invoice], Answer] | None = None
) -> Invoice:
    """The invoice, final and on its way. Whoever dies in between repeats it and finds it final.

    Raises:
        NotFound: no such invoice.
        IllegalTransition: it is void.
    """
    if await caller.look(status_to_send, invoice_id) is InvoiceStatus.DRAFT:
        await caller.run(finalize_invoice, FinalizeInvoice(invoice_id), answer=lambda _: None)
    return await caller.run(mail_invoice, MailInvoice(invoice_id), answer=answer)
