"""Rows of saved views."""

from bursar.domain.ids import SavedViewId, UserId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.saved_view_rows import row_to_saved_view
from bursar.domain.saved_views import SavedView
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def lock(tx: Tx, view_id: SavedViewId, person: UserId | None) -> SavedView:
    """One that this person sees, held until the transaction ends.

    Raises:
        NotFound: no such view of theirs, and none that is shared.
    """
    of = None if person is None else uuid_of(person)
    row = await tx.fetchrow(Q.lock_view, uuid_of(tx.org_id), uuid_of(view_id), of)
    if row is None:
        raise NotFound(f"No saved view {view_id}.")
    return row_to_saved_view(row)


async def count(tx: Tx, person: UserId) -> int:
    """How many a person keeps."""
    found: int = await tx.fetchval(Q.count_own_views, uuid_of(tx.org_id), uuid_of(person))
    return found


async def add(tx: Tx, view: SavedView) -> None:
    """Keep a new one."""
    said = view.list, view.query, view.name, view.is_shared, view.created_at, view.updated_at
    key = uuid_of(tx.org_id), uuid_of(view.id)
    await tx.execute(Q.insert_view, *key, uuid_of(view.user_id), *said)


async def replace(tx: Tx, view: SavedView) -> None:
    """Keep it as it is now."""
    key = uuid_of(tx.org_id), uuid_of(view.id)
    await tx.execute(Q.update_view, *key, view.query, view.name, view.is_shared, view.updated_at)


async def remove(tx: Tx, view_id: SavedViewId) -> None:
    """Keep it no more."""
    await tx.execute(Q.delete_view, uuid_of(tx.org_id), uuid_of(view_id))
