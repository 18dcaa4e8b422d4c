"""kill -9 in all directions while money moves: real processes, real HTTP, and books that agree.

`bursar demo` tells its story twenty times against a running installation while the worker, the API
and PostgreSQL are killed in turn, at random. Its requests are repeated with their keys as every
client's should be; what is acknowledged stays, and everything that was begun comes to an end.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import msgspec
import pytest
from tests.support.tree import Part, Tree, running

from bursar.runtime.embedded import EmbeddedPostgres

STORIES = 20
STORM_SECONDS = 60
DEMO_SECONDS = 240
SETTLE_SECONDS = 150
PAUSES = (1.0, 3.0)
UNSETTLED = """
    SELECT
        (SELECT count(*) FROM payments
            WHERE status IN ('pending', 'requires_action', 'processing')) AS open_payments,
        (SELECT count(*) FROM provider_events WHERE handled_at IS NULL) AS unhandled_events,
        (SELECT count(*) FROM queue.pgqueuer WHERE status <> 'failed') AS jobs,
        (SELECT count(*) FROM queue.pgqueuer WHERE status = 'failed') AS dead_letters
"""


@dataclass
class Storm:
    """Kills parts of a tree at random, each only when it has come back since the last time."""

    tree: Tree
    chance: random.Random
    kills: list[tuple[float, Part]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    async def rage(self, seconds: float) -> None:
        while time.monotonic() - self.started < seconds:
            await asyncio.sleep(self.chance.uniform(*PAUSES))
            targets = await self._targets()
            if not targets:
                continue
            part, pid = self.chance.choice(targets)
            if self.tree.kill(part, pid):
                self.kills.append((time.monotonic() - self.started, part))

    async def _targets(self) -> list[tuple[Part, int]]:
        """Whoever is up. The API counts as up when it answers, so that it gets to do some work."""
        parts = [Part.WORKER, Part.POSTGRES]
        if await self.tree.is_healthy():
            parts.append(Part.API)
        return [(part, pid) for part in parts for pid in self.tree.pids(part)]

    def told(self) -> str:
        counts = Counter(part for _, part in self.kills)
        each = ", ".join(f"{counts[part]} × {part}" for part in Part)
        when = " ".join(f"{at:.0f}{part[0]}" for at, part in self.kills)
        return f"{len(self.kills)} kills ({each}) at seconds {when}"


@pytest.fixture
async def tree() -> AsyncIterator[Tree]:
    async with running() as made:
        yield made


async def settled(tree: Tree) -> dict[str, int]:
    """Wait until nothing is left to do; what is left after the patience."""
    postgres = EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    left: dict[str, int] = {}
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        connection = await asyncpg.connect(urls.owner.reveal())
        row = await connection.fetchrow(UNSETTLED)
        await connection.close()
        assert row is not None
        left = {name: count for name, count in row.items() if count}
        if not left:
            break
        await asyncio.sleep(0.5)
    await postgres.release()
    return left


async def demo_in_a_storm(tree: Tree, storm: Storm) -> tuple[bool, float, str]:
    """Twenty stories while it rages: whether all went well, the seconds, and what went wrong."""
    began = time.monotonic()
    demo = await tree.command("demo", "--repeat", str(STORIES), "--json", "--url", tree.url)
    raging = asyncio.create_task(storm.rage(STORM_SECONDS))
    try:
        async with asyncio.timeout(DEMO_SECONDS):
            out, _ = await demo.communicate()
    finally:
        raging.cancel()
        await asyncio.gather(raging, return_exceptions=True)
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    report = msgspec.json.decode(out.splitlines()[-1])
    bad = [f"{step['name']}: {step['detail']}" for step in report["steps"] if not step["ok"]]
    return demo.returncode == 0, time.monotonic() - began, "; ".join(bad)


@pytest.mark.proof
async def test_storm_of_kills_moves_no_money_wrongly(tree: Tree) -> None:
    # All stories end well, nothing is left open, and `bursar verify` finds nothing.
    seed = random.SystemRandom().randrange(10**6)
    storm = Storm(tree, random.Random(seed))
    is_good, seconds, bad = await demo_in_a_storm(tree, storm)
    print(f"storm: seed {seed}, {storm.told()}")
    print(f"storm: {STORIES} stories in {seconds:.0f} s {'went well' if is_good else bad}")
    await tree.until_healthy()
    began = time.monotonic()
    left = await settled(tree)
    print(f"storm: settled after {time.monotonic() - began:.0f} s, left {left or 'nothing'}")
    verify = await tree.command("verify", "--format", "json")
    out, _ = await verify.communicate()
    print(f"storm: bursar verify exits {verify.returncode}")
    assert verify.returncode == 0, out.decode()[-3_000:]
    assert left == {}
    assert is_good, bad
    assert len(storm.kills) >= 10, tree.last_words()
    assert {part for _, part in storm.kills} == set(Part)
