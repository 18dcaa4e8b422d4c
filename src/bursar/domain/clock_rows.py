"""What the database keeps of a test clock becomes the clock again."""

from bursar.domain import ids
from bursar.domain.rows import Record
from bursar.domain.test_clocks import OrgClock


def row_to_clock(record: Record) -> OrgClock:
    """From every column of `test_clocks`."""
    return OrgClock(
        id=ids.ClockId(ids.print_id("clk", record["id"])),
        now_at=record["now_at"],
        departed_at=record["departed_at"],
        target_at=record["target_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
