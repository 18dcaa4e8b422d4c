"""Recurring invoices: a template, when it falls due, and the invoices it has made.

An occurrence has a number, counted from 0, and every one is computed from the start, never from the
one before, so no short month and no change of clocks can make them drift. A missed occurrence is
caught up once, in order; one that fell into a pause is never made. An invoice is made by `issue`
alone, which moves the template on in the same change.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.calendars import days_after, months_after
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import (
    Event,
    InvoiceCreated,
    RecurringInvoiceCanceled,
    RecurringInvoiceCompleted,
    RecurringInvoiceCreated,
    RecurringInvoiceIssued,
    RecurringInvoicePaused,
    RecurringInvoiceResumed,
    RecurringInvoiceUpdated,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, RecurringInvoiceId, TaxRateId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.tasks import IssueRecurring
from bursar.domain.taxes import TaxTerms
from bursar.domain.times import Instant

EVERY_MAX: Final = 120
_DAYS_PER_WEEK: Final = 7
_MONTHS_PER_YEAR: Final = 12


class RecurringStatus(StrEnum):
    """Whether it makes invoices; completed means that its end has passed."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELED = "canceled"
    COMPLETED = "completed"


_S = RecurringStatus
TRANSITIONS: Final[dict[RecurringStatus, tuple[RecurringStatus, ...]]] = {
    _S.ACTIVE: (_S.PAUSED, _S.CANCELED, _S.COMPLETED),
    _S.PAUSED: (_S.ACTIVE, _S.CANCELED, _S.COMPLETED),
    _S.CANCELED: (),
    _S.COMPLETED: (),
}


class RecurringInterval(StrEnum):
    """The unit of time between two invoices."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Schedule(Struct, frozen=True, kw_only=True):
    """When occurrences fall, by the calendar of a time zone; none falls after the end."""

    start_at: Instant
    interval: RecurringInterval
    every: int
    timezone: str
    end_at: Instant | None

    def __post_init__(self) -> None:
        assert 1 <= self.every <= EVERY_MAX

    def at(self, occurrence: int) -> Instant | None:
        """When an occurrence falls, counted from 0; nothing beyond the end."""
        found = self._unbounded(occurrence)
        return None if self.end_at is not None and found > self.end_at else found

    def first_from(self, at: Instant, occurrence: int) -> int:
        """The first occurrence, not before this one, that falls at an instant or later."""
        if self._unbounded(occurrence) >= at:
            return occurrence
        before, step = occurrence, 1
        while self._unbounded(before + step) < at:
            before, step = before + step, step * 2
        after = before + step
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if self._unbounded(middle) < at else (before, middle)
        return after

    def _unbounded(self, occurrence: int) -> Instant:
        steps = occurrence * self.every
        match self.interval:
            case RecurringInterval.DAY:
                return days_after(self.start_at, steps, self.timezone)
            case RecurringInterval.WEEK:
                return days_after(self.start_at, steps * _DAYS_PER_WEEK, self.timezone)
            case RecurringInterval.MONTH:
                return months_after(self.start_at, steps, self.timezone)
            case RecurringInterval.YEAR:
                return months_after(self.start_at, steps * _MONTHS_PER_YEAR, self.timezone)
            case _:
                assert_never(self.interval)


class RecurringLine(Struct, frozen=True):
    """A line that every invoice of the template gets; the unit price is in minor units.

    Without rates of its own it bears those that lie on whatever is billed by itself.
    """

    description: str
    quantity: int
    unit_amount: Decimal
    tax_rate_ids: tuple[TaxRateId, ...] | None = None

    def terms(
        self, named: Mapping[TaxRateId, TaxTerms], usual: Sequence[TaxTerms]
    ) -> tuple[TaxTerms, ...]:
        """What lies on it: the rates it names, of those `named` anywhere, or the usual ones."""
        if self.tax_rate_ids is None:
            return tuple(usual)
        return tuple(named[rate_id] for rate_id in self.tax_rate_ids)


class RecurringInvoice(Struct, frozen=True):
    """One template. `occurrence` is the number of the next one, which falls at `next_at`."""

    id: RecurringInvoiceId
    customer_id: CustomerId
    status: RecurringStatus
    currency: Currency
    lines: tuple[RecurringLine, ...]
    schedule: Schedule
    occurrence: int
    next_at: Instant | None
    last_invoice_id: InvoiceId | None
    auto_finalize: bool
    auto_send: bool
    memo: str | None
    metadata: dict[str, str]
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def to(self, status: RecurringStatus) -> "RecurringInvoice":
        """The same template in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        if status not in TRANSITIONS[self.status]:
            self._refuse(f"it cannot become {status.value}")
        return replace(self, status=status, version=self.version + 1)

    def edit(self, after: "RecurringInvoice") -> Change | None:
        """Another content from the next invoice on; an end that has passed completes it.

        Raises:
            IllegalTransition: it is canceled or completed.
            InvalidInput: no lines, or an end before the start.
        """
        if not TRANSITIONS[self.status]:
            self._refuse("only one that is active or paused can be changed")
        if after == self:
            return None
        _check(after)
        if after.status is _S.ACTIVE:
            after = replace(after, next_at=after.schedule.at(after.occurrence))
        edited = replace(after, version=self.version + 1)
        if edited.status is _S.ACTIVE and edited.next_at is None:
            return _completed(edited, RecurringInvoiceUpdated(edited, self))
        return Change(
            rows=(edited,),
            events=(RecurringInvoiceUpdated(edited, self),),
            agenda=_agenda_of(edited),
        )

    def pause(self) -> Change:
        """Make no invoices until it is resumed.

        Raises:
            IllegalTransition: not active.
        """
        after = replace(self.to(_S.PAUSED), next_at=None)
        event = RecurringInvoicePaused(after, self)
        return Change(rows=(after,), events=(event,), agenda=_agenda_of(after))

    def resume(self, at: Instant) -> Change:
        """Go on with the first occurrence that is not past; what fell into the pause is left out.

        Raises:
            IllegalTransition: not paused.
        """
        active = self.to(_S.ACTIVE)
        occurrence = self.schedule.first_from(at, self.occurrence)
        next_at = self.schedule.at(occurrence)
        after = replace(active, occurrence=occurrence, next_at=next_at)
        resumed = RecurringInvoiceResumed(after, self)
        if next_at is None:
            return _completed(after, resumed)
        return Change(rows=(after,), events=(resumed,), agenda=_agenda_of(after))

    def cancel(self) -> Change:
        """Make no invoices any more; what was made stays.

        Raises:
            IllegalTransition: canceled or completed already.
        """
        after = replace(self.to(_S.CANCELED), next_at=None)
        event = RecurringInvoiceCanceled(after, self)
        return Change(rows=(after,), events=(event,), agenda=_agenda_of(after))

    def is_due(self, at: Instant) -> bool:
        """Whether an invoice is to be made by now."""
        return self.next_at is not None and self.next_at <= at

    def waits_for(self, last: Invoice) -> bool:
        """Whether the invoice made last is not yet what it should be: the next one comes after."""
        is_unsent = self.auto_send and last.sent_at is None and last.status is InvoiceStatus.OPEN
        return self.auto_finalize and (last.status is InvoiceStatus.DRAFT or is_unsent)

    def issue(self, invoice: Invoice) -> Change:
        """The draft of the occurrence that is due, and the template moved on to the next."""
        assert self.status is _S.ACTIVE
        assert invoice.status is InvoiceStatus.DRAFT
        occurrence = self.occurrence + 1
        after = replace(
            self,
            occurrence=occurrence,
            next_at=self.schedule.at(occurrence),
            last_invoice_id=invoice.id,
            version=self.version + 1,
        )
        told = (InvoiceCreated(invoice), RecurringInvoiceIssued(after, self))
        if after.next_at is None:
            change = _completed(after, *told)
            return replace(change, rows=(invoice, *change.rows))
        return Change(rows=(invoice, after), events=told, agenda=_agenda_of(after))

    def _refuse(self, why: str) -> None:
        raise IllegalTransition(
            f"Recurring invoice {self.id} is {self.status.value}; {why}.",
            facts={
                "currentStatus": self.status.value,
                "allowedTransitions": [each.value for each in TRANSITIONS[self.status]],
            },
        )


