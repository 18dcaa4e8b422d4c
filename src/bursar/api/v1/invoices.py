"""`/v1/invoices`: drafts, what becomes of them, and how they are paid."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import (
    Reply,
    changed,
    gone,
    once,
    resource,
    shown,
    travelled,
)
from bursar.api.fields import (
    LINES_MAX,
    AmountCents,
    AmountDecimal,
    Body,
    CouponRef,
    CurrencyCode,
    CustomerRef,
    DryRun,
    Memo,
    Metadata,
    MetadataPatch,
    Moment,
    NoQuery,
    Nothing,
    Percentage,
    PositiveCents,
    Quantity,
    ShortText,
    SubscriptionRef,
    TaxRateRef,
    Text500,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.hosted_links import own_hosted_url
from bursar.api.lines import price_of, rates_of
from bursar.api.merging import merged, named, peeked, raced
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.discounts import DISCOUNTS_MAX
from bursar.domain.drafting import AGREED, NewDiscount, NewLine
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import (
    IllegalTransition,
    NotFound,
    PreconditionFailed,
    StaleVersion,
    Unavailable,
)
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.domain.shapes.render import shape_of
from bursar.domain.taxes import RATES_PER_LINE_MAX
from bursar.flows.assess_taxes import assess_taxes
from bursar.flows.draft_invoice import draft_invoice
from bursar.flows.open_invoice import open_invoice
from bursar.operations.finalizing import FinalizeInvoice
from bursar.operations.invoices import (
    CreateInvoice,
    DeleteInvoice,
    DuplicateInvoice,
    UpdateInvoice,
    VoidInvoice,
    delete_invoice,
    duplicate_invoice,
    update_invoice,
    void_invoice,
)
from bursar.operations.sending import RevokeLink, revoke_link
from bursar.operations.write_offs import WriteOff, write_off_invoice
from bursar.reads.invoices import InvoiceFilters
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import invoices as invoices_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Invoices",
    prefix="/v1/invoices",
    about="Drafts may change; finalizing numbers, books and freezes them.",
)


class DiscountBody(Body, frozen=True):
    """Something off: by a coupon, or a percentage or an amount as it was agreed."""

    coupon_id: CouponRef | UnsetType = UNSET
    name: ShortText = AGREED
    percent_off: Percentage | UnsetType = UNSET
    amount_off_cents: PositiveCents | UnsetType = UNSET

    def to_discount(self, place: str) -> NewDiscount:
        """The discount it asks for."""
        coupon_id, percent, minor = self.coupon_id, self.percent_off, self.amount_off_cents
        return NewDiscount(
            coupon_id=None if isinstance(coupon_id, UnsetType) else coupon_id,
            name=self.name,
            percent_off=None if isinstance(percent, UnsetType) else Decimal(percent),
            amount_off_minor=None if isinstance(minor, UnsetType) else minor,
            place=place,
        )


Discounts = Annotated[list[DiscountBody], Meta(max_length=DISCOUNTS_MAX)]


class LineBody(Body, frozen=True):
    """One line: what, how many, and the price of one in minor units, whole or as a decimal."""

    description: Text500
    quantity: Quantity = 1
    unit_amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    tax_rate_id: TaxRateRef | UnsetType = UNSET
    tax_rate_ids: Annotated[list[TaxRateRef], Meta(max_length=RATES_PER_LINE_MAX)] | UnsetType = (
        UNSET
    )
    discounts: Discounts = msgspec.field(default_factory=list)

    def to_line(self, place: str) -> NewLine:
        """The line it asks for.

        Raises:
            InvalidInput: no price, or two of them; a tax rate twice.
        """
        return NewLine(
            self.description,
            self.quantity,
            price_of(self.unit_amount_cents, self.unit_amount_decimal, place=place),
            rates_of(self.tax_rate_id, self.tax_rate_ids, place=place) or (),
            tuple(
                each.to_discount(f"{place}.discounts[{at}]")
                for at, each in enumerate(self.discounts)
            ),
        )


Lines = Annotated[list[LineBody], Meta(max_length=LINES_MAX)]


class NewInvoice(Body, frozen=True):
    """A draft for a customer, in the customer's currency."""

    customer_id: CustomerRef
    lines: Lines = msgspec.field(default_factory=list)
    discounts: Discounts = msgspec.field(default_factory=list)
    currency: CurrencyCode | None = None
    due_date: Moment | None = None
    memo: Memo | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateInvoice:
        """What it asks for."""
        return CreateInvoice(
            customer_id=self.customer_id,
            lines=_lines(self.lines),
            discounts=_discounts(self.discounts),
            currency=self.currency,
            due_at=Moment.plainly(self.due_date),
            memo=self.memo,
            metadata=self.metadata,
        )


