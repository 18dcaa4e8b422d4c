"""One row inserted under the signed context, beside the same under one that anybody could set.

Both are BEGIN, the context, one INSERT under row-level security, COMMIT, by the application's own
login; the ratio is what the signature costs, in Python and in PostgreSQL, of the shortest
transaction there is. Smaller is better; 1 would be free.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from bench.place import Place, open_place
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bursar.runtime.clock import now
from bursar.runtime.crypto import context_mac
from bursar.runtime.key_rings import key_ring

NAME = "signed_context"
TARGET = Target(must=1.2, goal=1.1, is_most=True)
_LIFE_SECONDS = 60

_TABLES = """
CREATE TABLE bench.signed (org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id));
CREATE TABLE bench.plain (org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id));
CALL sec.isolate('bench.signed');
ALTER TABLE bench.plain ENABLE ROW LEVEL SECURITY;
ALTER TABLE bench.plain FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON bench.plain
USING (org_id = (SELECT current_setting('bench.org')::uuid))
WITH CHECK (org_id = (SELECT current_setting('bench.org')::uuid));
GRANT SELECT, INSERT ON bench.signed, bench.plain TO bursar_app;
"""
_COUNTED = "SELECT (SELECT count(*) FROM bench.signed), (SELECT count(*) FROM bench.plain)"


@dataclass(slots=True)
class Line:
    """One connection of the application that makes one-row transactions."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    setting: str
    insert: str
    context: Callable[[], str]
    org: uuid.UUID
    made: int = 0

    async def measure(self, seconds: float) -> float:
        """The mean of one transaction, in seconds."""
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            await self._transaction()
            done += 1
        self.made += done
        return (time.perf_counter() - began) / done

    async def _transaction(self) -> None:
        await self.connection.execute("BEGIN")
        await self.connection.fetchval(self.setting, self.context())
        await self.connection.execute(self.insert, self.org, uuid.uuid4())
        await self.connection.execute("COMMIT")


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with open_place() as place:
        async with place.superuser() as superuser:
            await superuser.execute(_TABLES)
        connection = await asyncpg.connect(place.app_url)
        try:
            ours, limit = _lines(place, connection)
            rounds = await _rounds(place, ours, limit, effort)
        finally:
            await connection.close()
        async with place.superuser() as superuser:
            kept = tuple(await superuser.fetchrow(_COUNTED) or ())
        wanted = ours.made, limit.made
        broken = [] if kept == wanted else [f"kept {kept} of {wanted}"]
        shown = await place.shown_settings()
    result = judged(NAME, TARGET, rounds, unit="seconds", broken=broken)
    result.settings.update(rounds=effort.rounds, seconds=effort.seconds, postgres=shown)
    result.detail.update(ours={"transactions": ours.made}, limit={"transactions": limit.made})
    return result


def _lines(place: Place, connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[Line, Line]:
    org, key = uuid.uuid4(), key_ring(place.settings()).key("context")
    pid = connection.get_server_pid()

    def signed() -> str:
        expires = int(now().timestamp()) + _LIFE_SECONDS
        mac = context_mac(key, org, backend_pid=pid, expires_epoch=expires)
        return f"{org}|{pid}|{expires}|{mac}"

    return (
        Line(
            connection,
            "SELECT set_config('bursar.context', $1, true)",
            "INSERT INTO bench.signed (org_id, id) VALUES ($1, $2)",
            signed,
            org,
        ),
        Line(
            connection,
            "SELECT set_config('bench.org', $1, true)",
            "INSERT INTO bench.plain (org_id, id) VALUES ($1, $2)",
            lambda: str(org),
            org,
        ),
    )


async def _rounds(place: Place, ours: Line, limit: Line, effort: Effort) -> list[Round]:
    for line in (limit, ours):
        await line.measure(1.0)
    seen = []
    for _ in range(effort.rounds):
        await place.checkpoint()
        times = [await line.measure(effort.seconds) for line in (limit, ours, ours, limit)]
        seen.append(Round(ours=(times[1] + times[2]) / 2, limit=(times[0] + times[3]) / 2))
    return seen
