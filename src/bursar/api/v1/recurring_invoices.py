"""`/v1/recurring-invoices`: templates from which invoices come by themselves."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    LINES_MAX,
    AmountCents,
    AmountDecimal,
    Body,
    CurrencyCode,
    CustomerRef,
    Memo,
    Metadata,
    MetadataPatch,
    Moment,
    NoQuery,
    Nothing,
    Quantity,
    TaxRateRef,
    Text500,
)
from bursar.api.filters import Values, several
from bursar.api.lines import price_of, rates_of
from bursar.api.merging import merged, named, peeked, raced
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import RecurringInvoiceId
from bursar.domain.recurring_invoices import (
    EVERY_MAX,
    RecurringInterval,
    RecurringLine,
    RecurringStatus,
)
from bursar.domain.refusals import (
    IllegalTransition,
    NotFound,
    PreconditionFailed,
    StaleVersion,
)
from bursar.domain.shapes.recurring_invoices import RecurringInvoiceOut
from bursar.domain.taxes import RATES_PER_LINE_MAX
from bursar.operations.recurring_invoices import (
    CreateRecurringInvoice,
    SteerRecurringInvoice,
    UpdateRecurringInvoice,
    cancel_recurring_invoice,
    create_recurring_invoice,
    pause_recurring_invoice,
    resume_recurring_invoice,
    update_recurring_invoice,
)
from bursar.reads.recurring_invoices import recurring_invoice as recurring_invoice_look
from bursar.reads.recurring_invoices import recurring_invoices as recurring_invoices_look
from bursar.runtime.app import Operation
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Recurring invoices",
    prefix="/v1/recurring-invoices",
    about="Templates from which invoices come by themselves, day by day or year by year.",
)


class RecurringLineBody(Body, frozen=True):
    """One line: what, how many, and the price of one in minor units, whole or as a decimal.

    Without `taxRateIds` it bears the automatic rates; an empty list means none.
    """

    description: Text500
    quantity: Quantity = 1
    unit_amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    tax_rate_id: TaxRateRef | UnsetType = UNSET
    tax_rate_ids: Annotated[list[TaxRateRef], Meta(max_length=RATES_PER_LINE_MAX)] | UnsetType = (
        UNSET
    )

    def to_line(self, place: str) -> RecurringLine:
        """The line it asks for.

        Raises:
            InvalidInput: no price, or two of them; a tax rate twice.
        """
        price = price_of(self.unit_amount_cents, self.unit_amount_decimal, place=place)
        rates = rates_of(self.tax_rate_id, self.tax_rate_ids, place=place)
        return RecurringLine(self.description, self.quantity, price, rates)


RecurringLines = Annotated[list[RecurringLineBody], Meta(min_length=1, max_length=LINES_MAX)]


class NewRecurringInvoice(Body, frozen=True):
    """A template for a customer, in the customer's currency; it starts now if nothing is said."""

    customer_id: CustomerRef
    lines: RecurringLines
    interval: RecurringInterval
    interval_count: Annotated[int, Meta(ge=1, le=EVERY_MAX, examples=[1])] = 1
    start_date: Moment | None = None
    end_date: Moment | None = None
    currency: CurrencyCode | None = None
    auto_finalize: bool = True
    auto_send: bool = False
    memo: Memo | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateRecurringInvoice:
        """What it asks for."""
        return CreateRecurringInvoice(
            customer_id=self.customer_id,
            lines=_lines(self.lines),
            interval=self.interval,
            every=self.interval_count,
            start_at=Moment.plainly(self.start_date),
            end_at=Moment.plainly(self.end_date),
            currency=self.currency,
            auto_finalize=self.auto_finalize,
            auto_send=self.auto_send,
            memo=self.memo,
            metadata=self.metadata,
        )


class RecurringInvoicePatch(Body, frozen=True):
    """What to change from the next invoice on. `lines` replaces all of them."""

    lines: RecurringLines | UnsetType = UNSET
    end_date: Moment | UnsetType | None = UNSET
    auto_finalize: bool | UnsetType = UNSET
    auto_send: bool | UnsetType = UNSET
    memo: Memo | UnsetType | None = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET


class RecurringInvoiceQuery(ListQuery, frozen=True):
    """Which templates; `status` may name several."""

    customer_id: CustomerRef | None = None
    status: Values | None = None


def _lines(lines: list[RecurringLineBody]) -> tuple[RecurringLine, ...]:
    return tuple(line.to_line(f"lines[{place}]") for place, line in enumerate(lines))


def _id(call: Call[Any, Any]) -> RecurringInvoiceId:
    return RecurringInvoiceId(call.id("recurringInvoiceId"))


