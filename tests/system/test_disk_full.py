"""A disk without room, under real processes; the same by hand is `make disk-full`."""

import pytest
from tests.e2e.disk_full import drill, may_mount

pytestmark = pytest.mark.system


async def test_a_full_disk_is_refused_in_words_and_passes() -> None:
    # Writes are put off, reads go on, no process ends, nothing acknowledged is lost or done twice,
    # and nobody restarts anything. A file system of one's own takes root, as CI has it.
    if not may_mount():
        print("not shown here: nobody may mount a file system")
        return
    seen = await drill()
    assert seen.statuses == {201, 503}
    assert (seen.lost, seen.twice) == ([], 0)
    assert seen.verify_code == 0, seen.said
    assert len(seen.seconds_back) == 2
