"""A flood of API keys that nobody has, beside an empty handler that refuses.

Every key is well formed, so each has to be looked up before it can be refused; once the address has
used up its allowance, the refusal is a 429. A caller whose key is good is served all the while.
"""

import asyncio
from contextlib import AsyncExitStack

import aiohttp

from bench.load import Load
from bench.place import Server, both_serving, open_place
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import Stage, failed_checks, set_stage, write_history
from bursar.runtime.tokens import new_api_key

NAME = "key_flood"
TARGET = Target(must=0.1, goal=0.3)
PATH = "/v1/customers"
KEYS = 5_000
_BETWEEN_SECONDS = 0.05


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server, bare = await stack.enter_async_context(both_serving(place, NAME, effort.servers))
        stage = await set_stage(server.port)
        flood = _flood(server, effort)
        ours = Side(server, flood)
        limit = Side(bare, _flood(bare, effort))
        good = asyncio.create_task(_served_meanwhile(stage))
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        good.cancel()
        (found,) = await asyncio.gather(good, return_exceptions=True)
        broken = [
            *(f"answered {dict(side.faults)}" for side in (ours, limit) if side.faults),
            *([] if isinstance(found, asyncio.CancelledError) else [f"a good key: {found}"]),
            *await failed_checks(place, stage),
        ]
        result = judged(NAME, TARGET, rounds, unit="refusals/s", broken=broken)
        result.settings.update(effort.shown(), keys=KEYS, postgres=await place.shown_settings())
        result.detail.update(ours=ours.shown(), limit=limit.shown())
        return result


def _flood(server: Server, effort: Effort) -> Load:
    return Load(
        ports=server.ports,
        method="GET",
        paths=[PATH],
        headers={},
        bodies=[""],
        has_keys=False,
        connections=effort.connections,
        seconds=effort.seconds,
        requests_max=effort.requests_max,
        expects=401,
        also=[429],
        credentials=[new_api_key() for _ in range(KEYS)],
    )


async def _served_meanwhile(stage: Stage) -> None:
    """Whoever has a key is served, also from the flood's own address.

    Raises:
        RuntimeError: they were not.
    """
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        while True:
            await _expect_served(session, stage)
            await asyncio.sleep(_BETWEEN_SECONDS)


async def _expect_served(session: aiohttp.ClientSession, stage: Stage) -> None:
    async with session.get(PATH, headers=stage.headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {await answer.text()}")
