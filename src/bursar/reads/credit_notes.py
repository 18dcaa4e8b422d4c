"""Looks at credit notes."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.credit_note_rows import row_to_credit_note
from bursar.domain.credit_notes import CreditNote
from bursar.domain.ids import CreditNoteId, CustomerId, InvoiceId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)


class CreditNoteFilters(Struct, frozen=True, kw_only=True):
    """Which notes; what is None filters nothing."""

    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        found = (self.invoice_id, self.customer_id)
        return tuple(None if each is None else uuid_of(each) for each in found)


@query(requires=Permission.INVOICE_READ)
async def credit_note(tx: ReadTx, note_id: CreditNoteId) -> CreditNote:
    """One note with its lines.

    Raises:
        NotFound: no such note in this organization.
    """
    row = await tx.fetchrow(Q.credit_note, uuid_of(tx.org_id), uuid_of(note_id))
    if row is None:
        raise NotFound(f"No credit note {note_id}.")
    (found,) = await _with_lines(tx, [row])
    return found


@query(requires=Permission.INVOICE_READ)
async def credit_notes(tx: ReadTx, page: Page, filters: CreditNoteFilters) -> Paged[CreditNote]:
    """The notes with their lines, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.credit_notes.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_credit_notes, org_id, COUNTED_MAX, *wanted)
    return paged(await _with_lines(tx, rows), page, total_count=count)


async def _with_lines(tx: ReadTx, rows: Sequence[Record]) -> list[CreditNote]:
    lines: defaultdict[object, list[Record]] = defaultdict(list)
    ids = [row["id"] for row in rows]
    for line in await tx.fetch(Q.credit_note_lines, uuid_of(tx.org_id), ids):
        lines[line["credit_note_id"]].append(line)
    return [row_to_credit_note(row, lines[row["id"]]) for row in rows]
