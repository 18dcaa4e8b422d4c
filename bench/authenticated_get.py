"""A look at one invoice by API key, beside the same look by nobody who has to prove who they are.

Both pass the same guard, allowance, router, statement and rendering; the ratio is what is left when
a credential is read, found and checked again in the transaction.
"""

from contextlib import AsyncExitStack

import msgspec

from bench.get_invoice import DOCUMENTS, library, look_load
from bench.place import both_serving, open_place
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import Stage, failed_checks, set_stage, write_history

NAME = "authenticated_get"
TARGET = Target(must=0.7, goal=0.9)


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server, bare = await stack.enter_async_context(both_serving(place, NAME, effort.servers))
        stage = await set_stage(server.port)
        asked = look_load(stage, await library(stage), effort, server)
        ours = Side(server, asked)
        open_paths = [_open_path(stage, path) for path in asked.paths]
        limit = Side(
            bare,
            msgspec.structs.replace(asked, ports=bare.ports, paths=open_paths, headers={}),
        )
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [
            *(f"answered {dict(side.faults)}" for side in (ours, limit) if side.faults),
            *await failed_checks(place, stage),
        ]
        result = judged(NAME, TARGET, rounds, unit="looks/s", broken=broken)
        result.settings.update(effort.shown(), documents=DOCUMENTS)
        result.settings.update(postgres=await place.shown_settings())
        result.detail.update(ours=ours.shown(), limit=limit.shown())
        return result


def _open_path(stage: Stage, path: str) -> str:
    return f"/organizations/{stage.org_id}/invoices/{path.rpartition('/')[2]}"
