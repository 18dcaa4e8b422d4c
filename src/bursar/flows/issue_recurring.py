"""Makes the invoice of a recurring one that is due: draft, then finalize, then send."""

from contextlib import suppress

from bursar.domain.ids import RecurringInvoiceId
from bursar.domain.refusals import IllegalTransition
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.recurring_invoices import DraftOccurrence, draft_occurrence
from bursar.operations.sending import MailInvoice, mail_invoice
from bursar.runtime.app import Caller


async def issue_recurring(caller: Caller, template_id: RecurringInvoiceId) -> None:
    """One occurrence. Whoever dies in between is followed by the next, who finds the draft."""
    issued = await caller.run(draft_occurrence, DraftOccurrence(template_id))
    if issued is None or not issued.template.auto_finalize:
        return
    with suppress(IllegalTransition):  # somebody else was faster
        await caller.run(finalize_invoice, FinalizeInvoice(issued.invoice.id))
    if issued.template.auto_send:
        with suppress(IllegalTransition):  # void by now: somebody took it back
            await caller.run(mail_invoice, MailInvoice(issued.invoice.id, is_once=True))
