"""The bulk lane of the billing run: many changes become true in a handful of statements.

It writes what `apply` writes one by one, and no other rows: subscriptions that go on, invoices that
are new or became overdue, the books, the log, agenda and queue. Refuses a change of anything else.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from bursar.domain.change import Change
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.invoice_rows import kept_discounts, kept_taxes, written
from bursar.domain.invoices import Invoice
from bursar.domain.ledger import Posting
from bursar.domain.payments import Payment
from bursar.domain.refusals import StaleVersion
from bursar.domain.subscriptions import Agreed, Subscription
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import agenda, correspondence, events, figures, invoices, ledger, payments

Q = sql.beside(__file__)


async def apply_together(tx: Tx, changes: Sequence[Change]) -> None:
    """Make many changes true at once.

    Raises:
        StaleVersion: somebody else replaced one of the subscriptions first.
    """
    written = _stamped(tx, changes)
    rows = list(written.values())
    await _save_subscriptions(tx, [each for each in rows if isinstance(each, Subscription)])
    documents = [each for each in rows if isinstance(each, Invoice)]
    await _save_invoices(tx, [each for each in documents if each.version == 1])
    await _save_overdue(tx, [each for each in documents if each.version > 1])
    for each in rows:
        if isinstance(each, Payment):
            await payments.save(tx, each)
    await _post(tx, [posting for each in changes for posting in each.postings])
    told = [event for each in changes for event in each.events]
    await events.append(tx, told, written)
    await figures.note(tx, changes)
    followed = await correspondence.follow_together(tx, told, written)
    await agenda.note_many(tx, [*followed, *(item for each in changes for item in each.agenda)])
    await tx.enqueue(*(task for each in changes for task in each.tasks))


def _stamped(tx: Tx, changes: Iterable[Change]) -> dict[str, Row]:
    """The rows as they are written: with the time, and how many events each has told."""
    told: dict[str, int] = {}
    rows: list[Any] = []
    for change in changes:
        rows.extend(change.rows)
        for event in change.events:
            told[event.subject.id] = told.get(event.subject.id, 0) + 1
    return {
        row.id: replace(row, sequence=row.sequence + told[row.id], updated_at=tx.now)
        for row in rows
    }


async def _save_subscriptions(tx: Tx, rows: Sequence[Subscription]) -> None:
    if not rows:
        return
    values = _columns(map(_subscription, rows))
    touched = await tx.execute(Q.update_subscriptions, uuid_of(tx.org_id), tx.now, *values)
    if touched != len(rows):
        raise StaleVersion("a subscription was changed by somebody else.")
    terms = [(uuid_of(each.id), each.agreed_since, *_agreed(each.agreed)) for each in rows]
    await tx.execute(Q.note_terms, uuid_of(tx.org_id), *_columns(terms))


def _subscription(row: Subscription) -> tuple[object, ...]:
    assert row.scheduled is None, "what was scheduled has begun"
    return (
        uuid_of(row.id),
        row.version,
        row.sequence,
        *_agreed(row.agreed),
        row.agreed_since,
        row.status.value,
        row.anchored_at,
        row.period.start,
        row.period.end,
        *_agreed(row.charged),
        row.cancel_at_period_end,
        row.canceled_at,
        row.ended_at,
        row.paused_at,
    )


def _agreed(agreed: Agreed | None) -> tuple[UUID | None, int | None, int | None]:
    if agreed is None:
        return None, None, None
    return uuid_of(agreed.plan_id), agreed.plan_version, agreed.quantity


async def _save_invoices(tx: Tx, rows: Sequence[Invoice]) -> None:
    if not rows:
        return
    values = _columns(map(_invoice, rows))
    await tx.execute(Q.insert_invoices, uuid_of(tx.org_id), tx.now, *values)
    await invoices.insert_lines(tx, rows)


def _invoice(row: Invoice) -> tuple[object, ...]:
    assert row.version == 1, "billing makes new documents"
    number, period = row.number, row.period
    return (
        uuid_of(row.id),
        uuid_of(row.customer_id),
        row.status.value,
        row.currency,
        row.subtotal.minor,
        row.discount.minor,
        row.tax.minor,
        row.total.minor,
        row.paid.minor,
        number.series if number else None,
        number.number if number else None,
        row.due_at,
        row.finalized_at,
        row.paid_at,
        row.sequence,
        uuid_of(row.subscription_id) if row.subscription_id else None,
        row.billing_reason.value,
        period.start if period else None,
        period.end if period else None,
        written(kept_discounts(row)),
        written(kept_taxes(row)),
        row.tax_included.minor,
        row.excess.minor,
    )


async def _save_overdue(tx: Tx, rows: Sequence[Invoice]) -> None:
    """Documents that fell due; nothing else changes of one that is there already."""
    if not rows:
        return
    assert all(each.overdue_at == tx.now for each in rows), "what is there only becomes overdue"
    values = _columns((uuid_of(each.id), each.version, each.sequence) for each in rows)
    if await tx.execute(Q.note_overdue, uuid_of(tx.org_id), tx.now, *values) != len(rows):
        raise StaleVersion("an invoice was changed by somebody else.")


async def _post(tx: Tx, postings: Sequence[Posting]) -> None:
    if postings:
        await ledger.post_many(tx, postings, await ledger.accounts_of(tx, postings))


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
