"""What every test card and every fault comes to by every mode is what the reference says.

The whole page needs an installation of its own: the processor's clock runs ahead. `python -m
tests.flows.test_payment_outcomes` writes it.
"""

import asyncio
from typing import Final

import pytest
from tests.support import reference
from tests.support.database import installation
from tests.support.payment_outcomes import HEAD, Stage, cases, same
from tests.support.world import World, open_world

from bursar.reads.reconciliation import differences
from bursar.reads.verify import checks

SAMPLE: Final = {
    ("pm_card_visa_chargeDeclined", "charge"),
    ("stored money", "wallet"),
    ("drop_after", "charge"),
    ("swap", "refund"),
}


async def page() -> str:
    """The page, every row of it lived; the books agree after the last one."""
    async with installation() as house, open_world(house) as world:
        stage = await Stage(world, await world.org(), is_alone=True).open()
        rows = [await stage.row(case) for case in cases()]
        found = await stage.org.caller.look(checks)
        assert [(each.name, each.offenders) for each in found if not each.is_good] == []
        assert await stage.org.caller.look(differences) == ()
    return reference.outcomes(HEAD, rows, same=same())


async def test_some_outcomes_are_those_of_the_page(world: World) -> None:
    # A decline, stored money, an answer that is lost and one of somebody else: as it is written.
    written = (reference.FOLDER / reference.OUTCOMES).read_text().splitlines()
    stage = await Stage(world, await world.org()).open()
    chosen = [case for case in cases() if (case.name, case.mode) in SAMPLE]
    lived = [reference.outcome_line(await stage.row(case)) for case in chosen]
    assert len(lived) == len(SAMPLE)
    assert [line for line in lived if line not in written] == []


@pytest.mark.proof
async def test_outcomes_are_those_of_the_page() -> None:
    # Card by card, fault by fault: outcome, invoice, books, events, e-mails, letter by letter.
    assert await page() == (reference.FOLDER / reference.OUTCOMES).read_text()


if __name__ == "__main__":
    (reference.FOLDER / reference.OUTCOMES).write_text(asyncio.run(page()))
