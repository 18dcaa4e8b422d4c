"""A saved view as the world sees it."""

from typing import Literal

from bursar.domain.ids import UserId
from bursar.domain.saved_views import SavedView
from bursar.domain.shapes.fields import Shape, WireInstant
from bursar.domain.times import wire_instant


class SavedViewOut(Shape, frozen=True, kw_only=True):
    """One list of the console as it was saved; `query` is what stands in its address."""

    id: str
    object: Literal["saved_view"] = "saved_view"
    name: str
    list: str
    query: str
    shared: bool
    own: bool
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, view: SavedView, reader: UserId | None) -> "SavedViewOut":
        """The view's shape, to this reader."""
        return cls(
            id=view.id,
            name=view.name,
            list=view.list,
            query=view.query,
            shared=view.is_shared,
            own=view.user_id == reader,
            created_at=wire_instant(view.created_at),
            updated_at=wire_instant(view.updated_at),
        )
