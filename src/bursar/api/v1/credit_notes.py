"""`/v1/credit-notes`: what is taken back of invoices."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bursar.api.envelope import changed, created, resource
from bursar.api.fields import (
    LINES_MAX,
    Body,
    CustomerRef,
    DryRun,
    InvoiceLineRef,
    InvoiceRef,
    Metadata,
    NoQuery,
    PositiveCents,
    Text500,
)
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.printing import PDF, XML, noted, spelled
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.credit_notes import CreditDestination, CreditNote
from bursar.domain.einvoices import einvoice_of_note
from bursar.domain.ids import CreditNoteId
from bursar.domain.refusals import (
    CreditAboveInvoice,
    IllegalTransition,
    InvalidInput,
    NotExpressible,
    NotFound,
    NotRefundable,
    RefundAboveRest,
    Unavailable,
)
from bursar.domain.shapes.credit_notes import CreditNoteOut
from bursar.operations.credit_notes import CreditedLine, IssueCreditNote, issue_credit_note
from bursar.reads.credit_notes import CreditNoteFilters
from bursar.reads.credit_notes import credit_note as credit_note_look
from bursar.reads.credit_notes import credit_notes as credit_notes_look
from bursar.reads.invoices import invoice_printing
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Credit notes",
    prefix="/v1/credit-notes",
    about="What is taken back of an invoice, line by line and tax by tax; never more than it.",
)


class CreditedLineBody(Body, frozen=True):
    """A line of the invoice, and how much of it; without an amount all that is left."""

    invoice_line_id: InvoiceLineRef
    amount_cents: PositiveCents | None = None


class NewCreditNote(Body, frozen=True):
    """What to take back: `lines`, or `amountCents`, or neither for all that is left."""

    invoice_id: InvoiceRef
    lines: Annotated[list[CreditedLineBody], Meta(max_length=LINES_MAX)] = msgspec.field(
        default_factory=list
    )
    amount_cents: PositiveCents | None = None
    destination: CreditDestination = CreditDestination.CREDIT_BALANCE
    reason: Text500 | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> IssueCreditNote:
        """What it asks for.

        Raises:
            InvalidInput: lines and an amount, or a line twice.
        """
        if self.lines and self.amount_cents is not None:
            raise InvalidInput.at("amountCents", "give either lines or an amount", "ambiguous")
        if len({each.invoice_line_id for each in self.lines}) < len(self.lines):
            raise InvalidInput.at("lines", "names a line twice", "repeated")
        return IssueCreditNote(
            invoice_id=self.invoice_id,
            lines=tuple(
                CreditedLine(each.invoice_line_id, each.amount_cents) for each in self.lines
            ),
            amount_minor=self.amount_cents,
            destination=self.destination,
            reason=self.reason,
            metadata=self.metadata,
        )


class CreditNoteQuery(ListQuery, frozen=True):
    """Which credit notes."""

    invoice_id: InvoiceRef | None = None
    customer_id: CustomerRef | None = None


@ROOM.post(
    "",
    Terms(
        needs=Permission.REFUND_WRITE,
        takes=NewCreditNote,
        gives=CreditNoteOut,
        status=201,
        query=DryRun,
        refuses=(
            NotFound,
            IllegalTransition,
            CreditAboveInvoice,
            NotRefundable,
            RefundAboveRest,
        ),
    ),
)
async def create_credit_note(call: Call[NewCreditNote, DryRun]) -> Answer:
    """Issue a credit note.

    Amounts include taxes. What is still due on the invoice is lowered first; what was paid goes to
    the customer's credit balance, or back by the way it came with `destination` `refund`.
    """
    command = call.body.to_command()
    shown = created(CreditNoteOut.of, ROOM.prefix)
    return await changed(call.caller, issue_credit_note, command, shown)


@ROOM.get(
    "",
    Terms(needs=Permission.INVOICE_READ, gives=CreditNoteOut, is_list=True, query=CreditNoteQuery),
)
async def list_credit_notes(call: Call[None, CreditNoteQuery]) -> Answer:
    """List credit notes, newest first."""
    page = pages(call.caller, call.query)
    filters = CreditNoteFilters(
        invoice_id=call.query.invoice_id, customer_id=call.query.customer_id
    )
    shown = await call.caller.look(credit_notes_look, page, filters)
    return piece(call.caller, page, shown, CreditNoteOut.of)


@ROOM.get(
    "/{creditNoteId}",
    Terms(needs=Permission.INVOICE_READ, gives=CreditNoteOut, refuses=(NotFound,)),
)
async def get_credit_note(call: Call[Any, NoQuery]) -> Answer:
    """Get a credit note with its lines."""
    return resource(CreditNoteOut.of(await _note(call)))


@ROOM.get(
    "/{creditNoteId}/pdf",
    Terms(
        needs=Permission.INVOICE_READ,
        media=PDF,
        is_tagged=True,
        weight=10,
        refuses=(NotFound, Unavailable),
    ),
)
async def get_credit_note_pdf(call: Call[None, NoQuery]) -> Answer:
    """Get a credit note as PDF.

    The same credit note always gives the same bytes, whose SHA-256 is the `ETag`: who names it in
    `If-None-Match` has them already, and is answered 304.
    """
    return await noted(call.caller, await _note(call))


@ROOM.get(
    "/{creditNoteId}/xml",
    Terms(
        needs=Permission.INVOICE_READ, media=XML, is_tagged=True, refuses=(NotFound, NotExpressible)
    ),
)
async def get_credit_note_xml(call: Call[None, NoQuery]) -> Answer:
    """Get a credit note as an e-invoice: EN 16931 type 381, which names the invoice it takes back.

    The PDF carries the same file as `factur-x.xml`. The SHA-256 of its bytes is the `ETag`, which
    `If-None-Match` may name.
    """
    note = await _note(call)
    printing = await call.caller.look(invoice_printing, note.invoice_id)
    return spelled(einvoice_of_note(note, printing), str(note.number))


async def _note(call: Call[Any, NoQuery]) -> CreditNote:
    return await call.caller.look(credit_note_look, CreditNoteId(call.id("creditNoteId")))
