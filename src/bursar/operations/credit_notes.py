"""Credit notes: issue one, of a whole invoice, of lines, or of an amount."""

from msgspec import Struct, field

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.credit_notes import (
    CreditDestination,
    CreditNote,
    Taken,
    applied_of,
    by_amount,
    by_line,
    issue,
    noted_lines,
    require_notable,
    whole,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CreditNoteId, CreditNoteLineId, InvoiceId, InvoiceLineId, RefundId
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money, total
from bursar.domain.numbering import Numbered
from bursar.domain.refunds import Refund, RefundStatus, begin
from bursar.domain.refusals import InvalidInput
from bursar.domain.tasks import CloseAttempt, ConfirmRefund
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import collection, credit_notes, customers, invoices, orgs, payments, series
from bursar.store.apply import apply


class CreditedLine(Struct, frozen=True):
    """A line to take back, all that is left of it unless an amount is named."""

    invoice_line_id: InvoiceLineId
    amount_minor: int | None = None


class IssueCreditNote(Struct, frozen=True, kw_only=True):
    """What to take back: these lines, or an amount, or all that is left; taxes included."""

    invoice_id: InvoiceId
    lines: tuple[CreditedLine, ...] = ()
    amount_minor: int | None = None
    destination: CreditDestination = CreditDestination.CREDIT_BALANCE
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@operation(requires=Permission.REFUND_WRITE)
async def issue_credit_note(tx: Tx, command: IssueCreditNote) -> CreditNote:
    """Number it, book it, lower what is due; the rest is the customer's credit, or is refunded.

    Raises:
        NotFound: no such invoice, or no such line of it.
        IllegalTransition: the invoice is neither open nor paid.
        InvalidInput: nothing of a line is left, or nothing there to refund.
        CreditAboveInvoice: more than is left.
        NotRefundable, RefundAboveRest: the payment does not hold so much any more.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    require_notable(invoice)
    before = await credit_notes.taken_before(tx, invoice)
    note = await _note(tx, command, invoice, before)
    change = issue(note, invoice)
    if command.destination is CreditDestination.REFUND:
        change = await _refunded(tx, change, note, invoice)
    attempt = await payments.open_attempt(tx, invoice.id)
    if attempt is not None:
        change = replace(change, tasks=(*change.tasks, CloseAttempt(attempt.id)))
    written = (await apply(tx, await collection.follow(tx, change)))[note.id]
    assert isinstance(written, CreditNote)
    return written


def _taken(command: IssueCreditNote, invoice: Invoice, before: Taken) -> Taken:
    code = invoice.currency
    if command.lines:
        wanted = {
            each.invoice_line_id: None
            if each.amount_minor is None
            else Money(each.amount_minor, code)
            for each in command.lines
        }
        return by_line(invoice, before, wanted)
    if command.amount_minor is None:
        return whole(invoice, before)
    return by_amount(invoice, before, Money(command.amount_minor, code))


async def _note(tx: Tx, command: IssueCreditNote, invoice: Invoice, before: Taken) -> CreditNote:
    taken = _taken(command, invoice, before)
    organization = await orgs.get(tx)
    numbering = organization.numbering
    ids = [CreditNoteLineId(tx.new_id("cnl")) for _ in taken]
    lines = noted_lines(invoice, before, taken=taken, ids=ids)
    amount = total((each.amount for each in lines), invoice.currency)
    applied = applied_of(amount, invoice)
    is_refund = command.destination is CreditDestination.REFUND
    return CreditNote(
        id=CreditNoteId(tx.new_id("cn")),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        number=await series.next_number(tx, numbering, invoice.customer_id, Numbered.CREDIT_NOTE),
        currency=invoice.currency,
        lines=lines,
        total=amount,
        tax=total((each.tax for each in lines), invoice.currency),
        applied=applied,
        credited=amount - applied,
        destination=command.destination,
        refund_id=RefundId(tx.new_id("rfd")) if is_refund else None,
        reason=command.reason,
        metadata=command.metadata,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )


async def _refunded(tx: Tx, change: Change, note: CreditNote, invoice: Invoice) -> Change:
    """The same, and a refund out of the credit that the note has just given."""
    payment = await credit_notes.refundable_payment(tx, invoice)
    if payment is None or not note.credited.is_positive:
        raise InvalidInput.at("destination", "nothing was paid that could be refunded", "unpaid")
    assert note.refund_id is not None
    refund = Refund(
        id=note.refund_id,
        payment_id=payment.id,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        status=RefundStatus.PENDING,
        amount=note.credited,
        credit=note.credited,
        reason=note.reason,
        provider=payment.provider,
        provider_reference=None,
        failure_code=None,
        failure_message=None,
        attempt_key=f"credit_note:{note.id}",
        watch_step=0,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.now,
    )
    begun = begin(refund, payment, None, tx.now)
    # The refund is kept first: the note refers to it.
    return replace(
        change,
        rows=(*begun.rows, *change.rows),
        postings=(*change.postings, *begun.postings),
        events=(*change.events, *begun.events),
        tasks=(*change.tasks, *begun.tasks, ConfirmRefund(refund.id)),
        agenda=(*change.agenda, *begun.agenda),
    )
