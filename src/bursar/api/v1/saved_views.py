"""`/v1/saved-views`: lists of the console as people keep them."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, UnsetType

from bursar.api.envelope import changed, created, found, gone, resource
from bursar.api.fields import Body, ListName, ListQueryText, NoQuery, Nothing, ShortText
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission, Standing
from bursar.domain.ids import SavedViewId
from bursar.domain.refusals import LimitReached, NotFound
from bursar.domain.saved_views import SavedView, viewer
from bursar.domain.shapes.saved_views import SavedViewOut
from bursar.operations.saved_views import (
    ChangeView,
    RemoveView,
    SaveView,
    change_view,
    remove_view,
    save_view,
)
from bursar.reads.saved_views import saved_view, saved_views
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Saved views",
    prefix="/v1/saved-views",
    about="Lists of the console with their filters and order, kept by people under a name.",
)


class NewSavedView(Body, frozen=True):
    """A list to keep; `query` is what stands in its address after the question mark."""

    name: ShortText
    list: ListName
    query: ListQueryText = ""
    shared: bool = False


class SavedViewPatch(Body, frozen=True):
    """What is to be different."""

    name: ShortText | UnsetType = UNSET
    query: ListQueryText | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


class SavedViewQuery(ListQuery, frozen=True):
    """Whether the views of one list alone."""

    list: ListName | None = None


def _id(call: Call[Any, Any]) -> SavedViewId:
    return SavedViewId(call.id("savedViewId"))


def _shape(call: Call[Any, Any]) -> Callable[[SavedView], SavedViewOut]:
    """A view's shape, to whoever asks."""
    reader = viewer(Standing(call.caller.actor, None))
    return lambda view: SavedViewOut.of(view, reader)


@ROOM.post(
    "",
    Terms(
        needs=Permission.VIEW_SAVE,
        takes=NewSavedView,
        gives=SavedViewOut,
        status=201,
        refuses=(LimitReached,),
    ),
)
async def create_saved_view(call: Call[NewSavedView, NoQuery]) -> Answer:
    """Save a view.

    It is one's own; a shared one is seen by everybody in the organization.
    """
    body = call.body
    command = SaveView(name=body.name, list=body.list, query=body.query, is_shared=body.shared)
    reply = created(_shape(call), ROOM.prefix)
    return await changed(call.caller, save_view, command, reply)


@ROOM.get(
    "",
    Terms(needs=Permission.VIEW_SAVE, gives=SavedViewOut, is_list=True, query=SavedViewQuery),
)
async def list_saved_views(call: Call[None, SavedViewQuery]) -> Answer:
    """List one's own views and those that are shared, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(saved_views, page, call.query.list)
    return piece(call.caller, page, shown, _shape(call))


@ROOM.get(
    "/{savedViewId}",
    Terms(needs=Permission.VIEW_SAVE, gives=SavedViewOut, refuses=(NotFound,)),
)
async def get_saved_view(call: Call[None, NoQuery]) -> Answer:
    """Get a saved view."""
    return resource(_shape(call)(await call.caller.look(saved_view, _id(call))))


@ROOM.patch(
    "/{savedViewId}",
    Terms(
        needs=Permission.VIEW_SAVE, takes=SavedViewPatch, gives=SavedViewOut, refuses=(NotFound,)
    ),
)
async def change_saved_view(call: Call[SavedViewPatch, NoQuery]) -> Answer:
    """Rename a view, or change its filters or who sees it.

    What others share is changed by them, or by whoever may change the organization.
    """
    body = call.body
    command = ChangeView(
        view_id=_id(call),
        name=None if body.name is UNSET else body.name,
        query=None if body.query is UNSET else body.query,
        is_shared=None if body.shared is UNSET else body.shared,
    )
    return await changed(call.caller, change_view, command, found(_shape(call)))


@ROOM.delete("/{savedViewId}", Terms(needs=Permission.VIEW_SAVE, status=204, refuses=(NotFound,)))
async def remove_saved_view(call: Call[Nothing, NoQuery]) -> Answer:
    """Remove a saved view; what it showed stays."""
    return await changed(call.caller, remove_view, RemoveView(_id(call)), gone)
