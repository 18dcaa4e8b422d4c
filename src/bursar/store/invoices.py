"""Rows of invoices and their lines."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, bare, uuid_of
from bursar.domain.invoice_lines import LINES_MAX, Derivation
from bursar.domain.invoice_rows import (
    KeptLineTax,
    KeptReduction,
    KeptTax,
    kept_discounts,
    kept_line_taxes,
    kept_reductions,
    kept_taxes,
    row_to_invoice,
    written,
)
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import NotFound
from bursar.domain.rows import Record
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import customers, events
from bursar.store.customers import Buyer
from bursar.store.events import Stamp
from bursar.store.saving import Kept, recordset, replaced

Q = sql.beside(__file__)


class DraftRow(Kept):
    """A new draft; what a draft never has is not in it."""

    id: str
    customer_id: str
    currency: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    metadata: Mapping[str, str]
    discounts: Sequence[KeptReduction]
    taxes: Sequence[KeptTax]
    tax_included_minor: int
    excess_minor: int
    due_at: Instant | None = None
    memo: str | None = None


class LineRow(Kept):
    """A line of a document."""

    invoice_id: str
    id: str
    position: int
    description: str
    type: str
    quantity: int
    unit_amount: Decimal
    amount_minor: int
    discount_minor: int
    tax_minor: int
    tax_included_minor: int
    discounts: Sequence[KeptReduction]
    taxes: Sequence[KeptLineTax]
    subscription_id: str | None = None
    period_start_at: Instant | None = None
    period_end_at: Instant | None = None
    derivation: Derivation | None = None


async def get(tx: Tx, invoice_id: InvoiceId) -> Invoice:
    """One invoice with its lines.

    Raises:
        NotFound: no such invoice in this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(invoice_id)
    row = await tx.fetchrow(Q.get_invoice, *key)
    if row is None:
        raise NotFound(f"No invoice {invoice_id}.")
    return row_to_invoice(row, await tx.fetch(Q.get_invoice_lines, *key))


async def get_many(
    tx: Tx, invoice_ids: Collection[InvoiceId], *, lines_max: int = LINES_MAX
) -> list[Invoice]:
    """These invoices with their lines, where they exist and have no more lines than that."""
    keys = uuid_of(tx.org_id), [*map(uuid_of, invoice_ids)]
    rows = await tx.fetch(Q.get_invoices, *keys)
    lines: dict[object, list[Record]] = defaultdict(list)
    for line in await tx.fetch(Q.get_lines_of, *keys, lines_max + 1):
        lines[line["invoice_id"]].append(line)
    return [
        row_to_invoice(row, lines[row["id"]]) for row in rows if len(lines[row["id"]]) <= lines_max
    ]


async def save(tx: Tx, row: Invoice) -> None:
    """Insert version 1, or replace the version before; a draft's lines are written anew.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    number = row.number
    values = (
        uuid_of(tx.org_id),
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
        row.memo,
        msgspec.json.encode(row.metadata).decode(),
        row.hosted_generation,
        row.finalized_at,
        row.paid_at,
        row.voided_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        uuid_of(row.subscription_id) if row.subscription_id else None,
        row.billing_reason.value,
        row.period.start if row.period else None,
        row.period.end if row.period else None,
        written(kept_discounts(row)),
        written(kept_taxes(row)),
        row.tax_included.minor,
        row.excess.minor,
        row.credited.minor,
        row.noted.minor,
        row.sent_at,
        row.overdue_at,
    )
    query = Q.insert_invoice if row.version == 1 else Q.update_invoice
    replaced(row, await tx.execute(query, *values))
    if row.version == 1 or row.status is InvoiceStatus.DRAFT:
        await _write_lines(tx, row)


async def save_drafts(
    tx: Tx, taken: Sequence[tuple[Change, Stamp]], buyers: Collection[Buyer]
) -> list[Invoice]:
    """Write new drafts of several callers with the facts that tell of them.

    Their buyers, and those of whoever was refused, are locked as they were read; where one has
    changed since, all is decided again.
    """
    if not buyers:
        return []
    made = [replace(_draft_of(change), sequence=1, updated_at=tx.now) for change, _ in taken]
    told = [
        (replace(event, subject=draft), stamp)
        for draft, (change, stamp) in zip(made, taken, strict=True)
        for event in change.events
    ]
    unchanged = await tx.fetchval(
        Q.insert_drafts,
        uuid_of(tx.org_id),
        tx.now,
        recordset(map(_row, made)),
        recordset(line for draft in made for line in _line_rows(draft)),
        events.facts(tx, told),
        [uuid_of(buyer.id) for buyer in buyers],
        [buyer.mark for buyer in buyers],
    )
    if unchanged != len(buyers):
        raise customers.have_changed(tx, buyers)
    return made


def _draft_of(change: Change) -> Invoice:
    (row,) = change.rows
    assert isinstance(row, Invoice), "a draft is one document"
    assert row.version == 1, "a draft is new"
    rest = (*change.postings, *change.agenda, *change.tasks)
    assert rest == (), "a draft is written and told, no more"
    return row


def _row(draft: Invoice) -> DraftRow:
    assert draft.subscription_id is None, "what is billed is written one by one"
    return DraftRow(
        bare(draft.id),
        bare(draft.customer_id),
        draft.currency,
        draft.subtotal.minor,
        draft.discount.minor,
        draft.tax.minor,
        draft.total.minor,
        draft.metadata,
        kept_discounts(draft),
        kept_taxes(draft),
        draft.tax_included.minor,
        draft.excess.minor,
        draft.due_at,
        draft.memo,
    )


def _line_rows(invoice: Invoice) -> Iterator[LineRow]:
    for position, line in enumerate(invoice.lines, 1):
        yield LineRow(
            bare(invoice.id),
            bare(line.id),
            position,
            line.description,
            line.type.value,
            line.quantity,
            line.unit_amount,
            line.amount.minor,
            line.discount.minor,
            line.tax.minor,
            line.tax_included.minor,
            kept_reductions(line),
            kept_line_taxes(line.taxes),
            bare(line.subscription_id) if line.subscription_id else None,
            line.period.start if line.period else None,
            line.period.end if line.period else None,
            line.derivation,
        )


async def _write_lines(tx: Tx, row: Invoice) -> None:
    if row.version > 1:
        await tx.execute(Q.delete_lines, uuid_of(tx.org_id), uuid_of(row.id))
    await insert_lines(tx, [row])


async def insert_lines(tx: Tx, drafts: Sequence[Invoice]) -> None:
    """The lines of new documents, or of drafts whose former lines are gone."""
    lines = [line for draft in drafts for line in _line_rows(draft)]
    if lines:
        await tx.execute(Q.insert_lines_of, uuid_of(tx.org_id), recordset(lines))