class InvoicePatch(Body, frozen=True):
    """What to change in a draft. `lines`, `discounts` replace all of them; `metadata` is merged."""

    lines: Lines | UnsetType = UNSET
    discounts: Discounts | UnsetType = UNSET
    due_date: Moment | UnsetType | None = UNSET
    memo: Memo | UnsetType | None = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET


class InvoiceQuery(CreatedQuery, frozen=True):
    """Which invoices; `status` may name several, `q` is part of an invoice number.

    An invoice of several subscriptions at once is of none of them; its lines name them.
    """

    customer_id: CustomerRef | None = None
    subscription_id: SubscriptionRef | None = None
    status: Values | None = None
    q: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class LinkedInvoice(InvoiceOut, frozen=True, kw_only=True):
    """One invoice. `hostedInvoiceUrl` is where the customer sees and pays it, once it is final."""

    hosted_invoice_url: str | None


def linked(caller: Caller, invoice: Invoice) -> LinkedInvoice:
    """The invoice with its link."""
    shape = msgspec.structs.asdict(shape_of(invoice))
    return LinkedInvoice(**shape, hosted_invoice_url=own_hosted_url(caller, invoice))


def _told(caller: Caller, invoice: Invoice, *, is_new: bool = False) -> Answer:
    """One invoice with its link, which is a `LinkedInvoice` without the work of making one."""
    return resource(
        shape_of(invoice),
        status=201 if is_new else 200,
        location=f"{ROOM.prefix}/{invoice.id}" if is_new else None,
        more={"hostedInvoiceUrl": own_hosted_url(caller, invoice)},
    )


def _shown(call: Call[Any, Any], *, is_new: bool = False) -> Reply[Invoice]:
    return partial(_told, call.caller, is_new=is_new)


def _lines(lines: list[LineBody]) -> tuple[NewLine, ...]:
    return tuple(line.to_line(f"lines[{place}]") for place, line in enumerate(lines))


def _discounts(discounts: list[DiscountBody]) -> tuple[NewDiscount, ...]:
    return tuple(each.to_discount(f"discounts[{place}]") for place, each in enumerate(discounts))


def _id(call: Call[Any, Any]) -> InvoiceId:
    return InvoiceId(call.id("invoiceId"))


@ROOM.post(
    "",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=NewInvoice,
        query=DryRun,
        gives=LinkedInvoice,
        status=201,
        refuses=(NotFound,),
        is_express=True,
    ),
)
async def create_draft(call: Call[NewInvoice, DryRun]) -> Answer:
    """Create a draft invoice.

    Each line is rounded once, half to even; everything else is exact sums.
    """
    reply = once(_shown(call, is_new=True))
    return await travelled(draft_invoice(call.caller, call.body.to_command(), reply), reply)


