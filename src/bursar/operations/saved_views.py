"""Saved views: keep one, change it, let it go."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import SavedViewId
from bursar.domain.refusals import LimitReached, NotAllowed
from bursar.domain.saved_views import VIEWS_MAX, SavedView, viewer
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import saved_views


class SaveView(Struct, frozen=True, kw_only=True):
    """A list as it is shown now."""

    name: str
    list: str
    query: str = ""
    is_shared: bool = False


@operation(requires=Permission.VIEW_SAVE)
async def save_view(tx: Tx, command: SaveView) -> SavedView:
    """A new view of whoever asks.

    Raises:
        NotAllowed: no person asks.
        LimitReached: they keep very many already.
    """
    person = viewer(tx.standing)
    if person is None:
        raise NotAllowed("Only people save views.")
    if await saved_views.count(tx, person) >= VIEWS_MAX:
        raise LimitReached(f"A person keeps at most {VIEWS_MAX} views in an organization.")
    view = SavedView(
        id=SavedViewId(tx.new_id("view")),
        user_id=person,
        list=command.list,
        query=command.query,
        name=command.name,
        is_shared=command.is_shared,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await saved_views.add(tx, view)
    return view


class ChangeView(Struct, frozen=True, kw_only=True):
    """What is to be different; None leaves it."""

    view_id: SavedViewId
    name: str | None = None
    query: str | None = None
    is_shared: bool | None = None


@operation(requires=Permission.VIEW_SAVE)
async def change_view(tx: Tx, command: ChangeView) -> SavedView:
    """Another name, other filters, for oneself or for all.

    Raises:
        NotFound: no such view of theirs, and none that is shared.
        NotAllowed: somebody else shared it.
    """
    view = await saved_views.lock(tx, command.view_id, viewer(tx.standing))
    view.require_change(tx.standing)
    view = replace(
        view,
        name=view.name if command.name is None else command.name,
        query=view.query if command.query is None else command.query,
        is_shared=view.is_shared if command.is_shared is None else command.is_shared,
        updated_at=tx.now,
    )
    await saved_views.replace(tx, view)
    return view


class RemoveView(Struct, frozen=True):
    """Nobody looks at it so any more."""

    view_id: SavedViewId


@operation(requires=Permission.VIEW_SAVE)
async def remove_view(tx: Tx, command: RemoveView) -> None:
    """It is gone; what it showed is not.

    Raises:
        NotFound: no such view of theirs, and none that is shared.
        NotAllowed: somebody else shared it.
    """
    view = await saved_views.lock(tx, command.view_id, viewer(tx.standing))
    view.require_change(tx.standing)
    await saved_views.remove(tx, view.id)
