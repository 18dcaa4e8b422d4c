"""Usage events, a hundred a request, beside COPY of the same rows into the same table.

Ours authenticates, judges each event, keeps it under its key for ever and adds up its day in the
same commit; afterwards the events are counted, and the days are what the events add up to. The
second bench sends a fifth of every batch again and again.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from bench.limits.usage_ingest import ROWS, copy
from bench.load import Load
from bench.place import Place, Server, bursar_server, open_place, several_serving
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import CUSTOMERS, Stage, post, set_stage, uuid_in

NAME = "usage_ingest"
TARGET = Target(must=0.25, goal=0.5)
DUPLICATES = "usage_duplicates"
DUPLICATES_TARGET = Target(must=0.8, goal=0.95)

EVENTS = 100
SUBSCRIPTIONS = 10_000
_AT = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
QUANTITY = 5
_FRESH = "@" * 20
_COPYING = 2  # as many as there are cores: more make COPY no faster
_HISTORY = """
INSERT INTO usage_events (
    org_id, idempotency_key, id, subscription_id, meter_id, quantity, occurred_at, day, properties,
    value, recorded_at
)
SELECT '00000000-0000-7000-8000-000000000001', 'old-' || n, sec.new_uuid7(),
    ('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid,
    '00000000-0000-7000-8000-000000000001', 5, now() - n * interval '1 second', current_date, '{}',
    5, now()
FROM generate_series(1, $1::int) AS n
"""
_SUBSCRIBE = """
INSERT INTO subscriptions (
    org_id, id, customer_id, plan_id, plan_version, status, quantity, anchor_day, started_at,
    agreed_since_at, anchored_at, period_start_at, period_end_at, coupons, cancel_at_period_end,
    ended_at, metadata, version, sequence, created_at, updated_at
)
SELECT $1, sec.new_uuid7(), c.id, $2, 1, 'canceled', 1, 1, t.start, t.start, t.start, now(),
    now() + interval '1 month', '[]', false, now() + interval '1 day', '{}', 1, 1, now(), now()
FROM customers AS c, generate_series(1, $3::int) AS n,
    (SELECT now() - interval '1 day' AS start) AS t
WHERE c.org_id = $1
RETURNING id
"""
_WRITTEN = """
SELECT count(*) AS events, coalesce(sum(e.quantity), 0) AS quantity,
    (SELECT coalesce(sum(d.event_count), 0) FROM usage_days AS d WHERE d.org_id = $1) AS counted,
    (SELECT coalesce(sum(d.total), 0) FROM usage_days AS d WHERE d.org_id = $1) AS total
FROM usage_events AS e WHERE e.org_id = $1
"""


@dataclass(slots=True)
class Copying:
    """The limit: COPY, as fast as it goes."""

    place: Place
    seconds: float

    async def warm(self) -> None:
        """A second of it."""
        await copy(self.place.superuser_url, connections=_COPYING, seconds=1.0)

    async def measure(self) -> float:
        """Rows a second."""
        url = self.place.superuser_url
        return await copy(url, connections=_COPYING, seconds=self.seconds)


@dataclass(slots=True)
class Reporting:
    """Ours: batches of events over HTTP; `repeated` of each are the same ones every time."""

    side: Side

    async def warm(self) -> None:
        """A second of it."""
        await self.side.warm()

    async def measure(self) -> float:
        """Events a second."""
        return EVENTS * await self.side.measure()


async def bench(effort: Effort) -> Result:
    """Events a second beside rows a second."""
    async with _staged(effort) as (place, stage, server):
        ours = Reporting(_side(stage, server, effort, repeated=0))
        limit = Copying(place, effort.seconds)
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = await _broken(place, stage, ours.side.good * EVENTS, ours.side)
        result = judged(NAME, TARGET, rounds, unit="events/s", broken=broken)
        return await _told(result, place, effort, ours=ours.side.shown(), limit={"rows": ROWS})


async def bench_duplicates(effort: Effort) -> Result:
    """With a fifth of every batch known already, beside none of it."""
    async with _staged(effort) as (place, stage, server):
        some = Reporting(_side(stage, server, effort, repeated=EVENTS // 5))
        none = Reporting(_side(stage, server, effort, repeated=0))
        rounds = await take_turns(some, none, rounds=effort.rounds, before_each=place.checkpoint)
        fresh = EVENTS - EVENTS // 5
        wanted = some.side.good * fresh + EVENTS // 5 + none.side.good * EVENTS
        broken = await _broken(place, stage, wanted, some.side, none.side)
        result = judged(DUPLICATES, DUPLICATES_TARGET, rounds, unit="events/s", broken=broken)
        return await _told(result, place, effort, ours=some.side.shown(), limit=none.side.shown())


@asynccontextmanager
async def _staged(effort: Effort) -> AsyncIterator[tuple[Place, "UsageStage", Server]]:
    async with open_place() as place:
        async with place.superuser() as connection:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(_HISTORY, effort.history * 10, timeout=600)
            await connection.execute("ANALYZE")
        async with several_serving(place, "ours", bursar_server, effort.servers) as server:
            stage = await _usage_stage(place, await set_stage(server.port))
            yield place, stage, server


@dataclass(frozen=True, slots=True)
class UsageStage:
    """The stage with a plan that meters, and a subscription of every customer to it."""

    stage: Stage
    subscription_ids: tuple[str, ...]


async def _usage_stage(place: Place, stage: Stage) -> UsageStage:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:
        counted = {"name": "Calls", "key": "calls", "aggregation": "sum"}
        meter = await post(session, "/v1/meters", counted, stage.headers)
        priced = {
            "name": "Metered",
            "pricingModel": "per_unit",
            "unitAmountDecimal": "0.25",
            "billingInterval": "month",
            "meterId": meter["id"],
        }
        plan = await post(session, "/v1/plans", priced, stage.headers)
    async with place.superuser() as connection:
        key = uuid_in(stage.org_id), uuid_in(plan["id"])
        rows = await connection.fetch(_SUBSCRIBE, *key, SUBSCRIPTIONS // CUSTOMERS)
        await connection.execute("ANALYZE subscriptions")
    return UsageStage(stage, tuple(f"sub_{row['id']}" for row in rows))


def _side(stage: UsageStage, server: Server, effort: Effort, *, repeated: int) -> Side:
    load = Load(
        ports=server.ports,
        method="POST",
        paths=["/v1/usage/batch"],
        headers=stage.stage.headers,
        bodies=[_body(stage, turn, repeated) for turn in range(SUBSCRIPTIONS // EVENTS)],
        has_keys=False,
        connections=effort.connections,
        seconds=effort.seconds,
        requests_max=effort.requests_max,
        expects=200,
        fresh=_FRESH,
    )
    return Side(server, load)


def _body(stage: UsageStage, turn: int, repeated: int) -> str:
    events = []
    for number in range(EVENTS):
        is_repeated = number < repeated
        events.append(
            {
                "subscriptionId": stage.subscription_ids[
                    number + EVENTS * turn * (not is_repeated)
                ],
                "idempotencyKey": f"again-{number}" if is_repeated else f"{_FRESH}-{number}",
                "quantity": QUANTITY,
                "timestamp": _AT,
                "properties": {"region": "eu"},
            }
        )
    return json.dumps({"events": events})


async def _broken(place: Place, stage: UsageStage, events: int, *sides: Side) -> list[str]:
    async with place.superuser() as connection:
        row = await connection.fetchrow(_WRITTEN, uuid_in(stage.stage.org_id))
    assert row is not None
    wanted = {
        "events": events,
        "quantity": events * QUANTITY,
        "counted": events,
        "total": events * QUANTITY,
    }
    found = [
        f"{name}: {row[name]} instead of {count}"
        for name, count in wanted.items()
        if row[name] != count
    ]
    return [*found, *(f"answered {dict(side.faults)}" for side in sides if side.faults)]


async def _told(
    result: Result,
    place: Place,
    effort: Effort,
    *,
    ours: dict[str, object],
    limit: dict[str, object],
) -> Result:
    result.settings.update(
        effort.shown(),
        events_per_request=EVENTS,
        history_events=effort.history * 10,
        postgres=await place.shown_settings(),
    )
    result.detail.update(ours=ours, limit=limit)
    return result
