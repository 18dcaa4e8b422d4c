"""Saved views: a list of the console with its filters and its order, under a name of one's own.

A view belongs to whoever saved it and is theirs alone until they share it. It arranges what people
look at and changes nothing that anybody is billed for, so the log does not tell of it: a filter may
name a customer, and what the log says is never taken back.
"""

from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission, Person, Standing
from bursar.domain.ids import SavedViewId, UserId
from bursar.domain.refusals import NotAllowed
from bursar.domain.times import Instant

VIEWS_MAX: Final = 100
"""How many one person may keep in one organization."""


class SavedView(Struct, frozen=True):
    """One address of a list, and what it is called."""

    id: SavedViewId
    user_id: UserId
    list: str
    query: str
    name: str
    is_shared: bool
    created_at: Instant
    updated_at: Instant

    def require_change(self, by: Standing) -> None:
        """Refuse whoever may look at it and nothing more.

        Raises:
            NotAllowed: it is somebody else's, and they do not run the organization.
        """
        if self.user_id != viewer(by) and Permission.ORG_WRITE not in by.permissions:
            raise NotAllowed(f"{self.id} was shared by somebody else; save one of your own.")


def viewer(standing: Standing) -> UserId | None:
    """Whose views they are; nobody's where no person asks."""
    return standing.actor.user_id if isinstance(standing.actor, Person) else None
