"""Drafts of three lines, with API key and idempotency key, beside one INSERT of the same body.

Many customers, since whoever bills one customer twice at once waits for the first. Ours
authenticates, claims the key, prices the lines, writes invoice, lines and event, and keeps the
answer; afterwards every request is counted in the tables and `verify` reads the books.
"""

import json
from contextlib import AsyncExitStack

from bench.load import Load
from bench.place import Place, Server, both_serving, open_place
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import (
    CUSTOMERS,
    LINES,
    TOTAL_CENTS,
    Stage,
    failed_checks,
    set_stage,
    uuid_in,
    write_history,
)

NAME = "create_invoice"
TARGET = Target(must=0.3, goal=0.6)

# How many there are of each thing that a draft must leave behind, for one organization.
_WRITTEN = """
SELECT count(*) AS invoices, coalesce(sum(i.total_minor), 0) AS total,
    (SELECT count(*) FROM invoice_lines AS l WHERE l.org_id = $1) AS lines,
    (SELECT coalesce(sum(l.amount_minor), 0) FROM invoice_lines AS l WHERE l.org_id = $1) AS priced,
    (SELECT count(*) FROM events AS e WHERE e.org_id = $1 AND e.type = 'invoice.created') AS events,
    (
        SELECT count(*) FROM idempotency_keys AS k WHERE k.org_id = $1 AND k.answer IS NOT NULL
    ) AS keys
FROM invoices AS i WHERE i.org_id = $1
"""


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server, bare = await stack.enter_async_context(both_serving(place, NAME, effort.servers))
        stage = await set_stage(server.port)
        ours = Side(server, _load(stage, server, effort))
        limit = Side(bare, _load(stage, bare, effort))
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = await _broken(place, stage, ours, limit, effort)
        result = judged(NAME, TARGET, rounds, unit="drafts/s", broken=broken)
        result.settings.update(
            effort.shown(), customers=CUSTOMERS, postgres=await place.shown_settings()
        )
        result.detail.update(ours=ours.shown(), limit=limit.shown())
        return result


def _load(stage: Stage, server: Server, effort: Effort) -> Load:
    return Load(
        ports=server.ports,
        method="POST",
        paths=["/v1/invoices"],
        headers=stage.headers,
        bodies=[json.dumps(stage.draft(number)) for number in range(CUSTOMERS)],
        has_keys=True,
        connections=effort.connections,
        seconds=effort.seconds,
        requests_max=effort.requests_max,
        expects=201,
    )


async def _broken(place: Place, stage: Stage, ours: Side, limit: Side, effort: Effort) -> list[str]:
    async with place.superuser() as connection:
        row = await connection.fetchrow(_WRITTEN, uuid_in(stage.org_id))
        kept = await connection.fetchval("SELECT count(*) FROM bench.invoices")
    assert row is not None
    wanted = {
        "invoices": ours.good,
        "total": ours.good * TOTAL_CENTS,
        "lines": ours.good * len(LINES),
        "priced": ours.good * TOTAL_CENTS,
        "events": ours.good,
        "keys": ours.good,
    }
    found = [
        f"{name}: {row[name]} instead of {count}"
        for name, count in wanted.items()
        if row[name] != count
    ]
    if kept - effort.history != limit.good:
        found.append(f"the limit kept {kept - effort.history} of {limit.good}")
    for side, name in ((ours, "ours"), (limit, "limit")):
        if side.faults:
            found.append(f"{name} answered {dict(side.faults)}")
    return [*found, *await failed_checks(place, stage)]
