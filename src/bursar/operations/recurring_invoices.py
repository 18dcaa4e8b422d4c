"""Recurring invoices: begin, change, pause, resume, cancel, and make the invoice that is due."""

from typing import Any

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.calendars import day_begins
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, InvoiceLineId, RecurringInvoiceId, TaxRateId
from bursar.domain.invoice_lines import Charge, LineDetails, priced_line
from bursar.domain.invoices import BillingReason, Invoice, NewDraft, with_lines
from bursar.domain.recurring_invoices import (
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
    Schedule,
    schedule_invoices,
)
from bursar.domain.refusals import InvalidInput, NotFound, PreconditionFailed
from bursar.domain.tax_rates import TaxRate, TaxRateStatus, for_customer
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, invoices, orgs, recurring_invoices, tax_rates
from bursar.store.apply import apply


class CreateRecurringInvoice(Struct, frozen=True, kw_only=True):
    """A template; it starts now unless told otherwise."""

    customer_id: CustomerId
    lines: tuple[RecurringLine, ...]
    interval: RecurringInterval
    every: int = 1
    start_at: Instant | None = None
    end_at: Instant | None = None
    currency: Currency | None = None
    auto_finalize: bool = True
    auto_send: bool = False
    memo: str | None = None
    metadata: dict[str, str]


@operation(requires=Permission.INVOICE_FINALIZE)
async def create_recurring_invoice(tx: Tx, command: CreateRecurringInvoice) -> RecurringInvoice:
    """A new template, in the customer's currency.

    Raises:
        NotFound: no such customer, or tax rate.
        InvalidInput: no lines, another currency, a rate that is archived, a start before today, or
            an end before it.
        AmountTooLarge: the lines leave the exact range.
    """
    customer = await customers.lock(tx, command.customer_id)
    if command.currency not in {None, customer.currency}:
        raise InvalidInput.at("currency", f"the customer pays in {customer.currency}", "mismatch")
    timezone = (await orgs.get(tx)).timezone
    template = _begun(tx, customer, command, timezone)
    await _refuse_archived(tx, template)
    await _drafted(tx, customer, template)  # what could never be billed is refused now
    change = schedule_invoices(template, earliest=day_begins(tx.now, timezone))
    return await _written(tx, template, change)


def _begun(
    tx: Tx, customer: Customer, command: CreateRecurringInvoice, timezone: str
) -> RecurringInvoice:
    start = command.start_at or tx.now
    return RecurringInvoice(
        id=RecurringInvoiceId(tx.new_id("rinv")),
        customer_id=customer.id,
        status=RecurringStatus.ACTIVE,
        currency=customer.currency,
        lines=command.lines,
        schedule=Schedule(
            start_at=start,
            interval=command.interval,
            every=command.every,
            timezone=timezone,
            end_at=command.end_at,
        ),
        occurrence=0,
        next_at=start,
        last_invoice_id=None,
        auto_finalize=command.auto_finalize,
        auto_send=command.auto_send,
        memo=command.memo,
        metadata=command.metadata,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )


class UpdateRecurringInvoice(Struct, frozen=True):
    """Fields to change; `end_at` is the schedule's own."""

    recurring_invoice_id: RecurringInvoiceId
    changes: dict[str, Any]
    expected_version: int | None = None


@operation(requires=Permission.INVOICE_FINALIZE)
async def update_recurring_invoice(tx: Tx, command: UpdateRecurringInvoice) -> RecurringInvoice:
    """Change what the next invoices are made of, or when they end.

    Raises:
        IllegalTransition: it is canceled or completed.
        NotFound, InvalidInput: a tax rate that is not there, or archived.
        PreconditionFailed: another version than the expected one.
    """
    template = await _locked(tx, command.recurring_invoice_id)
    if command.expected_version not in {None, template.version}:
        raise PreconditionFailed(f"{template.id} is at version {template.version}.")
    changes = dict(command.changes)
    schedule = template.schedule
    if "end_at" in changes:
        schedule = replace(schedule, end_at=changes.pop("end_at"))
    after = replace(template, schedule=schedule, **changes)
    if "lines" in changes:
        await _refuse_archived(tx, after)
    customer = await customers.lock(tx, after.customer_id, even_deleted=True)
    await _drafted(tx, customer, after)
    return await _written(tx, template, template.edit(after))


class SteerRecurringInvoice(Struct, frozen=True):
    """The template to pause, resume or cancel."""

    recurring_invoice_id: RecurringInvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def pause_recurring_invoice(tx: Tx, command: SteerRecurringInvoice) -> RecurringInvoice:
    """Make no invoices until it is resumed.

    Raises:
        IllegalTransition: not active.
    """
    template = await _locked(tx, command.recurring_invoice_id)
    return await _written(tx, template, template.pause())


