"""kill -9 in all directions while money moves: real processes, real HTTP, and books that agree.

`bursar demo` tells its story twenty times against a running installation while the worker, the API
and PostgreSQL are killed in turn, at random. Its requests are repeated with their keys as every
client's should be; what is acknowledged stays, and everything that was begun comes to an end.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.support.storms import Storm, settled
from tests.support.tree import Part, Tree, running

STORIES = 20
STORM_SECONDS = 60
DEMO_SECONDS = 240


@pytest.fixture
async def tree() -> AsyncIterator[Tree]:
    async with running() as made:
        yield made


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
