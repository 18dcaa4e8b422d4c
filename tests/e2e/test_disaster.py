"""One loss of the database's disk with every other proof; five of them are `make disaster`."""

from pathlib import Path

import pytest
from tests.e2e.test_demo import folders, left_behind
from tests.e2e.test_simulate import simulated

LOADED_SECONDS = 40.0  # a proof shares its machine; `make disaster` holds the ten seconds


@pytest.mark.proof
async def test_nothing_acknowledged_is_lost_with_the_disk(tmp_path: Path) -> None:
    # What was answered is there after a restore, the books agree, and writes are answered again.
    code, found, said = await simulated(tmp_path, "disaster", "--within", str(LOADED_SECONDS))
    (only,) = found
    assert only["acknowledged"] > 0, said
    assert only["lost"] == []
    assert only["isVerified"], said
    assert only["secondsToWrite"] < LOADED_SECONDS
    assert (code, only["verdict"]) == (0, "ok")
    assert f"1 rounds, {only['acknowledged']} acknowledged, 0 lost" in said
    assert (left_behind(tmp_path), folders(tmp_path)) == ([], [])
