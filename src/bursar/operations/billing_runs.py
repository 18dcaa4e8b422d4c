"""The billing run: one subscription in one transaction, or many of an organization together.

Two lanes over one law: both read the same facts, decide by `domain/billing.py`, and leave the same
rows. What is due stands on the agenda and is claimed there, so a repeated task finds nothing to do;
behind it the chain of billed periods makes a second invoice impossible.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

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
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, SubscriptionId
from bursar.domain.invoice_lines import LINES_MAX
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.refusals import Refusal
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.runtime.logging import get_log
from bursar.store import (
    billed_periods,
    billed_usage,
    billing_run,
    customers,
    invoices,
    series,
    tabs,
)
from bursar.store.apply import apply
from bursar.store.billed_usage import Counted
from bursar.store.tabs import HouseTerms

CHUNK: Final = 200
_PUT_OFF: Final = timedelta(hours=1)

log = get_log()


class BillOne(Struct, frozen=True):
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
    due = (await _due(tx, [command.subscription_id], house))[0]
    occasion = _occasion(tx)
    decided = bill(due[0].payer, [each.portion for each in due], occasion)
    number = None
    if decided.needs_number:
        number = await series.next_number(tx, house.numbering, due[0].payer.customer_id)
    written = await apply(tx, issued(decided, number, occasion))
    await billed_periods.keep(tx, [decided])
    await billed_usage.settle(tx, [each.counted for each in due])
    if decided.invoice is None:
        return None
    invoice = written[decided.invoice.id]
    assert isinstance(invoice, Invoice)
    return invoice


class BillChunk(Struct, frozen=True):
    """Bill at most so many subscriptions that are due."""

    limit: int = CHUNK


class Chunk(Struct, frozen=True):
    """What a chunk came to; those put off failed and are tried one by one."""

    subscriptions: int
    invoices: int
    put_off: int = 0

    def plus(self, other: "Chunk") -> "Chunk":
        """Both together."""
        return Chunk(
            self.subscriptions + other.subscriptions,
            self.invoices + other.invoices,
            self.put_off + other.put_off,
        )


@operation(requires=Permission.SUBSCRIPTION_RENEW)
async def bill_chunk(tx: Tx, command: BillChunk) -> Chunk:
    """One step of each of many subscriptions, in one commit; what cannot be billed is put off."""
    claimed = await tabs.claim(tx, command.limit)
    if not claimed:
        return Chunk(0, 0)
    house = await tabs.house_terms(tx)
    due = await _due(tx, claimed, house)
    made = [(group, found) for group in due if (found := _decided(tx, group)) is not None]
    bills = [decided for _, decided in made]
    done = [each for group, _ in made for each in group]
    billed = {each.subscription_id for each in done}
    late = [each.subscription_id for group in due for each in group]
    later = tuple(_later(tx, each) for each in late if each not in billed)
    await billed_usage.settle(tx, [each.counted for each in done])
    # Whoever needs a number of the series waits for the end of this from here on.
    numbered = [each.payer.customer_id for each in bills if each.needs_number]
    numbers = iter(await series.take_numbers(tx, house.numbering, numbered))
    changes = list(_issued(bills, numbers, _occasion(tx)))
    await billing_run.apply_together(tx, [*changes, Change(agenda=later)])
    await billed_periods.keep(tx, bills)
    return Chunk(len(done), sum(each.invoice is not None for each in bills), len(later))


class _Due(Struct, frozen=True):
    """A step that is due, who pays for it, and what was counted for it."""

    payer: Payer
    counted: Counted

    @property
    def portion(self) -> Portion:
        """The step with its usage."""
        return self.counted.portion

    @property
    def subscription_id(self) -> SubscriptionId:
        """Whose step it is."""
        return self.portion.step.subscription.id


async def _due(tx: Tx, claimed: list[SubscriptionId], house: HouseTerms) -> list[list[_Due]]:
    """What is due of these subscriptions, in groups that share an invoice.

    Where invoices are consolidated, what a customer has due at one instant is one of them.
    """
    if house.has_consolidated_invoices:
        claimed = [*claimed, *await tabs.siblings(tx, claimed)]
    found = await tabs.read(tx, claimed, house)
    counted = await billed_usage.count(tx, [step(each.tab, tx.now) for each in found])
    groups: dict[tuple[object, ...], list[_Due]] = {}
    for one, each in zip(found, counted, strict=True):
        due = _Due(one.payer, each)
        alone = (due.subscription_id,)
        shared = (one.payer.customer_id, each.portion.step.at)
        groups.setdefault(shared if house.has_consolidated_invoices else alone, []).append(due)
    return [part for group in groups.values() for part in _parted(group)]


def _parted(group: list[_Due]) -> Iterator[list[_Due]]:
    """A group, or parts of it that a document has room for."""
    part, lines = list[_Due](), 0
    for each in group:
        more = each.portion.lines
        if part and lines + more > LINES_MAX:
            yield part
            part, lines = [], 0
        part.append(each)
        lines += more
    yield part


def _decided(tx: Tx, due: list[_Due]) -> Bill | None:
    """The bill, or nothing where the law refuses one: nobody else waits for that."""
    try:
        return bill(due[0].payer, [each.portion for each in due], _occasion(tx))
    except Refusal as refusal:
        log.warning("billing.put_off", subscription_id=due[0].subscription_id, reason=str(refusal))
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


class IssueDraft(Struct, frozen=True):
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
    number = await series.next_number(tx, house.numbering, invoice.customer_id)
    written = (await apply(tx, issued_draft(payer, invoice, number, _occasion(tx))))[invoice.id]
    assert isinstance(written, Invoice)
    return written
