"""Billed periods and the lines that waited for them: what bills cover, written for many at once.

The constraints of the table are what stops a period from being billed twice; nothing here looks
whether it was.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bursar.domain.billed_periods import BilledPeriod
from bursar.domain.billing import Bill
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.invoices import BillingReason, Invoice
from bursar.domain.pending_lines import PendingLine
from bursar.domain.usage_rows import NO_METER
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)

_BY_BILLING: Final = frozenset(
    {
        BillingReason.SUBSCRIPTION_CREATE,
        BillingReason.SUBSCRIPTION_CYCLE,
        BillingReason.SUBSCRIPTION_UPDATE,
    }
)


async def keep(tx: Tx, bills: Sequence[Bill]) -> None:
    """Note what the bills cover, after their invoices were written."""
    periods = [each for bill in bills for each in bill.periods]
    await _make_room(tx, [each for each in periods if each.cover.cuts])
    if periods:
        await tx.execute(Q.add_periods, uuid_of(tx.org_id), *_columns(map(_values, periods)))
    corrected = [each for bill in bills for each in bill.corrected]
    if corrected:
        rows = _columns(map(_corrected, corrected))
        await tx.execute(Q.correct_periods, uuid_of(tx.org_id), *rows)
    await _take_lines(tx, bills)


async def release(tx: Tx, voided: Invoice) -> None:
    """What a voided invoice covered is open again: the next one takes it up, once."""
    if voided.billing_reason not in _BY_BILLING:
        return
    key = uuid_of(tx.org_id), uuid_of(voided.id)
    await tx.execute(Q.unsettle_days, *key)
    await tx.execute(Q.restore_periods, *key)
    await tx.execute(Q.release_periods, *key)
    await tx.execute(Q.free_lines, *key)


async def _make_room(tx: Tx, cutting: Sequence[BilledPeriod]) -> None:
    if not cutting:
        return
    columns = (
        [uuid_of(each.subscription_id) for each in cutting],
        [each.cover.period.start for each in cutting],
    )
    await tx.execute(Q.replace_periods, uuid_of(tx.org_id), *columns)
    await tx.execute(Q.end_periods, uuid_of(tx.org_id), *columns)


async def _take_lines(tx: Tx, bills: Sequence[Bill]) -> None:
    taken = [
        (uuid_of(line_id), uuid_of(bill.invoice.id))
        for bill in bills
        for line_id in bill.taken
        if bill.invoice is not None
    ]
    if taken:
        touched = await tx.execute(Q.take_lines, uuid_of(tx.org_id), *_columns(taken))
        assert touched == len(taken), "a line waits for one invoice"
    dropped = [uuid_of(each) for bill in bills for each in bill.taken if bill.invoice is None]
    if dropped:
        await tx.execute(Q.drop_lines, uuid_of(tx.org_id), dropped)
    made = [
        _line(tx, line, bill.invoice.id)
        for bill in bills
        for portion in bill.portions
        for line in portion.step.made
        if bill.invoice is not None
    ]
    if made:
        await tx.execute(Q.add_taken_lines, uuid_of(tx.org_id), tx.now, *_columns(made))


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _values(billed: BilledPeriod) -> tuple[object, ...]:
    cover = billed.cover
    return (
        uuid_of(billed.subscription_id),
        NO_METER if cover.meter_id is None else uuid_of(cover.meter_id),
        cover.period.start,
        cover.period.end,
        cover.is_first,
        cover.kind.value,
        None if cover.price_id is None else uuid_of(cover.price_id),
        cover.quantity,
        0 if cover.amount is None else cover.amount.minor,
        None if billed.invoice_id is None else uuid_of(billed.invoice_id),
    )


def _corrected(billed: BilledPeriod) -> tuple[object, ...]:
    cover = billed.cover
    assert cover.meter_id is not None
    assert cover.amount is not None
    return (
        uuid_of(billed.subscription_id),
        uuid_of(cover.meter_id),
        cover.period.start,
        cover.quantity,
        cover.amount.minor,
    )


def _line(tx: Tx, line: PendingLine, invoice_id: InvoiceId) -> tuple[object, ...]:
    return (
        uuid_of(tx.new_id("pl")),
        uuid_of(line.customer_id),
        uuid_of(line.subscription_id),
        line.kind.value,
        line.description,
        line.quantity,
        line.unit_amount,
        line.amount.minor,
        line.amount.currency,
        uuid_of(line.price_id),
        line.period.start,
        line.period.end,
        line.is_discountable,
        line.due_at,
        msgspec.json.encode(line.derivation).decode(),
        uuid_of(invoice_id),
    )
