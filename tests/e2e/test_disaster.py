"""One loss of the database's disk with every other proof; five of them are `make disaster`."""

import pytest
from tests.e2e.disaster import disasters

LOADED_SECONDS = 40.0  # a proof shares its machine; `make disaster` holds the ten seconds


@pytest.mark.proof
async def test_nothing_acknowledged_is_lost_with_the_disk() -> None:
    # What was answered is there after a restore, the books agree, and writes are answered again.
    (found,) = await disasters(1)
    assert found.acknowledged > 0
    assert found.lost == []
    assert found.verify_code == 0, found.said
    assert found.seconds_to_write < LOADED_SECONDS
