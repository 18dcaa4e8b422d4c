"""From exec to the first 200 that asked PostgreSQL something, the database being up already."""

import statistics

import aiohttp

from bench.place import Place, bursar_server, free_port, limit_server, open_place, serving
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bursar.runtime.clock import monotonic

NAME = "cold_start"
TARGET = Target(must=4, goal=2, is_most=True)


async def bench(effort: Effort) -> Result:
    """Measure it."""
    seen: dict[bool, list[float]] = {True: [], False: []}
    stood: list[float] = []
    rounds = []
    async with open_place() as place:
        for is_ours in (False, True):
            await _start(place, is_ours=is_ours)  # compiles what was never run
        for _ in range(effort.rounds):
            await place.checkpoint()
            turn: dict[bool, list[float]] = {True: [], False: []}
            for is_ours in (False, True, True, False):
                first, whole = await _start(place, is_ours=is_ours)
                turn[is_ours].append(first)
                stood += [whole] if is_ours else []
            rounds.append(Round(statistics.mean(turn[True]), statistics.mean(turn[False])))
            for is_ours, each in turn.items():
                seen[is_ours] += each
        shown = await place.shown_settings()
    result = judged(NAME, TARGET, rounds, unit="seconds", broken=())
    result.settings.update(rounds=effort.rounds, postgres=shown)
    result.detail.update(
        ours={
            "seconds": [round(each, 3) for each in seen[True]],
            "until_all_is_loaded": [round(each, 3) for each in stood],
        },
        limit={"seconds": [round(each, 3) for each in seen[False]]},
    )
    return result


async def _start(place: Place, *, is_ours: bool) -> tuple[float, float]:
    """One start; `serving` waits for the answer that says the database is connected.

    Also how long it takes until a route of ours answers, for which everything must be loaded.
    """
    port = free_port()
    command, environment = (
        bursar_server(place, port) if is_ours else limit_server(place, port, NAME)
    )
    log = place.folder / "start.log"
    started = monotonic()
    async with serving(command, environment, port=port, log=log) as server:
        url = f"http://127.0.0.1:{port}/v1/customers"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.read()
        return server.seconds, monotonic() - started
