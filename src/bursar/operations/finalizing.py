"""Drafts become final: one by itself, or those asked for at the same time with one commit.

The number is the last thing that is taken, and whoever takes one keeps the series until the commit:
that is why drafts that are finalized together are so much quicker than one after another.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.calendars import days_after
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.orgs import Organization
from bursar.domain.refusals import Refusal
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.convoys import GoAlone, Rider, convoy
from bursar.runtime.db import Tx
from bursar.store import credit_balances, customers, finalized, invoices, orgs, series
from bursar.store.apply import apply
from bursar.store.events import Stamp

LINES_TOGETHER_MAX: Final = 20
"""So that a thousand documents in one transaction stay far from its time-out."""


class FinalizeInvoice(Struct, frozen=True):
    """Make a draft final."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def finalize_invoice(tx: Tx, command: FinalizeInvoice) -> Invoice:
    """Number the draft, book it and open it for payment; the customer's credit pays first.

    Raises:
        IllegalTransition: not a draft.
        InvalidInput: no lines, or a due date that has passed.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    house = await orgs.get(tx)
    due_at = _due_at(tx, invoice, house)
    invoice.require_finalizable(due_at=due_at, at=tx.now)
    number = await series.next_number(tx, house.numbering, invoice.customer_id)
    change = invoice.finalize(number, due_at=due_at, at=tx.now)
    if house.is_credit_applied:
        change = await credit_balances.spend(tx, change)
    written = (await apply(tx, change))[invoice.id]
    assert isinstance(written, Invoice)
    return written


@convoy(requires=Permission.INVOICE_FINALIZE)
async def finalize_together(
    tx: Tx, riders: Sequence[Rider[FinalizeInvoice]]
) -> Sequence[Invoice | Refusal | GoAlone]:
    """Make a draft final each for many requests; whoever is refused stops nobody.

    What finalizing pays goes alone, be it with credit or because it is over nothing; so does a long
    one, and whoever asks for the same as somebody else.
    """
    asked = list(dict.fromkeys(rider.command.invoice_id for rider in riders))
    await customers.lock_through_many(tx, asked)
    house = await orgs.get(tx)
    found = await invoices.get_many(tx, asked, lines_max=LINES_TOGETHER_MAX)
    creditors = await credit_balances.holders(tx, found) if house.is_credit_applied else set()
    plain = {
        each.id: each
        for each in found
        if each.customer_id not in creditors and not each.total.is_zero
    }
    decided = [_decided(tx, plain.pop(rider.command.invoice_id, None), house) for rider in riders]
    opening = [each for each in decided if isinstance(each, Invoice)]
    numbers = await series.take_numbers(tx, house.numbering, [each.customer_id for each in opening])
    changes = [
        each.finalize(number, due_at=_due_at(tx, each, house), at=tx.now)
        for each, number in zip(opening, numbers, strict=True)
    ]
    stamps = [
        Stamp(rider.actor, rider.reason, rider.request_id)
        for rider, each in zip(riders, decided, strict=True)
        if isinstance(each, Invoice)
    ]
    written = iter(await finalized.save(tx, changes, stamps))
    return [next(written) if isinstance(each, Invoice) else each for each in decided]


def _decided(tx: Tx, invoice: Invoice | None, house: Organization) -> Invoice | Refusal | GoAlone:
    """The draft if a number may be taken for it, or what else becomes of the request."""
    if invoice is None:
        return GoAlone()
    try:
        invoice.require_finalizable(due_at=_due_at(tx, invoice, house), at=tx.now)
    except Refusal as refusal:
        return refusal
    return invoice


def _due_at(tx: Tx, invoice: Invoice, house: Organization) -> Instant:
    return invoice.due_at or days_after(tx.now, house.net_terms_days, house.timezone)
