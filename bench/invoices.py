"""Invoices in bulk: numbered, listed ten thousand rows deep, and printed.

Numbering is measured beside a bare counter with its document in one commit, a deep page beside the
first one, and a PDF over HTTP beside the printer alone: a draft, which is printed each time, and
final invoices, which are kept. Afterwards the series has no gap, no row of the list came twice, and
the same invoice gave the same bytes each time. Documents differ: the printer remembers a few,
and nobody prints one a hundred times.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from typing import Any

import aiohttp
import msgspec

from bench.load import Load
from bench.place import Place, Server, both_serving, bursar_server, open_place, several_serving
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import Stage, failed_checks, post, set_stage, uuid_in, write_history
from bursar.domain.access import System
from bursar.domain.documents import InvoiceDocument
from bursar.domain.ids import InvoiceId, OrgId
from bursar.main import build
from bursar.providers.documents import TypstRenderer
from bursar.reads.invoices import invoice_document
from bursar.runtime.app import Caller

FINALIZE, LIST, PRINT = "finalize_invoice", "list_invoices", "print_invoice"
KEPT = "print_invoice_again"
DRAFTS = 300
DEPTH_PAGES = 100
PAGE_ROWS = 100
DIFFERENT = 50  # more than the printer remembers
_SERIES = """
CREATE TABLE bench.series (last bigint NOT NULL);
CREATE TABLE bench.numbers (number bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
INSERT INTO bench.series VALUES (0);
GRANT SELECT, UPDATE ON bench.series TO bursar_app;
GRANT SELECT, INSERT ON bench.numbers TO bursar_app;
"""
_GAPS = """
SELECT i.series, count(*) AS count, max(i.number) AS last FROM invoices AS i
WHERE i.org_id = $1 AND i.number IS NOT NULL GROUP BY i.series
"""
# Written as the superuser and without triggers, as the history of the stage is.
_OWN_HISTORY = """
INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, metadata, hosted_generation, version, sequence, created_at, updated_at
)
SELECT $1, sec.new_uuid7(), $2, 'draft', 'usd', 0, 0, 0, 0, 0, '{}', 1, 1, 1, now(), now()
FROM generate_series(1, $3::int)
"""


@dataclass(slots=True)
class Finalizing:
    """Ours, with fresh drafts before each measurement."""

    side: Side
    stage: Stage

    async def warm(self) -> None:
        await self.measure()

    async def measure(self) -> float:
        """Documents that got a number, a second."""
        paths = [f"/v1/invoices/{each}/finalize" for each in await drafts(self.stage, DRAFTS)]
        self.side.load = msgspec.structs.replace(
            self.side.load, paths=paths, requests_max=len(paths)
        )
        return await self.side.measure()


async def drafts(stage: Stage, count: int) -> list[str]:
    """So many drafts, eight at a time."""
    numbers = iter(range(count))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:

        async def some() -> list[str]:
            made = []
            for number in numbers:
                body = stage.draft(number)
                made.append((await post(session, "/v1/invoices", body, stage.headers))["id"])
            return made

        return [
            each for piece in await asyncio.gather(*(some() for _ in range(8))) for each in piece
        ]


async def bench_finalize(effort: Effort) -> Result:
    """Numbers without a gap, beside a bare counter."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        async with place.superuser() as connection:
            await connection.execute(_SERIES)
        server, bare = await stack.enter_async_context(
            both_serving(place, FINALIZE, effort.servers)
        )
        stage = await set_stage(server.port)
        ours = Finalizing(Side(server, _load(stage, server, effort, "POST")), stage)
        counted = msgspec.structs.replace(_load(stage, bare, effort, "POST"), paths=["/"])
        limit = Side(bare, counted)
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [*await _gaps(place, stage, ours.side.good), *await failed_checks(place, stage)]
        broken += [f"answered {dict(each.faults)}" for each in (ours.side, limit) if each.faults]
        target = Target(must=0.2, goal=0.4)
        result = judged(FINALIZE, target, rounds, unit="numbers/s", broken=broken)
        result.settings.update(effort.shown(), postgres=await place.shown_settings())
        result.detail.update(ours=ours.side.shown(), limit=limit.shown())
        return result


async def _gaps(place: Place, stage: Stage, finals: int) -> list[str]:
    async with place.superuser() as connection:
        rows = await connection.fetch(_GAPS, uuid_in(stage.org_id))
    found = [f"{row['series']} has a gap" for row in rows if row["count"] != row["last"]]
    total = sum(row["count"] for row in rows)
    return found if total == finals else [*found, f"{total} numbers for {finals} documents"]


