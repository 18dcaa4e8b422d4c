"""Schemathesis over the whole document: every check, every phase, as an owner and as a viewer."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.api.client import Client
from tests.api.people import member
from tests.support.database import installation
from tests.support.served import served
from tests.support.world import Org, World, open_world

from bursar.api.asgi import build_api
from bursar.domain.access import Role

ROOT = Path(__file__).resolve().parents[2]
# Ours stand for four of the generator's; see `judging`.
REPLACED = (
    "not_a_server_error,positive_data_acceptance,negative_data_rejection,"
    "ensure_resource_availability"
)
CASES_MIN = 20_000
WHOLE_SECONDS = 1_500
BOUNDED_SECONDS = 90
# More than two for each operation of the document; eight times that was seen.
CASES_BOUNDED_MIN = 500
SEED = 20_261_121
SHOWN_MAX = 40_000
COLUMNS_MAX = 400


@dataclass(frozen=True)
class Outcome:
    """What one run found."""

    code: int
    said: str

    @property
    def cases(self) -> int:
        found = re.search(r"(\d+) generated", self.said)
        return int(found[1]) if found else 0

    @property
    def failures(self) -> str:
        """What was found, without the advice that follows it."""
        found, _, _ = self.said.partition("= WARNINGS =")
        return "\n".join(line[:COLUMNS_MAX] for line in found.splitlines())[-SHOWN_MAX:]


async def run(url: str, caller: Client, *arguments: str, seconds: int) -> Outcome:
    """The generator against this server, with this caller's credential."""
    # The check that leaves the credential out knows the header by this spelling only.
    headers = [f"--header={name.title()}: {text}" for name, text in caller.headers.items()]
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/docs/json"),
        *(f"--url={url}", *headers, "--checks=all", f"--exclude-checks={REPLACED}"),
        *("--no-color", "--generation-database=none", "--suppress-health-check=all"),
        *("--request-timeout=35", "--continue-on-failure", f"--max-time={seconds}", *arguments),
        cwd=ROOT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.judging"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds + 120):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Outcome(process.returncode or 0, said.decode(errors="replace"))


def unhandled(world: World) -> float:
    return sum(
        sample.value
        for metric in world.app.telemetry.registry.collect()
        for sample in metric.samples
        if sample.name == "unhandled_exceptions_total"
    )


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[World, str, dict[str, Client]]]:
    """A world of its own with an owner and a viewer in one organization."""
    async with installation(JWT_EXPIRES_IN="1d") as house, open_world(house) as world:
        org: Org = await world.org()
        anyone = Client(build_api(world.app))
        owner = anyone.bearing(org.access_token, org.id)
        viewer = await member(world, org, Role.VIEWER, anyone)
        async with served(world) as place:
            yield world, f"http://{place}", {"owner": owner, "viewer": viewer}


async def fuzz(examples: dict[str, int], seconds: dict[str, int], *arguments: str) -> int:
    """Each caller's run; how many requests were judged in all."""
    total = 0
    async with stage() as (world, url, callers):
        for name, caller in callers.items():
            outcome = await run(
                url, caller, f"--max-examples={examples[name]}", *arguments, seconds=seconds[name]
            )
            total += outcome.cases
            print(f"{name}: {outcome.cases} requests, exit {outcome.code}")
            assert outcome.code == 0, outcome.failures
        print(json.dumps({"requests": total, "unhandled": unhandled(world)}))
        assert unhandled(world) == 0
    return total


@pytest.mark.fuzz
async def test_the_whole_document() -> None:
    # Twenty thousand requests and more: no failure, no 500, no exception nobody expected.
    seconds = {"owner": WHOLE_SECONDS, "viewer": WHOLE_SECONDS // 3}
    assert await fuzz({"owner": 40, "viewer": 10}, seconds) >= CASES_MIN


@pytest.mark.proof
async def test_a_bounded_part_of_it() -> None:
    # As much of the same as a minute and a half holds, in the same order each time.
    seconds = {"owner": 2 * BOUNDED_SECONDS // 3, "viewer": BOUNDED_SECONDS // 3}
    assert await fuzz({"owner": 3, "viewer": 1}, seconds, f"--seed={SEED}") >= CASES_BOUNDED_MIN
