"""A dashboard of revenue, documents and recurring revenue over a million invoices.

Ours is asked as a caller asks it, in a transaction with all that belongs to one; beside it the same
numbers are worked out from the documents. Afterwards both say the same.
"""

import time
import uuid
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.limits.analytics import SCANS
from bench.place import Place, open_place
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bench.stage import PASSWORD, uuid_in
from bursar.domain.access import System
from bursar.domain.analytics import Measure
from bursar.domain.reports import Asked, Interval, Report, mrr_of
from bursar.domain.shapes.analytics import MEASURES, InvoicesOut, MrrOut, RevenueOut
from bursar.domain.times import Day
from bursar.flows.sign_in import SignUp, sign_up
from bursar.main import build
from bursar.reads.analytics import report
from bursar.runtime.app import Caller

NAME = "analytics"
TARGET = Target(must=50, goal=500)
INVOICES_MIN = 1_000_000
_LOOKS = 20
_HISTORY = Path(__file__).with_name("analytics.sql")
_SHOWN = (*MEASURES[RevenueOut], *MEASURES[InvoicesOut], *MEASURES[MrrOut])
_YEARS = Asked(start=Day(2020, 1, 1), interval=Interval.MONTH)


async def bench(effort: Effort) -> Result:
    """Measure it."""
    invoices = max(effort.history, INVOICES_MIN)
    async with (
        open_place() as place,
        build(place.settings(), part="bench", app_url=place.app_url) as app,
        place.superuser() as scanner,
    ):
        nobody = Caller(app=app, org_id=None, actor=System("bench"), request_id=str(uuid.uuid4()))
        signed = await sign_up(nobody, SignUp("o@example.com", "Olga", PASSWORD, "Bench"))
        assert signed.organization is not None
        org = uuid_in(signed.organization.id)
        await _live(place, org, invoices)
        caller = nobody.as_org(signed.organization.id)
        rounds = [await _round(caller, scanner, org) for _ in range(effort.rounds)]
        told, scanned = _told(await _look(caller)), await _sums(scanner, org)
        broken = [] if told == scanned else [f"ours {told}, by the documents {scanned}"]
        result = judged(NAME, TARGET, rounds, unit="dashboards/s", broken=broken)
        result.settings.update(effort.shown(), invoices=invoices)
        result.settings.update(postgres=await place.shown_settings())
        return result


async def _live(place: Place, org: UUID, invoices: int) -> None:
    text = _HISTORY.read_text("utf-8").replace("{org}", str(org)).replace("{rows}", str(invoices))
    async with place.superuser() as connection:
        for statement in text.split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=900)


async def _round(caller: Caller, scanner: "asyncpg.Connection[asyncpg.Record]", org: UUID) -> Round:
    await _look(caller)
    begun = time.perf_counter()
    for query in SCANS:
        await scanner.fetch(query, org)
    scanned = time.perf_counter()
    for _ in range(_LOOKS):
        await _look(caller)
    ended = time.perf_counter()
    return Round(ours=_LOOKS / (ended - scanned), limit=1 / (scanned - begun))


async def _look(caller: Caller) -> Report:
    return await caller.look(report, _YEARS, _SHOWN)


def _told(dashboard: Report) -> tuple[int, int, int]:
    """What it comes to: revenue, invoiced, MRR."""
    return (
        dashboard.total(Measure.REVENUE).minor,
        dashboard.total(Measure.INVOICED).minor,
        sum(mrr_of(piece) for piece in dashboard.pieces),
    )


async def _sums(scanner: "asyncpg.Connection[asyncpg.Record]", org: UUID) -> tuple[int, int, int]:
    documents, movements = [await scanner.fetch(query, org) for query in SCANS]
    return (
        int(sum(row[1] for row in documents)),
        int(sum(row[2] for row in documents)),
        int(sum(row[1] for row in movements)),
    )