@ROOM.post(
    "",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=NewRecurringInvoice,
        gives=RecurringInvoiceOut,
        status=201,
        refuses=(NotFound,),
    ),
)
async def create_one_recurring_invoice(call: Call[NewRecurringInvoice, NoQuery]) -> Answer:
    """Create a recurring invoice.

    The first invoice is made at `startDate`, the others every `intervalCount` intervals counted
    from there, by the organization's calendar and clock; none after `endDate`. What was missed is
    caught up once each, in order. `autoFinalize` numbers, books and opens each of them.
    """
    reply = created(RecurringInvoiceOut.of, ROOM.prefix)
    return await changed(call.caller, create_recurring_invoice, call.body.to_command(), reply)


@ROOM.get(
    "",
    Terms(
        needs=Permission.INVOICE_READ,
        gives=RecurringInvoiceOut,
        is_list=True,
        query=RecurringInvoiceQuery,
    ),
)
async def list_recurring_invoices(call: Call[None, RecurringInvoiceQuery]) -> Answer:
    """List recurring invoices, newest first."""
    page = pages(call.caller, call.query)
    statuses = several(call.query.status, RecurringStatus, RecurringStatus, field="status")
    shown = await call.caller.look(recurring_invoices_look, page, call.query.customer_id, statuses)
    return piece(call.caller, page, shown, RecurringInvoiceOut.of)


@ROOM.get(
    "/{recurringInvoiceId}",
    Terms(needs=Permission.INVOICE_READ, gives=RecurringInvoiceOut, refuses=(NotFound,)),
)
async def get_recurring_invoice(call: Call[None, NoQuery]) -> Answer:
    """Get a recurring invoice."""
    return resource(
        RecurringInvoiceOut.of(await call.caller.look(recurring_invoice_look, _id(call)))
    )


@ROOM.patch(
    "/{recurringInvoiceId}",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=RecurringInvoicePatch,
        gives=RecurringInvoiceOut,
        is_versioned=True,
        refuses=(NotFound, IllegalTransition, PreconditionFailed, StaleVersion),
    ),
)
async def edit_recurring_invoice(call: Call[RecurringInvoicePatch, NoQuery]) -> Answer:
    """Change a recurring invoice.

    A JSON merge patch that shows from the next invoice on; what was made stays. The rhythm is what
    it was created with; an `endDate` that has passed completes it.
    """
    changes, version = named(call.body), call.expected_version
    if "end_date" in changes:
        changes["end_at"] = Moment.plainly(changes.pop("end_date"))
    if "lines" in changes:
        changes["lines"] = _lines(changes["lines"])
    before, patch = None, call.body.metadata
    if not isinstance(patch, UnsetType):
        before = await peeked(call.caller.look(recurring_invoice_look, _id(call)))
    if before is not None and not isinstance(patch, UnsetType):
        changes["metadata"] = merged(before.metadata, patch, "metadata")
        version = before.version if version is None else version
    command = UpdateRecurringInvoice(_id(call), changes, version)
    async with raced(is_expected=call.expected_version is not None):
        reply = found(RecurringInvoiceOut.of)
        return await changed(call.caller, update_recurring_invoice, command, reply)


_STEERED: Final = Terms(
    needs=Permission.INVOICE_FINALIZE,
    takes=Nothing,
    gives=RecurringInvoiceOut,
    refuses=(NotFound, IllegalTransition),
)


@ROOM.post("/{recurringInvoiceId}/pause", _STEERED)
async def pause_one_recurring_invoice(call: Call[Nothing, NoQuery]) -> Answer:
    """Pause a recurring invoice.

    It makes no invoices until it is resumed; what falls into the pause is never billed.
    """
    return await _steered(call, pause_recurring_invoice)


@ROOM.post("/{recurringInvoiceId}/resume", _STEERED)
async def resume_one_recurring_invoice(call: Call[Nothing, NoQuery]) -> Answer:
    """Resume a paused recurring invoice with the first date that is not past."""
    return await _steered(call, resume_recurring_invoice)


@ROOM.post("/{recurringInvoiceId}/cancel", _STEERED)
async def cancel_one_recurring_invoice(call: Call[Nothing, NoQuery]) -> Answer:
    """Cancel a recurring invoice; the invoices it has made stay."""
    return await _steered(call, cancel_recurring_invoice)


async def _steered(
    call: Call[Nothing, NoQuery], verb: Operation[SteerRecurringInvoice, Any]
) -> Answer:
    command = SteerRecurringInvoice(_id(call))
    return await changed(call.caller, verb, command, found(RecurringInvoiceOut.of))
