"""Transfers: one a request, a hundred a request, and all of them through one hot wallet.

The limits are pgbench scripts in `bench/limits`, and do nothing but one transfer row, two entries,
two balances and the balance trigger. Ours authenticates, claims the key, books two postings, tells
four events and keeps the answer. Afterwards every transfer is counted in every table, no wallet's
sum has changed, and `verify` reads the books.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from uuid import UUID

from bench.load import Load
from bench.place import Place, Server, bursar_server, open_place, pgbench, several_serving
from bench.report import Result, Target, judged
from bench.sides import Effort, Side, take_turns
from bench.stage import Stage, failed_checks, set_stage, uuid_in

ONE, MANY, HOT = "transfers", "transfers_batch", "transfers_hot"
IN_FLIGHT = 64
BATCH = 100
BATCHES_IN_FLIGHT = 8
Goal = tuple[str, Target]
_HERE = Path(__file__).parent
_HISTORY_ORG = "'00000000-0000-7000-8000-000000000002'::uuid"
_BODIES = 2_000
_SEED = 20261121
_TABLES = (
    *("transfers", "ledger_transactions", "ledger_entries", "ledger_accounts"),
    *("idempotency_keys", "events"),
)
_BYTES = """
SELECT t.name, sum(pg_table_size(t.oid))::bigint AS rows,
    sum(pg_indexes_size(t.oid))::bigint AS indexes
FROM (
    SELECT c.oid, CASE WHEN c.relname LIKE 'events\\_%' THEN 'events' ELSE c.relname END AS name
    FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
) AS t WHERE t.name = ANY($1::text[]) GROUP BY t.name
"""
_WRITTEN = """
SELECT
    (SELECT count(*) FROM transfers WHERE org_id = $1 AND status = 'COMPLETED') AS transfers,
    (
        SELECT count(*) FROM ledger_transactions WHERE org_id = $1 AND kind LIKE 'transfer%'
    ) AS postings,
    (
        SELECT count(*) FROM events WHERE org_id = $1 AND resource_type = 'transaction'
    ) AS events,
    (
        SELECT sum(balance_minor) FROM ledger_accounts WHERE org_id = $1 AND code LIKE 'wallet:%'
    ) AS held
