"""Invoices: draft, edit, void."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.drafting import (
    Known,
    NewDiscount,
    NewLine,
    composed,
    copied,
    coupons_named,
    rates_named,
    reduced,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId, CustomerId, InvoiceId, TaxRateId
from bursar.domain.invoices import Invoice, InvoiceStatus, NewDraft, draft
from bursar.domain.refusals import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Refusal,
)
from bursar.domain.tasks import CloseAttempt
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.convoys import Rider, convoy
from bursar.runtime.db import Tx
from bursar.store import (
    billed_periods,
    collection,
    coupons,
    customers,
    invoices,
    payments,
    tax_rates,
)
from bursar.store.apply import apply
from bursar.store.customers import Buyer
from bursar.store.events import Stamp


class CreateInvoice(Struct, frozen=True, kw_only=True):
    """A draft for a customer, in the customer's currency."""

    customer_id: CustomerId
    lines: tuple[NewLine, ...]
    discounts: tuple[NewDiscount, ...] = ()
    currency: Currency | None = None
    due_at: Instant | None = None
    memo: str | None = None
    metadata: dict[str, str]


@operation(requires=Permission.INVOICE_WRITE)
async def create_invoice(tx: Tx, command: CreateInvoice) -> Invoice:
    """A new draft.

    Raises:
        NotFound: no such customer, tax rate or coupon.
        InvalidInput: another currency than the customer's.
        AmountTooLarge: the lines leave the exact range.
    """
    return await _create(tx, command)


async def _create(tx: Tx, command: CreateInvoice) -> Invoice:
    customer = await customers.lock(tx, command.customer_id)
    known = await _known(tx, [command])
    change = _drafted(tx, customer, command, known)
    (invoice,) = change.rows
    assert isinstance(invoice, Invoice)
    return await _written(tx, invoice, change)


@convoy(requires=Permission.INVOICE_WRITE, lanes=2)
async def create_together(
    tx: Tx, riders: Sequence[Rider[CreateInvoice]]
) -> Sequence[Invoice | Refusal]:
    """A new draft each for many requests; whoever is refused stops nobody."""
    buyers = await customers.buyers(tx, {rider.command.customer_id for rider in riders})
    known = await _known(tx, [rider.command for rider in riders])
    decided = [_decided(tx, buyers, rider.command, known) for rider in riders]
    made = iter(
        await invoices.save_drafts(
            tx,
            [
                (each, Stamp(rider.actor, rider.reason, rider.request_id))
                for each, rider in zip(decided, riders, strict=True)
                if isinstance(each, Change)
            ],
            buyers.values(),
        )
    )
    return [each if isinstance(each, Refusal) else next(made) for each in decided]


def _decided(
    tx: Tx, buyers: Mapping[CustomerId, Buyer], command: CreateInvoice, known: Known
) -> Change | Refusal:
    try:
        customer = buyers.get(command.customer_id)
        if customer is None:
            raise NotFound(f"No customer {command.customer_id}.")
        return _drafted(tx, customer, command, known)
    except Refusal as refusal:
        return refusal


def _drafted(tx: Tx, customer: Customer | Buyer, command: CreateInvoice, known: Known) -> Change:
    if command.currency not in {None, customer.currency}:
        raise InvalidInput.at("currency", f"the customer pays in {customer.currency}", "mismatch")
    empty = NewDraft(
        id=InvoiceId(tx.new_id("inv")),
        customer_id=customer.id,
        currency=customer.currency,
        at=tx.now,
        due_at=command.due_at,
        memo=command.memo,
        metadata=command.metadata,
    ).blank()
    known = Known(known.rates, known.coupons, customer.tax_treatment)
    return draft(composed(empty, command.lines, command.discounts, known, tx.new_id))


class UpdateInvoice(Struct, frozen=True):
    """Fields of a draft to change; `lines` and `discounts` replace all of them."""

    invoice_id: InvoiceId
    changes: dict[str, Any]
    lines: tuple[NewLine, ...] | None = None
    discounts: tuple[NewDiscount, ...] | None = None
    expected_version: int | None = None