@operation(requires=Permission.INVOICE_FINALIZE)
async def resume_recurring_invoice(tx: Tx, command: SteerRecurringInvoice) -> RecurringInvoice:
    """Go on; what fell into the pause is left out.

    Raises:
        IllegalTransition: not paused.
    """
    template = await _locked(tx, command.recurring_invoice_id)
    return await _written(tx, template, template.resume(tx.now))


@operation(requires=Permission.INVOICE_FINALIZE)
async def cancel_recurring_invoice(tx: Tx, command: SteerRecurringInvoice) -> RecurringInvoice:
    """Make no invoices any more.

    Raises:
        IllegalTransition: canceled or completed already.
    """
    template = await _locked(tx, command.recurring_invoice_id)
    return await _written(tx, template, template.cancel())


class DraftOccurrence(Struct, frozen=True):
    """The template whose time has come."""

    recurring_invoice_id: RecurringInvoiceId


class Issued(Struct, frozen=True):
    """An invoice that was made from a template and waits to be finalized."""

    template: RecurringInvoice
    invoice: Invoice


@operation(requires=Permission.INVOICE_FINALIZE)
async def draft_occurrence(tx: Tx, command: DraftOccurrence) -> Issued | None:
    """The draft of the occurrence that is due, or the last one if it is not finalized yet.

    Nothing when nothing is due: whoever comes twice finds that out under the customer's lock. A
    template whose customer is gone ends.
    """
    found = await recurring_invoices.get(tx, command.recurring_invoice_id)
    customer = await customers.lock(tx, found.customer_id, even_deleted=True)
    template = await recurring_invoices.get(tx, found.id)
    if template.last_invoice_id is not None:
        last = await invoices.get(tx, template.last_invoice_id)
        if template.waits_for(last):
            return Issued(template, last)
    if not template.is_due(tx.now):
        return None
    if customer.deleted_at is not None:
        await _written(tx, template, template.cancel())
        return None
    drafted = await _drafted(tx, customer, template)
    written = await apply(tx, template.issue(drafted))
    await recurring_invoices.note_occurrence(tx, template, drafted.id)
    invoice, after = written[drafted.id], written[template.id]
    assert isinstance(invoice, Invoice)
    assert isinstance(after, RecurringInvoice)
    return Issued(after, invoice)


async def _drafted(tx: Tx, customer: Customer, template: RecurringInvoice) -> Invoice:
    """What the template bills now; a rate that is archived since stays with who has it."""
    blank = NewDraft(
        id=InvoiceId(tx.new_id("inv")),
        customer_id=template.customer_id,
        currency=template.currency,
        at=tx.now,
        memo=template.memo,
        metadata=template.metadata,
        billing_reason=BillingReason.RECURRING,
    ).blank()
    usual = (await tax_rates.automatic_terms(tx, {customer.id}))[customer.id]
    known = await _rates(tx, template)
    named = {each.id: for_customer(each.terms, customer.tax_treatment) for each in known.values()}
    priced = [
        priced_line(
            InvoiceLineId(tx.new_id("il")),
            Charge(each.description, each.quantity, each.unit_amount),
            template.currency,
            LineDetails(terms=each.terms(named, usual)),
        )
        for each in template.lines
    ]
    terms = {each.rate_id: each for each in usual} | named
    return with_lines(blank, priced, terms=[*terms.values()])


async def _rates(tx: Tx, template: RecurringInvoice) -> dict[TaxRateId, TaxRate]:
    """The rates that its lines name.

    Raises:
        NotFound: one of them is not there.
    """
    wanted = {rate_id for line in template.lines for rate_id in line.tax_rate_ids or ()}
    found = await tax_rates.by_ids(tx, wanted)
    for rate_id in sorted(wanted - found.keys()):
        raise NotFound(f"No tax rate {rate_id}.")
    return found


async def _refuse_archived(tx: Tx, template: RecurringInvoice) -> None:
    for rate in (await _rates(tx, template)).values():
        if rate.status is not TaxRateStatus.ACTIVE:
            says = f"tax rate {rate.id} is archived"
            raise InvalidInput.at("lines.taxRateIds", says, "archived")


async def _locked(tx: Tx, template_id: RecurringInvoiceId) -> RecurringInvoice:
    await customers.lock_through(tx, template_id)
    return await recurring_invoices.get(tx, template_id)


async def _written(tx: Tx, template: RecurringInvoice, change: Change | None) -> RecurringInvoice:
    if change is None:
        return template
    written = (await apply(tx, change))[template.id]
    assert isinstance(written, RecurringInvoice)
    return written
