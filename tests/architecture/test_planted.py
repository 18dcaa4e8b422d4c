"""The bugs that the harnesses plant still have their place in the source."""

import pytest
from tests.planted.planting import FOLDER, planted


@pytest.mark.parametrize("bug", sorted(path.stem for path in FOLDER.glob("*/*.patch")))
def test_a_bug_can_be_planted(bug: str) -> None:
    # A harness without its bug proves nothing, and would say so only after many minutes.
    with planted(bug):
        pass
