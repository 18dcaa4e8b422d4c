"""Recurring invoices: when they fall due, what a step leaves behind, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import RecurringInvoiceId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.recurring_invoices import (
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
    Schedule,
    schedule_invoices,
)
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.shapes.samples import DRAFT

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def a_schedule(interval: RecurringInterval, every: int = 1, **more: datetime) -> Schedule:
    terms = {"start_at": AT, "end_at": None, **more}
    return Schedule(interval=interval, every=every, timezone="Europe/Berlin", **terms)  # type: ignore[arg-type]  # fields by name


def a_template(**more: object) -> RecurringInvoice:
    template = RecurringInvoice(
        id=RecurringInvoiceId("rinv_0195a1b2-c3d4-7018-8000-0123456789ab"),
        customer_id=DRAFT.customer_id,
        status=RecurringStatus.ACTIVE,
        currency=DRAFT.currency,
        lines=(RecurringLine("Retainer", 1, Decimal(2500)),),
        schedule=a_schedule(RecurringInterval.MONTH),
        occurrence=0,
        next_at=AT,
        last_invoice_id=None,
        auto_finalize=True,
        auto_send=False,
        memo=None,
        metadata={},
        version=1,
        sequence=0,
        created_at=AT,
        updated_at=AT,
    )
    return replace(template, **more)  # type: ignore[arg-type]  # fields by name


def after(change: Change | None) -> RecurringInvoice:
    assert change is not None
    (row,) = [each for each in change.rows if isinstance(each, RecurringInvoice)]
    return row


def names(change: Change) -> list[str]:
    return [event.name for event in change.events]


def test_short_months_do_not_make_it_drift() -> None:
    # From the 31st: the last day of each month, and the 31st again where there is one.
    schedule = a_schedule(RecurringInterval.MONTH)
    days = [at.date().isoformat() for at in map(schedule.at, range(4)) if at is not None]
    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_a_change_of_clocks_does_not_move_it() -> None:
    # Half past ten in Berlin stays half past ten in summer.
    schedule = a_schedule(RecurringInterval.WEEK)
    local = {
        at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%a %H:%M")
        for at in map(schedule.at, range(30))
        if at is not None
    }
    assert local == {"Sat 10:30"}


@settings(max_examples=100)
@given(
    some.sampled_from(RecurringInterval),
    some.integers(1, 120),
    some.integers(0, 5),
    some.integers(-400, 4000),
)
def test_the_first_from_now_is_the_first(
    interval: RecurringInterval, every: int, occurrence: int, days: int
) -> None:
    # At or after the instant, and the one before it is neither, or was over already.
    schedule, at = a_schedule(interval, every), AT + timedelta(days=days)
    found = schedule.first_from(at, occurrence)
    assert found >= occurrence
    first = schedule.at(found)
    assert first is not None
    before = schedule.at(found - 1) if found > occurrence else None
    assert first >= at
    assert before is None or before < at


def test_making_an_invoice_moves_it_on() -> None:
    # The draft and the next date are one change; the agenda waits for that date.
    change = a_template().issue(DRAFT)
    moved = after(change)
    assert (moved.occurrence, moved.last_invoice_id) == (1, DRAFT.id)
    assert moved.next_at == datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
    assert names(change) == ["invoice.created", "recurring_invoice.issued"]
    assert change.agenda == (Due(DueKind.ISSUE_RECURRING, moved.id, moved.next_at),)


def test_the_last_one_completes_it() -> None:
    # With the invoice after which none comes: one row, two facts, nothing on the agenda.
    ending = a_template(schedule=a_schedule(RecurringInterval.MONTH, end_at=AT))
    change = ending.issue(DRAFT)
    moved = after(change)
    assert (moved.status, moved.next_at, moved.version) == (RecurringStatus.COMPLETED, None, 2)
    assert names(change)[1:] == ["recurring_invoice.issued", "recurring_invoice.completed"]
    assert change.agenda == (Undue(DueKind.ISSUE_RECURRING, moved.id),)


def test_what_falls_into_a_pause_is_left_out() -> None:
    # Paused for two and a half months: the next invoice is that of the month to come.
    paused = after(a_template().pause())
    assert paused.next_at is None
    resumed = after(paused.resume(AT + timedelta(days=75)))
    assert resumed.occurrence == 3
    assert resumed.next_at == datetime(2026, 4, 30, 8, 30, tzinfo=UTC)


def test_a_pause_beyond_the_end_completes_it() -> None:
    # Nothing is left to make.
    ending = a_template(schedule=a_schedule(RecurringInterval.DAY, end_at=AT + timedelta(days=2)))
    change = after(ending.pause()).resume(AT + timedelta(days=9))
    assert names(change) == ["recurring_invoice.resumed", "recurring_invoice.completed"]
    assert after(change).status is RecurringStatus.COMPLETED


def test_an_earlier_end_completes_it() -> None:
    # An end between the last invoice and the next.
    issued = after(a_template().issue(DRAFT))
    schedule = replace(issued.schedule, end_at=AT + timedelta(days=3))
    change = issued.edit(replace(issued, schedule=schedule))
    assert change is not None
    assert names(change) == ["recurring_invoice.updated", "recurring_invoice.completed"]


def test_the_next_waits_for_the_last() -> None:
    # A draft that is to be final comes first; one that may stay a draft keeps nobody waiting.
    assert a_template().waits_for(DRAFT)
    assert not a_template(auto_finalize=False).waits_for(DRAFT)
    assert not a_template().waits_for(DRAFT.to(InvoiceStatus.VOID))


@pytest.mark.parametrize(
    ("field", "template"),
    [
        ("lines", a_template(lines=())),
        ("autoSend", a_template(auto_finalize=False, auto_send=True)),
        ("startDate", a_template(next_at=AT)),
        (
            "endDate",
            a_template(schedule=a_schedule(RecurringInterval.DAY, end_at=AT - timedelta(days=1))),
        ),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, template: RecurringInvoice) -> None:
    # By the name of the field.
    with pytest.raises(InvalidInput) as refused:
        schedule_invoices(template, earliest=AT + timedelta(days=1))
    assert [each.field for each in refused.value.details] == [field]


def test_what_has_ended_stays_so() -> None:
    # Canceled or completed: no step, no edit.
    canceled = after(a_template().cancel())
    assert canceled.next_at is None
    for act in (canceled.pause, canceled.cancel, lambda: canceled.resume(AT)):
        with pytest.raises(IllegalTransition):
            act()
    with pytest.raises(IllegalTransition):
        canceled.edit(replace(canceled, memo="late"))
