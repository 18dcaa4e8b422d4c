"""Figures: appended in the transaction that makes them true, and added up by day later."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bursar.domain.analytics import Figure, figures
from bursar.domain.change import Change
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import mrr

Q = sql.beside(__file__)

_FOLDED_AT_ONCE: Final = 50_000


async def note(tx: Tx, changes: Sequence[Change]) -> None:
    """Append what changes add to the figures, and follow what subscriptions are worth.

    One row for each measure, currency and instant, however many changes there are.
    """
    found = [each for change in changes for each in figures(change, tx.now)]
    events = [event for change in changes for event in change.events]
    await _append(tx, [*found, *await mrr.follow(tx, events)])


async def fold(tx: Tx) -> int:
    """Add figures up by day; over how many days and measures."""
    return await tx.execute(Q.fold, uuid_of(tx.org_id), _FOLDED_AT_ONCE)


async def _append(tx: Tx, added: Sequence[Figure]) -> None:
    amounts: Counter[tuple[object, ...]] = Counter()
    counts: Counter[tuple[object, ...]] = Counter()
    for each in added:
        key = each.measure.value, each.currency, each.at
        amounts[key] += each.minor
        counts[key] += each.count
    if counts:
        columns = map(list, zip(*counts, strict=True))
        values = [amounts[key] for key in counts], list(counts.values())
        await tx.execute(Q.note, uuid_of(tx.org_id), *columns, *values)
