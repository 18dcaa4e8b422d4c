"""Credit notes: what is taken back of an invoice, line by line and tax by tax, never more than it.

A note names an amount of each line, taxes included. The taxes in it are worked out cumulatively:
those in all that was taken back so far, less those in what was before. So however an invoice is
taken back, all parts together are exactly the invoice. What is still due is lowered first; the rest
is the customer's credit, or is refunded out of it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import CreditNoteCreated, InvoiceCredited, InvoicePaid
from bursar.domain.frozen import replace
from bursar.domain.ids import (
    CreditNoteId,
    CreditNoteLineId,
    CustomerId,
    InvoiceId,
    InvoiceLineId,
    RefundId,
)
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.money import Money, half_even, total
from bursar.domain.refusals import CreditAboveInvoice, IllegalTransition, InvalidInput, NotFound
from bursar.domain.taxes import LineTax
from bursar.domain.times import Instant

NOTABLE: Final = frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID})

Taken = Mapping[InvoiceLineId, Money]
"""Amounts by line, taxes included."""


class CreditDestination(StrEnum):
    """Where goes what is more than was due."""

    CREDIT_BALANCE = "credit_balance"
    REFUND = "refund"


class CreditNoteLine(Struct, frozen=True):
    """What is taken back of one line, and the taxes in it."""

    id: CreditNoteLineId
    invoice_line_id: InvoiceLineId
    description: str
    amount: Money
    taxes: tuple[LineTax, ...]

    @property
    def tax(self) -> Money:
        """All taxes in the amount."""
        return total((each.amount for each in self.taxes), self.amount.currency)


class CreditNote(Struct, frozen=True):
    """One note; it is never changed. `applied` lowered what was due, `credited` is the rest."""

    id: CreditNoteId
    invoice_id: InvoiceId
    customer_id: CustomerId
    number: InvoiceNumber
    currency: Currency
    lines: tuple[CreditNoteLine, ...]
    total: Money
    tax: Money
    applied: Money
    credited: Money
    destination: CreditDestination
    refund_id: RefundId | None
    reason: str | None
    metadata: dict[str, str]
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def net(self) -> Money:
        """What is less earned."""
        return self.total - self.tax


def whole(invoice: Invoice, before: Taken) -> Taken:
    """All that is left of every line.

    Raises:
        CreditAboveInvoice: nothing is left.
    """
    left = {line.id: _left(line, before) for line in invoice.lines}
    if not total(left.values(), invoice.currency).is_positive:
        raise _above(invoice, Money.zero(invoice.currency))
    return {line_id: amount for line_id, amount in left.items() if not amount.is_zero}


def by_amount(invoice: Invoice, before: Taken, amount: Money) -> Taken:
    """An amount, shared over what is left of the lines; all that is left is the whole.

    Raises:
        CreditAboveInvoice: more than is left.
    """
    left = {line.id: _left(line, before) for line in invoice.lines}
    rest = total(left.values(), invoice.currency)
    if amount > rest:
        raise _above(invoice, rest)
    if amount == rest:
        return whole(invoice, before)
    shares = amount.allocate([max(each.minor, 0) for each in left.values()])
    return {line_id: each for line_id, each in zip(left, shares, strict=True) if each.is_positive}


def by_line(invoice: Invoice, before: Taken, wanted: Mapping[InvoiceLineId, Money | None]) -> Taken:
    """Of each of these lines an amount, or all that is left of it.

    Raises:
        NotFound: no line of this invoice.
        InvalidInput: a line of which nothing is left, or that gives money back.
        CreditAboveInvoice: more than is left of a line, or of the invoice.
    """
    lines = {line.id: line for line in invoice.lines}
    taken: dict[InvoiceLineId, Money] = {}
    for position, (line_id, amount) in enumerate(wanted.items()):
        place = f"lines[{position}].invoiceLineId"
        if line_id not in lines:
            raise NotFound(f"Invoice {invoice.id} has no line {line_id}.")
        left = _left(lines[line_id], before)
        if not left.is_positive:
            raise InvalidInput.at(place, "nothing of this line can be taken back", "nothing_left")
        if amount is not None and amount > left:
            raise _above(invoice, left)
        taken[line_id] = left if amount is None else amount
    rest = total((_left(line, before) for line in invoice.lines), invoice.currency)
    if total(taken.values(), invoice.currency) > rest:
        raise _above(invoice, rest)
    return taken


def noted_lines(
    invoice: Invoice, before: Taken, *, taken: Taken, ids: Sequence[CreditNoteLineId]
) -> tuple[CreditNoteLine, ...]:
    """The lines of a note, with the taxes in them."""
    chosen = [line for line in invoice.lines if line.id in taken]
    return tuple(
        CreditNoteLine(line_id, line.id, line.description, taken[line.id], taxes)
        for line_id, line in zip(ids, chosen, strict=True)
        for taxes in (_taxes(line, _before(line, before), taken[line.id]),)
    )


def issue(note: CreditNote, invoice: Invoice) -> Change:
    """Take it back: the due is lowered, the books are, and the rest is the customer's credit.

    Raises:
        IllegalTransition: the invoice is neither open nor paid.
    """
    require_notable(invoice)
    assert note.total == note.applied + note.credited
    assert note.applied == applied_of(note.total, invoice)
    after = replace(
        invoice,
        credited=invoice.credited + note.applied,
        noted=invoice.noted + note.total,
        version=invoice.version + 1,
    )
    told = (CreditNoteCreated(note), InvoiceCredited(after, invoice))
    posting = chart.credit_note_issued(
        note.id,
        chart.CreditedParts(invoice.customer_id, note.net, note.applied, note.credited),
        [(tax.rate_id, tax.amount) for line in note.lines for tax in line.taxes],
        note.created_at,
    )
    if invoice.status is InvoiceStatus.OPEN and after.due.is_zero:
        closed = replace(
            after.to(InvoiceStatus.PAID), version=after.version, paid_at=note.created_at
        )
        return Change((note, closed), (posting,), (*told, InvoicePaid(closed, after)))
    return Change((note, after), (posting,), told)


def require_notable(invoice: Invoice) -> None:
    """Refuse what has no number yet, or is over.

    Raises:
        IllegalTransition: the invoice is neither open nor paid.
    """
    if invoice.status not in NOTABLE:
        raise IllegalTransition(
            f"Invoice {invoice.id} is {invoice.status.value}; nothing of it can be credited.",
            facts={"currentStatus": invoice.status.value},
        )


def applied_of(amount: Money, invoice: Invoice) -> Money:
    """What of a note lowers what is due."""
    due = invoice.due if invoice.status is InvoiceStatus.OPEN else Money.zero(invoice.currency)
    return min(amount, due)


def _before(line: InvoiceLine, before: Taken) -> Money:
    return before.get(line.id, Money.zero(line.amount.currency))


def _left(line: InvoiceLine, before: Taken) -> Money:
    return line.total - _before(line, before)


def _taxes(line: InvoiceLine, before: Money, amount: Money) -> tuple[LineTax, ...]:
    return tuple(
        replace(
            tax,
            amount=_within(tax.amount, line.total, before + amount)
            - _within(tax.amount, line.total, before),
        )
        for tax in line.taxes
    )


def _within(tax: Money, of: Money, part: Money) -> Money:
    """The tax in a part of a line: all of it in the whole line, nothing in nothing."""
    if of.is_zero:
        return Money.zero(tax.currency)
    sign = -1 if of.is_negative else 1
    minor = half_even(sign * tax.minor * part.minor, denominator=sign * of.minor)
    return Money(minor, tax.currency)


def _above(invoice: Invoice, left: Money) -> CreditAboveInvoice:
    return CreditAboveInvoice(
        f"Of invoice {invoice.id} {left.minor} can still be credited.",
        facts={"creditableCents": left.minor, "currency": left.currency},
    )
