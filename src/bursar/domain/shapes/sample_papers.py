"""The part of the samples' story about papers: sent, overdue, recurring, and how they look."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from bursar.domain.change import Change
from bursar.domain.document_settings import settings_unsaid
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, RecurringInvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.recurring_invoices import (
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
    Schedule,
    schedule_invoices,
)


def paper_story(org_id: OrgId, *, draft: Invoice, opened: Invoice) -> Iterator[Change]:
    """How papers look, an invoice sent and overdue, and templates of others."""
    at = draft.created_at
    yield _made(settings_unsaid(org_id, at).edit({"reminder_days": (-3, 7)}))
    yield opened.send(at)
    yield opened.revoke_link()
    yield _made(opened.fall_due(at + timedelta(days=15)))
    yield from _recurring(draft)


def _recurring(draft: Invoice) -> Iterator[Change]:
    """A template from its first day to its last, of the customer who gets this draft."""
    at = draft.created_at
    template = RecurringInvoice(
        id=RecurringInvoiceId("rinv_0195a1b2-c3d4-7018-8000-0123456789ab"),
        customer_id=draft.customer_id,
        status=RecurringStatus.ACTIVE,
        currency=draft.currency,
        lines=(RecurringLine("Support retainer", 1, Decimal(25000)),),
        schedule=Schedule(
            start_at=at,
            interval=RecurringInterval.MONTH,
            every=1,
            timezone="Europe/Berlin",
            end_at=None,
        ),
        occurrence=0,
        next_at=at,
        last_invoice_id=None,
        auto_finalize=True,
        auto_send=True,
        memo="Thank you for your business.",
        metadata={},
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )
    yield schedule_invoices(template, earliest=at)
    yield template.issue(draft)
    yield _made(template.edit(replace(template, memo=None)))
    yield template.pause()
    paused = replace(template.to(RecurringStatus.PAUSED), next_at=None)
    yield paused.resume(at + timedelta(days=40))
    yield template.cancel()
    ending = replace(template, schedule=replace(template.schedule, end_at=at + timedelta(days=1)))
    yield ending.issue(draft)


def _made(change: Change | None) -> Change:
    assert change is not None, "every step of the story changes something"
    return change