"""
_HELD = 10_000 * 1_000_000_000


@dataclass(slots=True)
class Limit:
    """A pgbench script, with everything that was measured of it."""

    place: Place
    script: str
    clients: int
    seconds: float
    times: int = 1  # transfers in one run of the script
    rates: list[float] = field(default_factory=list)

    async def warm(self) -> None:
        await pgbench(self.place, self.script, clients=self.clients, seconds=1)

    async def measure(self) -> float:
        """Transfers a second."""
        runs = await pgbench(self.place, self.script, clients=self.clients, seconds=self.seconds)
        self.rates.append(runs * self.times)
        return self.rates[-1]


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, an organization with ten thousand wallets, and a way to ask it."""

    place: Place
    server: Server
    stage: Stage
    wallets: tuple[str, ...]
    effort: Effort

    def load(self, path: str, bodies: list[str], *, connections: int, expects: int) -> Load:
        """Requests for transfers, each with a key of its own."""
        return Load(
            ports=self.server.ports,
            method="POST",
            paths=[path],
            headers=self.stage.headers,
            bodies=bodies,
            has_keys=True,
            connections=connections,
            seconds=self.effort.seconds,
            requests_max=self.effort.requests_max,
            expects=expects,
        )

    def singles(self, pick: Callable[[random.Random], tuple[str, str]]) -> Side:
        """One transfer a request, 64 in flight."""
        chance = random.Random(_SEED)
        bodies = [json.dumps(_order(*pick(chance))) for _ in range(_BODIES)]
        load = self.load("/v1/transactions", bodies, connections=IN_FLIGHT, expects=201)
        return Side(self.server, load)

    def batches(self) -> Side:
        """A hundred transfers a request."""
        chance = random.Random(_SEED)
        bodies = [
            json.dumps({"transactions": [_order(*self.any_two(chance)) for _ in range(BATCH)]})
            for _ in range(_BODIES // BATCH)
        ]
        path = "/v1/transactions/batch"
        return Side(
            self.server, self.load(path, bodies, connections=BATCHES_IN_FLIGHT, expects=200)
        )

    def any_two(self, chance: random.Random) -> tuple[str, str]:
        """Two of ten thousand."""
        sender, receiver = chance.sample(self.wallets, 2)
        return sender, receiver

    def one_hot(self, chance: random.Random) -> tuple[str, str]:
        """The same wallet each time, as sender or as receiver."""
        pair = (self.wallets[0], chance.choice(self.wallets[1:]))
        return pair if chance.random() < 0.5 else (pair[1], pair[0])


async def bench_one(effort: Effort) -> Result:
    """One transfer a request, beside one transfer a commit."""
    async with AsyncExitStack() as stack:
        scene = await _opened(stack, effort)
        ours = scene.singles(scene.any_two)
        limit = Limit(scene.place, "transfers_one", 16, effort.seconds)
        return await _judged(scene, (ONE, Target(0.4, 0.8)), ours, limit)


async def bench_many(effort: Effort) -> Result:
    """A hundred transfers a request, beside what a set-based statement takes."""
    async with AsyncExitStack() as stack:
        scene = await _opened(stack, effort)
        limit = Limit(scene.place, "transfers_set", 2, effort.seconds, times=512)
        return await _judged(
            scene, (MANY, Target(0.35, 0.6)), scene.batches(), limit, per_answer=BATCH
        )


async def bench_hot(effort: Effort) -> Result:
    """One wallet in every transfer, beside ten thousand uniform ones."""
    async with AsyncExitStack() as stack:
        scene = await _opened(stack, effort)
        ours, uniform = scene.singles(scene.one_hot), scene.singles(scene.any_two)
        return await _judged(scene, (HOT, Target(0.7, 0.95)), ours, uniform)


async def _opened(stack: AsyncExitStack, effort: Effort) -> Scene:
    place = await stack.enter_async_context(open_place())
    async with place.superuser() as connection:
        await connection.execute((_HERE / "limits/transfers.sql").read_text())
        history = (_HERE / "transfers_history.sql").read_text()
        text = history.replace(":org", _HISTORY_ORG).replace(":count", str(effort.history))
        await connection.execute(text, timeout=600)
    server = await stack.enter_async_context(
        several_serving(place, "ours", bursar_server, effort.servers)
    )
    stage = await set_stage(server.port)
    return Scene(place, server, stage, await _wallets(place, stage), effort)


async def _wallets(place: Place, stage: Stage) -> tuple[str, ...]:
    *statements, last = (_HERE / "wallets.sql").read_text().strip().rstrip(";").split(";\n")
    org = f"'{uuid_in(stage.org_id)}'::uuid"
    async with place.superuser() as connection:
        for statement in statements:
            await connection.execute(statement.replace(":org", org))
        rows = await connection.fetch(last)
        await connection.execute("SET session_replication_role = origin; ANALYZE")
    return tuple(f"wal_{row['wallet_id']}" for row in rows)


def _order(sender: str, receiver: str) -> dict[str, object]:
    return {"fromWalletId": sender, "toWalletId": receiver, "amountCents": 1}


async def _judged(
    scene: Scene, goal: Goal, ours: Side, limit: Limit | Side, *, per_answer: int = 1
) -> Result:
    name, target = goal
    before = await _bytes(scene.place)
    rounds = await take_turns(
        ours, limit, rounds=scene.effort.rounds, before_each=scene.place.checkpoint
    )
    rounds = [type(each)(each.ours * per_answer, each.limit) for each in rounds]
    made = per_answer * ours.good + (limit.good if isinstance(limit, Side) else 0)
    result = judged(
        name, target, rounds, unit="transfers/s", broken=await _broken(scene, ours, limit, made)
    )
    result.settings.update(
        scene.effort.shown(), wallets=10_000, postgres=await scene.place.shown_settings()
    )
    grown = {
        part: round(size / max(made, 1))
        for part, size in (await _bytes(scene.place) - before).items()
    }
    total = sum(grown.values())
    result.detail.update(ours=ours.shown(), bytes_per_transfer=total, bytes_of=grown)
    parts = ", ".join(
        f"{part} {size}" for part, size in sorted(grown.items(), key=itemgetter(1), reverse=True)
    )
    print(f"{name}: {total} bytes of disk per transfer ({parts})")
    return result


async def _bytes(place: Place) -> Counter[str]:
    """How much of the disk each table takes, its indexes apart."""
    taken: Counter[str] = Counter()
    async with place.superuser() as connection:
        for row in await connection.fetch(_BYTES, list(_TABLES)):
            taken[row["name"]] = row["rows"]
            taken[f"{row['name']}'s indexes"] = row["indexes"]
    return taken


async def _broken(scene: Scene, ours: Side, limit: Limit | Side, made: int) -> list[str]:
    org: UUID = uuid_in(scene.stage.org_id)
    async with scene.place.superuser() as connection:
        row = await connection.fetchrow(_WRITTEN, org)
    assert row is not None
    wanted = {"transfers": made, "postings": 2 * made, "events": 4 * made, "held": _HELD}
    found = [
        f"{name}: {row[name]} instead of {count}"
        for name, count in wanted.items()
        if row[name] != count
    ]
    sides = [ours, limit] if isinstance(limit, Side) else [ours]
    found += [f"answered {dict(side.faults)}" for side in sides if side.faults]
    return [*found, *await failed_checks(scene.place, scene.stage)]
