"""Invoices: lines, totals, and the life of the document.

A line, a discount and the tax of a rate are rounded once each; all else is exact sums. A draft may
change freely; finalizing gives it its number, books it, and freezes it. What was finalized is only
ever reversed, never edited.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Discount, Reduction, discounts
from bursar.domain.events import (
    Event,
    InvoiceCreated,
    InvoiceFinalized,
    InvoiceLinkRevoked,
    InvoiceMarkedUncollectible,
    InvoiceOverdue,
    InvoicePaid,
    InvoicePartiallyPaid,
    InvoiceSent,
    InvoiceUpdated,
    InvoiceVoided,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, SubscriptionId
from bursar.domain.invoice_lines import LINES_MAX, InvoiceLine
from bursar.domain.ledger import Posting
from bursar.domain.money import AmountOutOfRange, Money, total
from bursar.domain.refusals import AmountTooLarge, IllegalTransition, InvalidInput
from bursar.domain.taxes import AppliedTax, TaxableLine, TaxTerms, taxation
from bursar.domain.times import Instant, Period

# A reminder may come 90 days after the due date, and its link must lead somewhere for a while.
LINK_LIVES_OPEN: Final = timedelta(days=120)
LINK_LIVES_CLOSED: Final = timedelta(days=30)
LINK_RENEWED_AFTER: Final = timedelta(hours=1)


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


class BillingReason(StrEnum):
    """Why the document was made."""

    MANUAL = "manual"
    SUBSCRIPTION_CREATE = "subscription_create"
    SUBSCRIPTION_CYCLE = "subscription_cycle"
    SUBSCRIPTION_UPDATE = "subscription_update"
    RECURRING = "recurring"


class InvoiceNumber(Struct, frozen=True):
    """A place in a gapless series: `INV-2026` number 7 prints as `INV-2026-00007`."""

    series: str
    number: int

    def __str__(self) -> str:
        return f"{self.series}-{self.number:05d}"

    @staticmethod
    def sought(text: str) -> tuple[str, str | None]:
        """How a text would lie in a printed number that it is a part of, but not of its series.

        The end of the series with its hyphen, which may be empty, and a LIKE pattern of the number;
        no pattern where it lies in none.
        """
        head, hyphen, digits = text.rpartition("-")
        if not (digits.isascii() and digits.isdigit()):
            return head + hyphen, None
        return head + hyphen, f"{digits}%" if hyphen else f"%{digits}%"


class Invoice(Struct, frozen=True):
    """One document. Amounts are all in the customer's currency.

    The total is the subtotal less discounts plus the taxes that are not in the prices already. A
    sum below zero is a total of zero, and the excess goes to the customer's credit. What was
    `credited` came off the due by credit notes; `noted` is all they ever took back.
    """

    id: InvoiceId
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    billing_reason: BillingReason
    period: Period | None
    status: InvoiceStatus
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    discounts: tuple[Discount, ...]
    taxes: tuple[AppliedTax, ...]
    subtotal: Money
    discount: Money
    tax: Money
    tax_included: Money
    excess: Money
    total: Money
    paid: Money
    credited: Money
    noted: Money
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
    sent_at: Instant | None = None
    overdue_at: Instant | None = None

    @property
    def due(self) -> Money:
        """What is left to pay."""
        return self.total - self.paid - self.credited

    @property
    def net(self) -> Money:
        """What is earned by it: the sum before taxes, below zero when it gives something back."""
        return self.subtotal - self.discount - self.tax_included

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
        self.require_draft()
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceUpdated(after, self),))

    def require_draft(self) -> None:
        """Refuse whatever cannot be edited any more.

        Raises:
            IllegalTransition: the invoice is not a draft.
        """
        if self.status is not InvoiceStatus.DRAFT:
            raise IllegalTransition(
                f"Invoice {self.id} is {self.status.value}; only a draft can be edited.",
                facts=_state_facts(self.status),
            )

    def finalize(self, number: InvoiceNumber, *, due_at: Instant, at: Instant) -> Change:
        """Freeze the draft, number it and book it; an invoice over nothing is paid at once.

        Raises:
            IllegalTransition: not a draft.
            InvalidInput: no lines, or a due date that has passed.
        """
        self.require_finalizable(due_at=due_at, at=at)
        opened = self.to(InvoiceStatus.OPEN)
        opened = replace(opened, number=number, due_at=due_at, finalized_at=at)
        postings = tuple(p for p in (_booking(opened, at),) if p is not None)
        finalized = InvoiceFinalized(opened, self)
        if opened.total.is_zero:
            # Two steps, told as two facts and written as one row: one version later, not two.
            paid = replace(opened.pay(opened.due, at), version=opened.version)
            return Change((paid,), postings=postings, events=(finalized, InvoicePaid(paid, opened)))
        return Change((opened,), postings=postings, events=(finalized,))

    def require_finalizable(self, *, due_at: Instant, at: Instant) -> None:
        """Refuse before a number is taken.

        Raises:
            IllegalTransition: not a draft.
            InvalidInput: no lines, or a due date that has passed.
        """
        self.to(InvoiceStatus.OPEN)
        if not self.lines:
            raise InvalidInput.at("lines", "an invoice without lines cannot be finalized", "empty")
        if due_at < at:
            raise InvalidInput.at("dueDate", "must not lie before the invoice date", "in_the_past")

    def pay(self, amount: Money, at: Instant) -> "Invoice":
        """The invoice after so much has come in: paid, or still open for the rest.

        Raises:
            IllegalTransition: the invoice is not open.
        """
        assert amount <= self.due, "what is more than due is not the invoice's"
        paid = self.to(InvoiceStatus.PAID)
        if amount < self.due:
            return replace(self, paid=self.paid + amount, version=paid.version)
        return replace(paid, paid=self.paid + amount, paid_at=at)

    def told_paid(self, before: "Invoice") -> Event:
        """What is told of money that has come in."""
        is_paid = self.status is InvoiceStatus.PAID
        return InvoicePaid(self, before) if is_paid else InvoicePartiallyPaid(self, before)

    def void(self, at: Instant) -> Change:
        """Take the document back and reverse its booking.

        Raises:
            IllegalTransition: paid, void or uncollectible already.
        """
        after = replace(self.to(InvoiceStatus.VOID), voided_at=at)
        if self.paid.is_positive or self.noted.is_positive:
            raise IllegalTransition(
                f"Invoice {self.id} is paid or credited in part; it cannot be voided.",
                facts=_state_facts(self.status),
            )
        booked = _booking(self, self.finalized_at or at) if self.number is not None else None
        postings = () if booked is None else (chart.invoice_voided(booked, self.id, at),)
        return Change(rows=(after,), postings=postings, events=(InvoiceVoided(after, self),))

    def send(self, at: Instant) -> Change:
        """The customer is written to; sending again is told again.

        Raises:
            IllegalTransition: a draft has no number yet, a void one is nobody's business.
        """
        if self.status in {InvoiceStatus.DRAFT, InvoiceStatus.VOID}:
            raise IllegalTransition(
                f"Invoice {self.id} is {self.status.value}; it cannot be sent.",
                facts=_state_facts(self.status),
            )
        after = replace(self, sent_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceSent(after, self),))

    @property
    def link_ends_at(self) -> Instant:
        """Until when a link leads to its page: whatever happens to it is news for a while."""
        if self.status is InvoiceStatus.OPEN and self.due_at is not None:
            return max(self.updated_at, self.due_at) + LINK_LIVES_OPEN
        return self.updated_at + LINK_LIVES_CLOSED

    def renew_link(self, at: Instant) -> Change | None:
        """The customer is written to with a link that works; not again within the hour.

        A link that has ended stays so: the new one is of the next generation.
        """
        assert self.number is not None, "a draft has no link"
        if self.sent_at is not None and at - self.sent_at < LINK_RENEWED_AFTER:
            return None
        generation = self.hosted_generation + int(self.link_ends_at <= at)
        after = replace(self, hosted_generation=generation, sent_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceSent(after, self),))

    def revoke_link(self) -> Change:
        """Every link that was given out so far leads nowhere; the next is of a new generation.

        Raises:
            IllegalTransition: a draft has no link.
        """
        if self.number is None:
            raise IllegalTransition(
                f"Invoice {self.id} is {self.status.value}; it has no link.",
                facts=_state_facts(self.status),
            )
        generation = self.hosted_generation + 1
        after = replace(self, hosted_generation=generation, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceLinkRevoked(after, self),))

    def fall_due(self, at: Instant) -> Change | None:
        """The due date has passed and the invoice is still open: told once."""
        is_late = (
            self.status is InvoiceStatus.OPEN and self.due_at is not None and self.due_at <= at
        )
        if not is_late or self.overdue_at is not None:
            return None
        after = replace(self, overdue_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(InvoiceOverdue(after, self),))

    def write_off(self, at: Instant) -> Change:
        """Nobody expects what is still due any more; what was paid stays paid.

        Raises:
            IllegalTransition: the invoice is not open.
        """
        after = self.to(InvoiceStatus.UNCOLLECTIBLE)
        posting = chart.invoice_written_off(self.id, self.customer_id, self.due, at)
        return Change((after,), (posting,), (InvoiceMarkedUncollectible(after, self),))


class NewDraft(Struct, frozen=True, kw_only=True):
    """What is known of a draft before it has lines."""

    id: InvoiceId
    customer_id: CustomerId
    currency: Currency
    at: Instant
    due_at: Instant | None = None
    memo: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    billing_reason: BillingReason = BillingReason.MANUAL
    subscription_id: SubscriptionId | None = None
    period: Period | None = None

    def blank(self) -> Invoice:
        """The draft over nothing."""
        zero = Money.zero(self.currency)
        return Invoice(
            id=self.id,
            customer_id=self.customer_id,
            subscription_id=self.subscription_id,
            billing_reason=self.billing_reason,
            period=self.period,
            status=InvoiceStatus.DRAFT,
            currency=self.currency,
            lines=(),
            discounts=(),
            taxes=(),
            subtotal=zero,
            discount=zero,
            tax=zero,
            tax_included=zero,
            excess=zero,
            total=zero,
            paid=zero,
            credited=zero,
            noted=zero,
            number=None,
            due_at=self.due_at,
            memo=self.memo,
            metadata=self.metadata,
            hosted_generation=1,
            finalized_at=None,
            paid_at=None,
            voided_at=None,
            version=1,
            sequence=0,
            created_at=self.at,
            updated_at=self.at,
        )


def with_lines(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    *,
    reductions: Sequence[Reduction] = (),
    terms: Sequence[TaxTerms] = (),
) -> Invoice:
    """The draft with these lines, and the discounts, taxes and totals that follow from them.

    A line's own reductions come first, then those of the document, one after another; taxes lie on
    what is left. `terms` are those of all the rates that the lines name.

    Raises:
        AmountTooLarge: a sum leaves the exact range.
        InvalidInput: included taxes round to more than the price they are in.
    """
    assert len(lines) <= LINES_MAX
    try:
        return _totaled(invoice, tuple(lines), tuple(reductions), tuple(terms))
    except AmountOutOfRange as exceeded:
        raise AmountTooLarge(str(exceeded)) from exceeded


def _totaled(
    invoice: Invoice,
    lines: tuple[InvoiceLine, ...],
    reductions: tuple[Reduction, ...],
    terms: tuple[TaxTerms, ...],
) -> Invoice:
    code = invoice.currency
    reduced, taken = _reduced(lines, reductions, code)
    full, applied = _taxed(reduced, terms, code)
    zero = Money.zero(code)
    subtotal = total([each.amount for each in full], code)
    discount = total([each.discount for each in full], code)
    tax = total([each.tax for each in full], code) if applied else zero
    included = total([each.tax_included for each in full], code) if applied else zero
    owed = subtotal - discount + tax - included
    return replace(
        invoice,
        lines=full,
        discounts=taken,
        taxes=applied,
        subtotal=subtotal,
        discount=discount,
        tax=tax,
        tax_included=included,
        excess=max(-owed, zero),
        total=max(owed, zero),
    )


def _reduced(
    lines: tuple[InvoiceLine, ...], reductions: tuple[Reduction, ...], code: Currency
) -> tuple[tuple[InvoiceLine, ...], tuple[Discount, ...]]:
    if not reductions and not any(line.reductions or line.discount.minor for line in lines):
        return lines, ()
    left = [_left_of(line) for line in lines]
    taken = []
    for reduction in reductions if lines else ():
        off = reduction.of(left)
        left = [amount - part for amount, part in zip(left, off, strict=True)]
        taken.append(Discount(reduction, total(off, code)))
    offs = [line.amount - rest for line, rest in zip(lines, left, strict=True)]
    reduced = tuple(
        line if line.discount == off else replace(line, discount=off)
        for line, off in zip(lines, offs, strict=True)
    )
    return reduced, tuple(taken)


def _taxed(
    lines: tuple[InvoiceLine, ...], terms: tuple[TaxTerms, ...], code: Currency
) -> tuple[tuple[InvoiceLine, ...], tuple[AppliedTax, ...]]:
    if not any(line.taxes for line in lines):
        return lines, ()
    taxable = [TaxableLine(each.net, tuple(tax.rate_id for tax in each.taxes)) for each in lines]
    taxes = taxation(taxable, terms, code)
    taxed = tuple(
        each if each.taxes == own else replace(each, taxes=own)
        for each, own in zip(lines, taxes.lines, strict=True)
    )
    return taxed, taxes.applied


def _left_of(line: InvoiceLine) -> Money:
    """What a line's own reductions leave of its amount."""
    if not line.reductions:
        return line.amount
    return line.amount - total(discounts(line.reductions, [line.amount]), line.amount.currency)


def draft(invoice: Invoice) -> Change:
    """A new draft."""
    assert invoice.status is InvoiceStatus.DRAFT
    return Change(rows=(invoice,), events=(InvoiceCreated(invoice),))


def _booking(invoice: Invoice, at: Instant) -> Posting | None:
    taxes = [(each.terms.rate_id, each.amount) for each in invoice.taxes]
    return chart.invoice_finalized(invoice.id, invoice.customer_id, invoice.net, taxes, at)


def _state_facts(status: InvoiceStatus) -> dict[str, object]:
    allowed = [each.value for each in TRANSITIONS[status]]
    return {"currentStatus": status.value, "allowedTransitions": allowed}
