"""Invoices: lines, totals, and the life of the document.

A line is rounded once; everything else is exact sums. A draft may change freely; finalizing gives
it its number, books it, and freezes it. What was finalized is only ever reversed, never edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import (
    InvoiceCreated,
    InvoiceFinalized,
    InvoicePaid,
    InvoiceUpdated,
    InvoiceVoided,
)
from bursar.domain.ids import CustomerId, InvoiceId, InvoiceLineId
from bursar.domain.ledger import Posting
from bursar.domain.money import AmountOutOfRange, Money, priced, total
from bursar.domain.refusals import AmountTooLarge, IllegalTransition, InvalidInput
from bursar.domain.times import Instant

LINES_MAX: Final = 1000


class InvoiceStatus(StrEnum):
    """Where the document is in its life; sent and overdue are facts beside it."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


TRANSITIONS: Final[dict[InvoiceStatus, tuple[InvoiceStatus, ...]]] = {
    InvoiceStatus.DRAFT: (InvoiceStatus.OPEN, InvoiceStatus.VOID),
    InvoiceStatus.OPEN: (InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE),
    InvoiceStatus.PAID: (),
    InvoiceStatus.VOID: (),
    InvoiceStatus.UNCOLLECTIBLE: (),
}


class LineType(StrEnum):
    """What a line charges for."""

    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line: `amount` is quantity times unit price, rounded once, half to even."""

    id: InvoiceLineId
    description: str
    type: LineType
    quantity: int
    unit_amount: Decimal  # minor units, up to 12 decimal places
    amount: Money


@dataclass(frozen=True, slots=True)
class InvoiceNumber:
    """A place in a gapless series: `INV-2026` number 7 prints as `INV-2026-00007`."""

    series: str
    number: int

    def __str__(self) -> str:
        return f"{self.series}-{self.number:05d}"


@dataclass(frozen=True, slots=True)
class Invoice:
    """One document. Amounts are all in the customer's currency."""

    id: InvoiceId
    customer_id: CustomerId
    status: InvoiceStatus
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    paid: Money
    number: InvoiceNumber | None
    due_at: Instant | None
    memo: str | None
    metadata: dict[str, str]
    hosted_generation: int
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def due(self) -> Money:
        """What is left to pay."""
        return self.total - self.paid

    def to(self, status: InvoiceStatus) -> "Invoice":
        """The same invoice in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Invoice {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts=_state_facts(self.status),
            )
        return replace(self, status=status, version=self.version + 1)

    def edit(self, after: "Invoice") -> Change | None:
        """Another content for a draft.

        Raises:
            IllegalTransition: the invoice is not a draft any more.
        """
        if self.status is not InvoiceStatus.DRAFT:
            raise IllegalTransition(
                f"Invoice {self.id} is {self.status.value}; only a draft can be edited.",
                facts=_state_facts(self.status),
            )
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceUpdated(after, self),))

    def finalize(self, number: InvoiceNumber, *, due_at: Instant, at: Instant) -> Change:
        """Freeze the draft, number it and book it; an invoice over nothing is paid at once.

        Raises:
            IllegalTransition: not a draft.
            InvalidInput: no lines, or a due date that has passed.
        """
        opened = self.to(InvoiceStatus.OPEN)
        if not self.lines:
            raise InvalidInput.at("lines", "an invoice without lines cannot be finalized", "empty")
        if due_at < at:
            raise InvalidInput.at("dueDate", "must not lie before the invoice date", "in_the_past")
        opened = replace(opened, number=number, due_at=due_at, finalized_at=at)
        postings = tuple(p for p in (_booking(opened, at),) if p is not None)
        finalized = InvoiceFinalized(opened, self)
        if opened.total.is_zero:
            # Two steps, told as two facts and written as one row: one version later, not two.
            paid = replace(opened.pay(opened.due, at), version=opened.version)
            return Change((paid,), postings, events=(finalized, InvoicePaid(paid, opened)))
        return Change((opened,), postings, events=(finalized,))

    def pay(self, amount: Money, at: Instant) -> "Invoice":
        """The invoice after all that was due has come in.

        Raises:
            IllegalTransition: the invoice is not open.
        """
        assert amount == self.due, "an attempt is always for all that is due"
        return replace(self.to(InvoiceStatus.PAID), paid=self.paid + amount, paid_at=at)

    def void(self, at: Instant) -> Change:
        """Take the document back and reverse its booking.

        Raises:
            IllegalTransition: paid, void or uncollectible already.
        """
        after = replace(self.to(InvoiceStatus.VOID), voided_at=at)
        booked = _booking(self, self.finalized_at or at) if self.number is not None else None
        postings = () if booked is None else (chart.invoice_voided(booked, self.id, at),)
        return Change(rows=(after,), postings=postings, events=(InvoiceVoided(after, self),))


def line(
    line_id: InvoiceLineId,
    description: str,
    quantity: int,
    unit_amount: Decimal,
    currency: Currency,
) -> InvoiceLine:
    """Price one line.

    Raises:
        AmountTooLarge: the product leaves the exact range.
    """
    try:
        amount = priced(Decimal(quantity), unit_amount, currency)
    except AmountOutOfRange as exceeded:
        raise AmountTooLarge(str(exceeded)) from exceeded
    return InvoiceLine(line_id, description, LineType.MANUAL, quantity, unit_amount, amount)


def with_lines(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Invoice:
    """The draft with these lines, and the totals that follow from them.

    Raises:
        AmountTooLarge: the sum leaves the exact range.
    """
    assert len(lines) <= LINES_MAX
    try:
        subtotal = total([each.amount for each in lines], invoice.currency)
    except AmountOutOfRange as exceeded:
        raise AmountTooLarge(str(exceeded)) from exceeded
    zero = Money.zero(invoice.currency)
    return replace(
        invoice, lines=tuple(lines), subtotal=subtotal, discount=zero, tax=zero, total=subtotal
    )


def draft(invoice: Invoice) -> Change:
    """A new draft."""
    assert invoice.status is InvoiceStatus.DRAFT
    return Change(rows=(invoice,), events=(InvoiceCreated(invoice),))


def _booking(invoice: Invoice, at: Instant) -> Posting | None:
    net = invoice.subtotal - invoice.discount
    return chart.invoice_finalized(invoice.id, invoice.customer_id, net, (), at)


def _state_facts(status: InvoiceStatus) -> dict[str, object]:
    allowed = [each.value for each in TRANSITIONS[status]]
    return {"currentStatus": status.value, "allowedTransitions": allowed}