@ROOM.get(
    "",
    Terms(needs=Permission.INVOICE_READ, gives=LinkedInvoice, is_list=True, query=InvoiceQuery),
)
async def list_invoices(call: Call[None, InvoiceQuery]) -> Answer:
    """List invoices, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = InvoiceFilters(
        customer_id=query.customer_id,
        statuses=several(query.status, InvoiceStatus, InvoiceStatus, field="status"),
        text=query.q,
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
        subscription_id=query.subscription_id,
    )
    shown = await call.caller.look(invoices_look, page, filters)
    return piece(call.caller, page, shown, partial(linked, call.caller))


@ROOM.get(
    "/{invoiceId}",
    Terms(needs=Permission.INVOICE_READ, gives=LinkedInvoice, refuses=(NotFound,), is_express=True),
)
async def get_invoice(call: Call[None, NoQuery]) -> Answer:
    """Get an invoice with its lines."""
    return await shown(call.caller, invoice_look, _told, _id(call))


@ROOM.patch(
    "/{invoiceId}",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=InvoicePatch,
        query=DryRun,
        gives=LinkedInvoice,
        is_versioned=True,
        refuses=(NotFound, IllegalTransition, PreconditionFailed, StaleVersion),
    ),
)
async def edit_draft(call: Call[InvoicePatch, DryRun]) -> Answer:
    """Edit a draft.

    A JSON merge patch: what is not named stays, null takes away. A final invoice is never edited.
    """
    changes, version = named(call.body), call.expected_version
    lines, taken = changes.pop("lines", None), changes.pop("discounts", None)
    if "due_date" in changes:
        changes["due_at"] = Moment.plainly(changes.pop("due_date"))
    before, patch = None, call.body.metadata
    if not isinstance(patch, UnsetType):
        before = await peeked(call.caller.look(invoice_look, _id(call)))
    if before is not None and not isinstance(patch, UnsetType):
        changes["metadata"] = merged(before.metadata, patch, "metadata")
        version = before.version if version is None else version
    command = UpdateInvoice(
        _id(call),
        changes,
        None if lines is None else _lines(lines),
        None if taken is None else _discounts(taken),
        version,
    )
    async with raced(is_expected=call.expected_version is not None):
        return await changed(call.caller, update_invoice, command, _shown(call))


@ROOM.delete(
    "/{invoiceId}",
    Terms(needs=Permission.INVOICE_WRITE, status=204, refuses=(NotFound, IllegalTransition)),
)
async def delete_draft(call: Call[Nothing, NoQuery]) -> Answer:
    """Delete a draft.

    It is void from then on; an invoice that is final is voided, never deleted.
    """
    return await changed(call.caller, delete_invoice, DeleteInvoice(_id(call)), gone)


@ROOM.post(
    "/{invoiceId}/duplicate",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=Nothing,
        gives=LinkedInvoice,
        status=201,
        refuses=(NotFound,),
    ),
)
async def duplicate_one_invoice(call: Call[Nothing, NoQuery]) -> Answer:
    """Draft an invoice again.

    A new draft for the same customer with the same lines and discounts, whatever became of the
    first; it is taxed as the table says now, and has neither due date, number nor period.
    """
    reply = _shown(call, is_new=True)
    return await changed(call.caller, duplicate_invoice, DuplicateInvoice(_id(call)), reply)


@ROOM.post(
    "/{invoiceId}/assess-taxes",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition, PreconditionFailed, Unavailable),
    ),
)
async def assess_taxes_of_draft(call: Call[Nothing, DryRun]) -> Answer:
    """Have the taxes on a draft assessed.

    The tax service of this installation chooses among the organization's active rates, line by
    line, and its choice replaces what was there; without a service the automatic rates of the
    customer's country lie on every line. Amounts follow by the rounding law either way.
    """
    reply = _shown(call)
    return await travelled(assess_taxes(call.caller, _id(call), reply), reply)


@ROOM.post(
    "/{invoiceId}/finalize",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
        is_express=True,
    ),
)
async def finalize_draft(call: Call[Nothing, DryRun]) -> Answer:
    """Finalize a draft.

    It gets its gapless number, is booked, and opens for payment; an invoice over nothing is paid
    at once.
    """
    reply = once(_shown(call))
    return await travelled(open_invoice(call.caller, FinalizeInvoice(_id(call)), reply), reply)


@ROOM.post(
    "/{invoiceId}/void",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def void_one_invoice(call: Call[Nothing, DryRun]) -> Answer:
    """Void an invoice.

    Its booking is reversed and an open payment page is closed; the number stays used.
    """
    return await changed(call.caller, void_invoice, VoidInvoice(_id(call)), _shown(call))


@ROOM.post(
    "/{invoiceId}/revoke-link",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def revoke_invoice_link(call: Call[Nothing, DryRun]) -> Answer:
    """Revoke the links to an invoice's page.

    All that were given out show nothing any more; the answer has the new one, and sending the
    invoice mails it. Whoever opens an old one can only have the new one mailed to the customer.
    """
    return await changed(call.caller, revoke_link, RevokeLink(_id(call)), _shown(call))


@ROOM.post(
    "/{invoiceId}/mark-uncollectible",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def mark_invoice_uncollectible(call: Call[Nothing, DryRun]) -> Answer:
    """Write an invoice off.

    What is due becomes a loss and its dunning ends; what was paid stays paid. Money that comes all
    the same is the customer's credit.
    """
    return await changed(call.caller, write_off_invoice, WriteOff(_id(call)), _shown(call))


@ROOM.post(
    "/{invoiceId}/cancel",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=LinkedInvoice,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def cancel_invoice(call: Call[Nothing, DryRun]) -> Answer:
    """Cancel an invoice: the same as voiding it."""
    return await changed(call.caller, void_invoice, VoidInvoice(_id(call)), _shown(call))
