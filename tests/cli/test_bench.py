"""`bursar bench`: what it measures of an installation, and that it leaves nothing there."""

import asyncio

import asyncpg
import pytest
from tests.cli.conftest import Terminal
from tests.support.served import served
from tests.support.world import World

from bursar.cli.bench import Measure, timed
from bursar.cli.failing import Exit

ALWAYS = ["round trip", "commit", "commits at once", "look", "password"]


EVERY_TABLE = """
    SELECT string_agg(format('SELECT count(*) AS n FROM %I.%I', schemaname, relname), ' UNION ALL ')
    FROM pg_stat_user_tables
"""


async def rows(world: World) -> int:
    """How many rows all tables have together, of every organization."""
    superuser = await asyncpg.connect(world.house.superuser_url, database="bursar")
    try:
        counts = await superuser.fetch(await superuser.fetchval(EVERY_TABLE))
        return sum(each["n"] for each in counts)
    finally:
        await superuser.close()


async def test_an_installation_is_measured_and_left_as_it_was(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every measure has a time and a rate, with an API that runs, too; no table has another row.
    await world.org()
    async with served(world) as address:
        monkeypatch.setenv("PORT", address.rpartition(":")[2])
        before = await rows(world)
        said = await terminal.run("bench", "--seconds", "0.05", "--quiet")
        assert (said.code, said.err) == (Exit.DONE, "")
        assert [each["measure"] for each in said.value] == [*ALWAYS, "request"]
        assert all(each["count"] >= 3 and each["perSecond"] > 0 for each in said.value)
        assert all(0 < each["medianMs"] <= each["p95Ms"] for each in said.value)
        assert await rows(world) == before


async def test_an_api_that_does_not_run_is_said_and_is_no_fault(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rest is measured all the same, in any format.
    await world.org()
    monkeypatch.setenv("PORT", "1")
    said = await terminal.run("bench", "--seconds", "0.05", "--format", "csv")
    assert said.code == Exit.DONE
    assert [line.split(",")[0] for line in said.text.splitlines()] == ["measure", *ALWAYS]
    assert "nobody is well at http://127.0.0.1:1/health" in said.err


async def test_a_measure_is_made_at_once_and_a_few_times_at_least() -> None:
    # Four are underway together; and one that has no time at all is made three times.
    underway, most = 0, 0

    async def act() -> None:
        nonlocal underway, most
        underway += 1
        most = max(most, underway)
        await asyncio.sleep(0.001)
        underway -= 1

    found = await timed(Measure("act", "", act, at_once=4), seconds=0.01)
    assert most == 4
    assert found.row()["count"] == len(found.seconds)
    assert len((await timed(Measure("act", "", act), seconds=0)).seconds) == 3
