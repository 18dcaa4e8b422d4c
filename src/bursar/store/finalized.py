"""Drafts that become final together: what `apply` writes one by one, in a handful of statements.

Refuses whatever does more than open a document: what pays it as well goes by `apply`.
"""

from collections.abc import Iterable, Sequence

from bursar.domain.change import Change
from bursar.domain.events import Event, Row
from bursar.domain.frozen import replace
from bursar.domain.ids import bare, uuid_of
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.refusals import StaleVersion
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import agenda, correspondence, events, figures, ledger
from bursar.store.events import Stamp
from bursar.store.saving import Kept, recordset

Q = sql.beside(__file__)


class OpenedRow(Kept):
    """What of a draft's row is other once it is final."""

    id: str
    version: int
    sequence: int
    series: str
    number: int
    due_at: Instant | None


async def save(tx: Tx, changes: Sequence[Change], stamps: Sequence[Stamp]) -> list[Invoice]:
    """Open the documents, book them and tell of them, each under the request that asked for it.

    Raises:
        StaleVersion: somebody else replaced a draft first.
    """
    if not changes:
        return []
    opened = [_opened(tx, change) for change in changes]
    rows = recordset(map(_row, opened))
    if await tx.execute(Q.open_drafts, uuid_of(tx.org_id), tx.now, rows) != len(opened):
        raise StaleVersion("a draft was changed by somebody else.")
    postings = [posting for change in changes for posting in change.postings]
    await ledger.post_many(tx, postings, await ledger.accounts_of(tx, postings))
    told = list(_told(changes, opened))
    await events.append_many(tx, list(zip(told, stamps, strict=True)))
    await figures.note(tx, changes)
    written: dict[str, Row] = {each.id: each for each in opened}
    await agenda.note_many(tx, await correspondence.follow_together(tx, told, written))
    return opened


def _opened(tx: Tx, change: Change) -> Invoice:
    (row,) = change.rows
    assert isinstance(row, Invoice)
    assert row.status is InvoiceStatus.OPEN, "what is paid as well goes by `apply`"
    assert (*change.agenda, *change.tasks, *change.pending) == (), "it is opened, no more"
    return replace(row, sequence=row.sequence + 1, updated_at=tx.now)


def _told(changes: Sequence[Change], opened: Sequence[Invoice]) -> Iterable[Event]:
    for change, row in zip(changes, opened, strict=True):
        (event,) = change.events
        yield replace(event, subject=row)


def _row(invoice: Invoice) -> OpenedRow:
    number = invoice.number
    assert number is not None
    return OpenedRow(
        bare(invoice.id),
        invoice.version,
        invoice.sequence,
        number.series,
        number.number,
        invoice.due_at,
    )
