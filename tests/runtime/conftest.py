"""A PostgreSQL for the tests of the machinery: one server a run, the queue's tables, no row."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

import bursar.migrations
from bursar.runtime.connections import Connection
from bursar.runtime.embedded import Urls, throwaway
from bursar.runtime.queue import TaskQueue

QUEUE_DDL = Path(bursar.migrations.__file__).parent / "sql" / "queue.sql"
PAUSES_DDL = """
CREATE TABLE queue.pauses (entrypoint text PRIMARY KEY);
GRANT SELECT ON queue.pauses TO bursar_app;
"""


class Machine:
    """Raw connections as the app's login, as the queue and the worker ask for them."""

    def __init__(self, urls: Urls, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.urls = urls
        self._pool = pool

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire() as connection:
            yield connection

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self.urls.app.reveal(), timeout=5)

    async def fetchval(self, query: str, *args: object) -> object:
        async with self.machine() as connection:
            return await connection.fetchval(query, *args)

    async def as_superuser(self, query: str) -> object:
        connection = await asyncpg.connect(
            self.urls.superuser.reveal(), database="bursar", timeout=5
        )
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[Urls]:
    # Not pytest's own folder: every run that starts narrows the one above it for our server.
    with tempfile.TemporaryDirectory(prefix="bursar-queue-", ignore_cleanup_errors=True) as folder:
        async with throwaway(Path(folder)) as urls:
            owner = await asyncpg.connect(urls.owner.reveal(), timeout=10)
            try:
                await owner.execute(QUEUE_DDL.read_text("utf-8"))
                await owner.execute(PAUSES_DDL)
            finally:
                await owner.close()
            yield urls


@pytest.fixture
async def machine(server: Urls) -> AsyncIterator[Machine]:
    async with asyncpg.create_pool(server.app.reveal(), min_size=1, max_size=12) as pool:
        await pool.execute("DELETE FROM queue.claims")
        await pool.execute("DELETE FROM queue.pgqueuer_log")
        await pool.execute("DELETE FROM queue.pgqueuer")
        yield Machine(server, pool)


@pytest.fixture
async def connection(machine: Machine) -> AsyncIterator[Connection]:
    async with machine.machine() as taken:
        yield taken


@pytest.fixture
def boot_id() -> UUID:
    return uuid4()


@pytest.fixture
def tasks(boot_id: UUID) -> TaskQueue:
    return TaskQueue(boot_id)
