"""The billing run: one subscription in one transaction, or many of an organization together.

Two lanes over one law: both read the same facts, decide by `domain/billing.py`, and leave the same
rows. What is due stands on the agenda and is claimed there, so a repeated task finds nothing to do;
behind it the chain of billed periods makes a second invoice impossible.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.billed_periods import step
from bursar.domain.billing import (
    Bill,
    Occasion,
    Payer,
    Portion,
    bill,
    credit_after,
    issued,
    issued_draft,
)
from bursar.domain.calendars import year_in
from bursar.domain.change import Change
from bursar.domain.ids import CustomerId, InvoiceId, SubscriptionId
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.refusals import Refusal
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.runtime.logging import get_log
from bursar.store import billed_periods, billed_usage, billing_run, customers, invoices, tabs
from bursar.store.apply import apply
from bursar.store.tabs import HouseTerms

CHUNK: Final = 200
_PUT_OFF: Final = timedelta(hours=1)

log = get_log()


@dataclass(frozen=True, slots=True)
class BillOne:
    """Bill what is due of one subscription."""

    subscription_id: SubscriptionId


@operation(requires=Permission.SUBSCRIPTION_RENEW)
async def bill_subscription(tx: Tx, command: BillOne) -> Invoice | None:
    """One step of a subscription, the earliest that is due; None when nothing was billed.

    Raises:
        NotFound: no such subscription.
        AmountTooLarge: an amount leaves the exact range.
    """
    await customers.lock_through(tx, command.subscription_id)
    if not await tabs.is_due(tx, command.subscription_id):
        return None
    house = await tabs.house_terms(tx)
    (found,) = await tabs.read(tx, [command.subscription_id], house)
    (counted,) = await billed_usage.count(tx, [step(found.tab, tx.now)])
    occasion = _occasion(tx)
    decided = bill(found.payer, [counted.portion], occasion)
    number = None
    if decided.needs_number:
        number = await invoices.next_number(tx, _series(tx, house))
    written = await apply(tx, issued(decided, number, occasion))
    await billed_periods.keep(tx, [decided])
    await billed_usage.settle(tx, [counted])
    if decided.invoice is None:
        return None
    invoice = written[decided.invoice.id]
    assert isinstance(invoice, Invoice)
    return invoice


@dataclass(frozen=True, slots=True)
class BillChunk:
    """Bill at most so many subscriptions that are due."""

    limit: int = CHUNK


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a chunk came to; those put off failed and are tried one by one."""

    subscriptions: int
    invoices: int
    put_off: int = 0


@operation(requires=Permission.SUBSCRIPTION_RENEW)
async def bill_chunk(tx: Tx, command: BillChunk) -> Chunk:
    """One step of each of many subscriptions, in one commit; what cannot be billed is put off."""
    claimed = await tabs.claim(tx, command.limit)
    if not claimed:
        return Chunk(0, 0)
    house = await tabs.house_terms(tx)
    found = await tabs.read(tx, claimed, house)
    counted = await billed_usage.count(tx, [step(each.tab, tx.now) for each in found])
    made = [
        (each, decided)
        for one, each in zip(found, counted, strict=True)
        if (decided := _decided(tx, one.payer, each.portion)) is not None
    ]
    bills = [decided for _, decided in made]
    count = sum(each.needs_number for each in bills)
    numbers = iter(await billing_run.take_numbers(tx, _series(tx, house), count))
    changes = list(_issued(bills, numbers, _occasion(tx)))
    done = {each.portion.step.subscription.id for each, _ in made}
    late = tuple(_later(tx, each) for each in claimed if each not in done)
    await billing_run.apply_together(tx, [*changes, Change(agenda=late)])
    await billed_periods.keep(tx, bills)
    await billed_usage.settle(tx, [each for each, _ in made])
    return Chunk(len(done), sum(each.invoice is not None for each in bills), len(late))


def _decided(tx: Tx, payer: Payer, portion: Portion) -> Bill | None:
    """The bill, or nothing where the law refuses one: nobody else waits for that."""
    try:
        return bill(payer, [portion], _occasion(tx))
    except Refusal as refusal:
        subscription_id = portion.step.subscription.id
        log.warning("billing.put_off", subscription_id=subscription_id, reason=str(refusal))
        return None


def _issued(
    bills: Sequence[Bill], numbers: Iterator[InvoiceNumber], occasion: Occasion
) -> Iterator[Change]:
    """What becomes true of each; credit that one bill of a customer spends the next has not."""
    credit: dict[CustomerId, Money] = {}
    for each in bills:
        payer = each.payer
        payer = replace(payer, credit=credit.get(payer.customer_id, payer.credit))
        number = next(numbers) if each.needs_number else None
        change = issued(replace(each, payer=payer), number, occasion)
        credit[payer.customer_id] = credit_after(payer, change)
        yield change


def _occasion(tx: Tx) -> Occasion:
    return Occasion(tx.now, tx.wall, tx.new_id)


def _later(tx: Tx, subscription_id: SubscriptionId) -> Due:
    return Due(DueKind.BILL_SUBSCRIPTION, subscription_id, tx.now + _PUT_OFF)


def _series(tx: Tx, house: HouseTerms) -> str:
    return f"{house.invoice_prefix}-{year_in(tx.now, house.timezone)}"


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """Make a draft final that waited for late usage."""

    invoice_id: InvoiceId


@operation(requires=Permission.SUBSCRIPTION_RENEW)
async def issue_invoice(tx: Tx, command: IssueDraft) -> Invoice:
    """Number and book a draft whose time has come; one that somebody dealt with stays as it is.

    Raises:
        NotFound: no such invoice.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    if invoice.status is not InvoiceStatus.DRAFT:
        await apply(tx, Change(agenda=(Undue(DueKind.ISSUE_INVOICE, invoice.id),)))
        return invoice
    house = await tabs.house_terms(tx)
    payer = await tabs.payer(tx, invoice.customer_id, house)
    number = await invoices.next_number(tx, _series(tx, house))
    written = (await apply(tx, issued_draft(payer, invoice, number, _occasion(tx))))[invoice.id]
    assert isinstance(written, Invoice)
    return written