def schedule_invoices(template: RecurringInvoice, *, earliest: Instant) -> Change:
    """A new template, which waits for its first occurrence; one that is due is made at once.

    Raises:
        InvalidInput: no lines, a start before `earliest`, or an end before the start.
    """
    _check(template)
    if template.schedule.start_at < earliest:
        raise InvalidInput.at("startDate", "must not lie before today", "in_the_past")
    assert template.next_at is not None, "the first occurrence is the start"
    event = RecurringInvoiceCreated(template)
    tasks = (IssueRecurring(template.id),) if template.is_due(template.created_at) else ()
    return Change(rows=(template,), events=(event,), tasks=tasks, agenda=_agenda_of(template))


def _completed(template: RecurringInvoice, *told: Event) -> Change:
    """The end has come with a step that raised the version already: two facts, one row."""
    version = template.version
    after = replace(template.to(_S.COMPLETED), version=version, next_at=None)
    events = (*told, RecurringInvoiceCompleted(after, template))
    return Change(rows=(after,), events=events, agenda=_agenda_of(after))


def _agenda_of(template: RecurringInvoice) -> tuple[Due | Undue, ...]:
    if template.next_at is None:
        return (Undue(DueKind.ISSUE_RECURRING, template.id),)
    return (Due(DueKind.ISSUE_RECURRING, template.id, template.next_at),)


def _check(template: RecurringInvoice) -> None:
    if not template.lines:
        raise InvalidInput.at("lines", "an invoice without lines is never made", "empty")
    end = template.schedule.end_at
    if end is not None and end < template.schedule.start_at:
        raise InvalidInput.at("endDate", "must not lie before the start", "wrong_order")
    if template.auto_send and not template.auto_finalize:
        raise InvalidInput.at("autoSend", "a draft is never sent; say autoFinalize", "ambiguous")
