"""Looks at one invoice of three lines, by API key, beside one SELECT of the same bytes.

Ours authenticates, opens a snapshot in the organization's own rows, reads invoice and lines, and
renders them; the limit sends what is stored. Afterwards both sides are compared, document by
document.
"""

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from bench.load import Load
from bench.place import Place, Server, both_serving, open_place
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import TOTAL_CENTS, Stage, failed_checks, post, set_stage, uuid_in, write_history

NAME = "get_invoice"
TARGET = Target(must=0.4, goal=0.7)
DOCUMENTS = 500


@dataclass(frozen=True, slots=True)
class Library:
    """The documents that are asked for: path and bytes."""

    answers: dict[str, bytes]


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server, bare = await stack.enter_async_context(both_serving(place, NAME, effort.servers))
        stage = await set_stage(server.port)
        documents = await library(stage)
        await _give(place, documents)
        ours = Side(server, look_load(stage, documents, effort, server))
        limit = Side(bare, look_load(stage, documents, effort, bare))
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [
            *await _differing(stage, documents, (*server.ports, *bare.ports)),
            *(f"answered {dict(side.faults)}" for side in (ours, limit) if side.faults),
            *await failed_checks(place, stage),
        ]
        result = judged(NAME, TARGET, rounds, unit="looks/s", broken=broken)
        result.settings.update(effort.shown(), documents=DOCUMENTS)
        result.settings.update(postgres=await place.shown_settings())
        result.detail.update(ours=ours.shown(), limit=limit.shown())
        return result


async def library(stage: Stage) -> Library:
    """Make the documents over the API."""
    answers = {}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        for number in range(DOCUMENTS):
            made = await post(session, "/v1/invoices", stage.draft(number), stage.headers)
            path = f"/v1/invoices/{made['id']}"
            async with session.get(path, headers=stage.headers) as answer:
                answers[path] = await answer.read()
    return Library(answers)


async def _give(place: Place, documents: Library) -> None:
    """Give the limit the very bytes that ours answers."""
    kept = documents.answers.items()
    rows = [(uuid_in(path.rpartition("/")[2]), body.decode()) for path, body in kept]
    async with place.superuser() as connection:
        await connection.executemany("INSERT INTO bench.invoices VALUES ($1, $2)", rows)


def look_load(stage: Stage, documents: Library, effort: Effort, server: Server) -> Load:
    """A look at each of the documents, in turn."""
    return Load(
        ports=server.ports,
        method="GET",
        paths=list(documents.answers),
        headers=stage.headers,
        bodies=[""],
        has_keys=False,
        connections=effort.connections,
        seconds=effort.seconds,
        requests_max=effort.requests_max,
        expects=200,
    )


async def _differing(stage: Stage, documents: Library, ports: tuple[int, ...]) -> list[str]:
    """Documents that either side tells otherwise than they were, or that do not add up."""
    found = [fault for port in ports for fault in await _told_wrong(stage, documents, port)]
    for path, body in documents.answers.items():
        invoice = json.loads(body)["data"]
        if sum(line["amountCents"] for line in invoice["lines"]) != TOTAL_CENTS:
            found.append(f"{path} does not add up")
    return found


async def _told_wrong(stage: Stage, documents: Library, port: int) -> list[str]:
    told = {}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in documents.answers:
            async with session.get(path, headers=stage.headers) as answer:
                told[path] = await answer.read()
    return [
        f"{path} differs on port {port}"
        for path, body in documents.answers.items()
        if told[path] != body
    ]