@operation(requires=Permission.INVOICE_WRITE)
async def update_invoice(tx: Tx, command: UpdateInvoice) -> Invoice:
    """Edit a draft.

    Raises:
        IllegalTransition: the invoice is final.
        PreconditionFailed: another version than the expected one.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    if command.expected_version not in {None, invoice.version}:
        raise PreconditionFailed(f"{invoice.id} is at version {invoice.version}.")
    after = await _edited(tx, replace(invoice, **command.changes), command)
    return await _written(tx, invoice, invoice.edit(after))


async def _edited(tx: Tx, after: Invoice, command: UpdateInvoice) -> Invoice:
    if command.lines is None and command.discounts is None:
        return after
    known = await _known(tx, [command])
    if command.lines is None:
        return reduced(after, command.discounts or (), known)
    customer = await customers.lock(tx, after.customer_id, even_deleted=True)
    known = replace(known, treatment=customer.tax_treatment)
    return composed(after, command.lines, command.discounts, known, tx.new_id)


class DuplicateInvoice(Struct, frozen=True):
    """The invoice to draft again."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_WRITE)
async def duplicate_invoice(tx: Tx, command: DuplicateInvoice) -> Invoice:
    """A new draft for the same customer over the same, whatever became of the first one.

    Raises:
        NotFound: no such invoice, or its customer is deleted.
        InvalidInput: a tax rate of it is archived.
    """
    first = await invoices.get(tx, command.invoice_id)
    lines, discounts = copied(first)
    return await _create(
        tx,
        CreateInvoice(
            customer_id=first.customer_id,
            lines=lines,
            discounts=discounts,
            memo=first.memo,
            metadata=first.metadata,
        ),
    )


class DeleteInvoice(Struct, frozen=True):
    """Throw a draft away."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_WRITE)
async def delete_invoice(tx: Tx, command: DeleteInvoice) -> Invoice:
    """Void a draft, which was never numbered nor booked; its history stays.

    Raises:
        IllegalTransition: the invoice is final.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    if invoice.status is not InvoiceStatus.DRAFT:
        raise IllegalTransition(
            f"Invoice {invoice.id} is {invoice.status.value}; only a draft can be deleted.",
            facts={"currentStatus": invoice.status.value},
        )
    await billed_periods.release(tx, invoice)
    return await _written(tx, invoice, invoice.void(tx.now))


class VoidInvoice(Struct, frozen=True):
    """Take an invoice back (or throw a draft away)."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def void_invoice(tx: Tx, command: VoidInvoice) -> Invoice:
    """Void it and reverse its booking; an open payment page is closed by a task.

    A payment that arrives in between is booked to the customer's credit: no money is dropped.

    Raises:
        IllegalTransition: paid, void or uncollectible already.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    change = invoice.void(tx.now)
    await billed_periods.release(tx, invoice)
    attempt = await payments.open_attempt(tx, invoice.id)
    if attempt is not None:
        change = replace(change, tasks=(*change.tasks, CloseAttempt(attempt.id)))
    return await _written(tx, invoice, await collection.follow(tx, change))


async def _known(tx: Tx, commands: Sequence[CreateInvoice | UpdateInvoice]) -> Known:
    """The rates and coupons that are named, asked for once for all who ask together."""
    rates, wanted = set[TaxRateId](), set[CouponId]()
    for command in commands:
        rates |= rates_named(command.lines or ())
        wanted |= coupons_named(command.lines or (), command.discounts or ())
    return Known(await tax_rates.by_ids(tx, rates), await coupons.by_ids(tx, wanted))


async def _written(tx: Tx, invoice: Invoice, change: Change | None) -> Invoice:
    if change is None:
        return invoice
    written = (await apply(tx, change))[invoice.id]
    assert isinstance(written, Invoice)
    return written
