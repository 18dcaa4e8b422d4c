"""Looks at saved views: one's own, and those that others share."""

from bursar.domain.access import Permission
from bursar.domain.ids import SavedViewId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.saved_view_rows import row_to_saved_view
from bursar.domain.saved_views import SavedView, viewer
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.VIEW_SAVE)
async def saved_view(tx: ReadTx, view_id: SavedViewId) -> SavedView:
    """One view.

    Raises:
        NotFound: no such view of theirs, and none that is shared.
    """
    key = uuid_of(tx.org_id), uuid_of(view_id)
    row = await tx.fetchrow(Q.view, *key, _reader(tx))
    if row is None:
        raise NotFound(f"No saved view {view_id}.")
    return row_to_saved_view(row)


@query(requires=Permission.VIEW_SAVE)
async def saved_views(tx: ReadTx, page: Page, of: str | None) -> Paged[SavedView]:
    """Views newest first; those of one list, if it is named."""
    org_id, reader = uuid_of(tx.org_id), _reader(tx)
    rows = await tx.fetch(
        Q.views.along(page), org_id, page.after, page.fetched, page.offset, reader, of
    )
    count = await total_count(tx, page, rows, Q.count_views, org_id, COUNTED_MAX, reader, of)
    return paged([*map(row_to_saved_view, rows)], page, total_count=count)


def _reader(tx: ReadTx) -> object:
    person = viewer(tx.standing)
    return None if person is None else uuid_of(person)