async def bench_list(effort: Effort) -> Result:
    """The page after ten thousand rows, beside the first."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server = await stack.enter_async_context(several_serving(place, "ours", bursar_server, 1))
        stage = await set_stage(server.port)
        async with place.superuser() as connection:
            await connection.execute("SET session_replication_role = replica")
            key = uuid_in(stage.org_id), uuid_in(stage.customer_ids[0])
            await connection.execute(_OWN_HISTORY, *key, DEPTH_PAGES * PAGE_ROWS * 2)
            await connection.execute("ANALYZE")
        first = f"/v1/invoices?limit={PAGE_ROWS}"
        cursor, seen = await _walked(stage, first)
        load = _load(stage, server, effort, "GET")
        near, deep = (
            Side(server, msgspec.structs.replace(load, paths=[path]))
            for path in (first, f"{first}&after={cursor}")
        )
        rounds = await take_turns(deep, near, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [f"answered {dict(each.faults)}" for each in (near, deep) if each.faults]
        if len(seen) != DEPTH_PAGES * PAGE_ROWS:
            broken.append(f"{len(seen)} rows on {DEPTH_PAGES} pages")
        target = Target(must=0.8, goal=0.95)
        result = judged(LIST, target, rounds, unit="pages/s", broken=broken)
        result.settings.update(effort.shown(), postgres=await place.shown_settings())
        result.detail.update(ours=deep.shown(), limit=near.shown())
        return result


async def _walked(stage: Stage, first: str) -> tuple[str, set[str]]:
    """The cursor at that depth, and every id on the way to it."""
    cursor, seen = "", set[str]()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        for _ in range(DEPTH_PAGES):
            path = f"{first}&after={cursor}" if cursor else first
            async with session.get(path, headers=stage.headers) as answer:
                said: dict[str, Any] = await answer.json()
            seen |= {each["id"] for each in said["data"]}
            cursor = said["meta"]["nextCursor"]
    return cursor, seen


@dataclass(slots=True)
class Press:
    """The printer alone: the same documents again and again."""

    documents: list[InvoiceDocument]
    seconds: float
    prints: set[str] = field(default_factory=set)
    printer: TypstRenderer = field(default_factory=lambda: TypstRenderer(timeout_seconds=60))

    async def warm(self) -> None:
        await self.printer.invoice_pdf(self.documents[0])

    async def measure(self) -> float:
        """Documents a second, two at a time as the API prints them."""
        began, count, turns = time.perf_counter(), 0, cycle(self.documents)
        while time.perf_counter() - began < self.seconds:
            made = await asyncio.gather(*(self.printer.invoice_pdf(next(turns)) for _ in "ab"))
            self.prints |= {sha256(each).hexdigest() for each in made}
            count += len(made)
        return count / (time.perf_counter() - began)


async def bench_print(effort: Effort) -> Result:
    """PDFs of drafts over HTTP, printed each time, beside the printer alone."""
    return await _pressed(PRINT, Target(must=0.5, goal=0.8), effort, are_final=False)


async def bench_kept(effort: Effort) -> Result:
    """PDFs of final invoices over HTTP, kept since the first time, beside the printer alone."""
    return await _pressed(KEPT, Target(must=2, goal=5), effort, are_final=True)


async def _pressed(name: str, target: Target, effort: Effort, *, are_final: bool) -> Result:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        server = await stack.enter_async_context(several_serving(place, "ours", bursar_server, 1))
        stage = await set_stage(server.port)
        made = await drafts(stage, DIFFERENT)
        if are_final:
            await _finalized(stage, made)
        paths = [f"/v1/invoices/{each}/pdf" for each in made]
        before = await _printed(stage, paths)
        load = _load(stage, server, effort, "GET")
        # As many at once as there are threads to print: the rest would only wait.
        ours = Side(server, msgspec.structs.replace(load, paths=paths, connections=2))
        press = Press(await _documents(place, stage, made), effort.seconds)
        stack.callback(press.printer.close)
        rounds = await take_turns(ours, press, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [f"answered {dict(ours.faults)}"] if ours.faults else []
        # The printer alone knows no link to pay a final one, so it is asked about drafts only.
        others = set[str]() if are_final else press.prints
        if len(before | others | await _printed(stage, paths)) != DIFFERENT:
            broken.append(f"{DIFFERENT} invoices did not keep their bytes")
        result = judged(name, target, rounds, unit="documents/s", broken=broken)
        result.settings.update(effort.shown(), postgres=await place.shown_settings())
        result.detail.update(ours=ours.shown())
        return result


async def _finalized(stage: Stage, made: list[str]) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        for each in made:
            await post(session, f"/v1/invoices/{each}/finalize", {}, stage.headers)


async def _documents(place: Place, stage: Stage, ids: list[str]) -> list[InvoiceDocument]:
    async with build(place.settings(), part="bench", app_url=place.app_url) as app:
        caller = Caller(
            app=app, org_id=OrgId(stage.org_id), actor=System("bench"), request_id="bench"
        )
        return [await caller.look(invoice_document, InvoiceId(each)) for each in ids]


async def _printed(stage: Stage, paths: list[str]) -> set[str]:
    """The digests of what the API prints."""
    found = set()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        for path in paths:
            async with session.get(path, headers=stage.headers) as answer:
                found.add(sha256(await answer.read()).hexdigest())
    return found


def _load(stage: Stage, server: Server, effort: Effort, method: str) -> Load:
    return Load(
        ports=server.ports,
        method=method,
        paths=[],
        headers=stage.headers,
        bodies=["{}" if method == "POST" else ""],
        has_keys=method == "POST",
        connections=effort.connections,
        seconds=effort.seconds,
        requests_max=effort.requests_max,
        expects=200,
    )
