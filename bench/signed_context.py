"""What the signed tenant context costs: one-row transactions beside a policy that believes anybody.

Both sides insert one row in a transaction bound to one organization, with row-level security on and
durable commits. Ours checks a signature; the limit compares with a setting that any statement could
change. Afterwards every row is there, in the organization that was bound.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from bench.place import Place, open_place
from bench.report import Result, Target, judged
from bench.sides import Effort, take_turns
from bursar.main import key_ring
from bursar.runtime.clock import monotonic, now
from bursar.runtime.crypto import context_mac
from bursar.runtime.ids import new_uuid

NAME = "signed_context"
TARGET = Target(must=0.8, goal=0.95)
_SECONDS_VALID = 60
_TABLES = """
    CREATE TABLE public.bench_signed (
        org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id)
    );
    CREATE TABLE public.bench_believed (LIKE public.bench_signed INCLUDING ALL);
    CALL sec.isolate('public.bench_signed');
    ALTER TABLE public.bench_believed ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own_rows ON public.bench_believed
        USING (org_id = current_setting('bench.org')::uuid)
        WITH CHECK (org_id = current_setting('bench.org')::uuid);
    GRANT SELECT, INSERT ON public.bench_signed, public.bench_believed TO bursar_app;
"""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(slots=True)
class Writer:
    """One session that writes one row a transaction, bound by one way of binding."""

    connection: Connection
    place: Place
    is_signed: bool
    seconds: float
    written: int = 0

    async def warm(self) -> None:
        """Run a moment."""
        await self._write(1.0)

    async def measure(self) -> float:
        """Transactions a second."""
        began, before = monotonic(), self.written
        await self._write(self.seconds)
        return (self.written - before) / (monotonic() - began)

    async def faults(self) -> list[str]:
        """What does not add up afterwards."""
        query = f"SELECT count(*) FROM public.{self._table}"
        async with self.place.superuser() as connection:
            kept = await connection.fetchval(query)
        return [] if kept == self.written else [f"{self._table}: {kept} of {self.written} rows"]

    @property
    def _table(self) -> str:
        return "bench_signed" if self.is_signed else "bench_believed"

    async def _write(self, seconds: float) -> None:
        key = key_ring(self.place.settings()).key("context")
        pid, org = self.connection.get_server_pid(), new_uuid()
        setting = "bursar.context" if self.is_signed else "bench.org"
        bind = f"SELECT set_config('{setting}', $1, true)"
        insert = f"INSERT INTO public.{self._table} (org_id, id) VALUES ($1, $2)"
        until = monotonic() + seconds
        while monotonic() < until:
            expires = int(now().timestamp()) + _SECONDS_VALID
            mac = context_mac(key, org, backend_pid=pid, expires_epoch=expires)
            context = f"{org}|{pid}|{expires}|{mac}" if self.is_signed else str(org)
            async with self.connection.transaction():
                await self.connection.fetchval(bind, context)
                await self.connection.execute(insert, org, new_uuid())
            self.written += 1


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        async with place.superuser() as connection:
            await connection.execute(_TABLES)
        sides = []
        for is_signed in (True, False):
            session = await asyncpg.connect(place.app_url)
            stack.push_async_callback(session.close)
            sides.append(Writer(session, place, is_signed, effort.seconds))
        ours, limit = sides
        rounds = await take_turns(ours, limit, rounds=effort.rounds, before_each=place.checkpoint)
        broken = [*await ours.faults(), *await limit.faults()]
        result = judged(NAME, TARGET, rounds, unit="transactions/s", broken=broken)
        result.settings.update(rounds=effort.rounds, seconds=effort.seconds)
        result.settings.update(postgres=await place.shown_settings())
        return result
