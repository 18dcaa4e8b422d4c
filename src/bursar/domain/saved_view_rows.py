"""What the database keeps of a saved view becomes that noun again."""

from bursar.domain import ids
from bursar.domain.rows import Record
from bursar.domain.saved_views import SavedView


def row_to_saved_view(record: Record) -> SavedView:
    """From every column of `saved_views`."""
    return SavedView(
        id=ids.SavedViewId(ids.print_id("view", record["id"])),
        user_id=ids.UserId(ids.print_id("usr", record["user_id"])),
        list=record["list"],
        query=record["query"],
        name=record["name"],
        is_shared=record["is_shared"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
