"""`bursar simulate` as people run it: real processes, real HTTP, a database of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_demo import ENTER, folders, left_behind

from bursar.cli.failing import Exit
from bursar.cli.simulate_payments import Script
from bursar.runtime.settings import child_environment

LONGEST_SECONDS = 300
COUNT, SEED = 12, 7


Simulated = tuple[int, list[dict[str, Any]], str]


async def simulated(folder: Path, *arguments: str) -> Simulated:
    """The program, in an environment in which no Bursar runs: exit code, data and words."""
    settings = {"PORT": "1", "DATA_DIR": str(folder / "mine"), "TMPDIR": str(folder)}
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ENTER, "simulate", *arguments, "--format", "json"),
        cwd=folder,
        env=child_environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(program.communicate(), LONGEST_SECONDS)
    assert program.returncode is not None
    return program.returncode, json.loads(out or b"[]"), err.decode()


@pytest.fixture(scope="module", autouse=True)
async def turned_away(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[asyncio.Task[Simulated]]:
    """Payments for a system that is not there: it is looked for a while, and others go on."""
    folder = tmp_path_factory.mktemp("away")
    looking = simulated(folder, "payments", "--url", "http://127.0.0.1:1")
    task = asyncio.create_task(looking)
    yield task
    await asyncio.wait([task])


async def test_payments_end_as_their_cards_mean(tmp_path: Path) -> None:
    # As many of each card as the seed draws, each judged; only those that succeed are taken.
    code, found, said = await simulated(
        tmp_path, "payments", "--count", str(COUNT), "--seed", str(SEED)
    )
    assert (code, f"{COUNT} of {COUNT} ended as their cards mean" in said) == (Exit.DONE, True), (
        said
    )
    script = Script(COUNT, 70, SEED)
    drawn = [script.draw(number) for number in range(COUNT)]
    for row in found:
        mine = [draw.amount_cents for draw in drawn if draw.card.token == row["card"]]
        assert (row["payments"], row["asMeant"]) == (len(mine), len(mine))
        assert row["takenCents"] == (sum(mine) if row["outcome"] == "succeeded" else 0)
    assert sum(row["payments"] for row in found) == COUNT
    assert (left_behind(tmp_path), folders(tmp_path)) == ([], [])


async def test_a_system_that_is_not_there_is_said_so(
    turned_away: asyncio.Task[Simulated],
) -> None:
    # Somebody named a system: none is started behind their back, and a script can tell why.
    code, found, said = await turned_away
    assert (code, found) == (Exit.UNREACHABLE, [])
    assert "expected a healthy Bursar at http://127.0.0.1:1" in said
