"""Stories: dated acts, and the timeline and the trial balance that must come of them.

Each is a text file beside this one that a person can check with pencil and paper; to see what the
program makes of one, `python -m tests.stories NAME`.
"""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from tests.stories.acting import Stage
from tests.stories.script import FOLDER, Script, read, wrong_sums
from tests.stories.year import Year, live
from tests.support.database import Installation, beside
from tests.support.world import World, open_world

from bursar.domain.explanations import explain
from bursar.reads.verify import checks

STORIES: Final = [read(path) for path in sorted(FOLDER.glob("*.txt"))]


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """One of its own: after each act all there is to do is done."""
    async with beside(house) as database, open_world(database) as made:
        yield made


@pytest.mark.parametrize("script", STORIES, ids=lambda script: script.path.stem)
def test_every_amount_was_worked_out(script: Script) -> None:
    # The sums of a story come out exactly, and each line of its invoices is one of them.
    assert wrong_sums(script) == []


@pytest.mark.parametrize("script", STORIES, ids=lambda script: script.path.stem)
async def test_a_story_ends_as_it_is_told(script: Script, world: World) -> None:
    # Word for word; everything agrees with everything, and every invoice explains itself.
    stage = Stage(await world.org(), script)
    assert (await stage.play()).splitlines() == script.told.splitlines()
    billed = await stage.invoices()
    assert [each.differences for each in map(explain, billed) if each.differences] == []
    assert [each for each in billed if explain(each).recomputed != each] == []
    found = await world.operator(stage.org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []


@pytest.mark.proof
async def test_a_year_goes_by(world: World) -> None:
    # Every month of every subscription is billed once, and the books are green each month's end.
    year = Year(50)
    await live(world, year)
    assert year.wrong == []
