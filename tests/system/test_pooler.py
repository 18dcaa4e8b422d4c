"""The whole application behind a real PgBouncer in transaction mode: two servers for everybody."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import asyncpg.exceptions as pg
import pytest
from tests.support.database import Installation
from tests.support.tree import free_ports
from tests.support.world import Org, World, open_world

from bursar.domain.frozen import replace
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.payments import PaymentStatus
from bursar.domain.refusals import NotFound
from bursar.reads.invoices import invoice
from bursar.reads.verify import checks
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.db import Database, Means, ReadTx
from bursar.runtime.secret import Secret
from bursar.runtime.sql import Query

pytestmark = pytest.mark.system

SERVERS: Final = 2
CONFIG: Final = """\
[databases]
bursar = host={host} port=5432 user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 50
query_wait_timeout = 10
server_login_retry = 1
logfile =
pidfile =
"""


@dataclass
class Bouncer:
    """A PgBouncer before the database of a test run."""

    folder: Path
    port: int
    owner: int
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where the application is told that PostgreSQL is."""
        return f"postgresql://anybody@127.0.0.1:{self.port}/bursar?sslmode=disable"

    async def start(self) -> None:
        """Returns when it listens."""
        program = shutil.which("pgbouncer")
        assert program is not None, "pgbouncer is in .ci/packages"
        user = self.owner if os.geteuid() == 0 else None  # it refuses to be root
        with (self.folder / "log").open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *(program, self.folder / "pgbouncer.ini"), user=user, stdout=log, stderr=log
            )
        async with asyncio.timeout(10):
            while not await self._listens():
                assert self.running.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self.running is not None:
            self.running.kill()
            await self.running.wait()
            self.running = None

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


def _owner_of(path: Path) -> int:
    return path.stat().st_uid


@asynccontextmanager
async def pgbouncer(url: str) -> AsyncIterator[Bouncer]:
    """One in transaction mode, with as few servers as show the most."""
    login, port = urlsplit(url), free_ports()[0]
    host = parse_qs(login.query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="bursar-bouncer-") as name:
        made = Bouncer(Path(name), port, _owner_of(Path(host)))
        config = CONFIG.format(
            host=host, user=login.username, password=login.password, port=port, servers=SERVERS
        )
        (made.folder / "pgbouncer.ini").write_text(config)
        for path in (made.folder, made.folder / "pgbouncer.ini"):
            shutil.chown(path, made.owner)
        await made.start()
        try:
            yield made
        finally:
            await made.kill()


@pytest.fixture(scope="module")
async def bouncer(house: Installation) -> AsyncIterator[Bouncer]:
    async with pgbouncer(house.app_url) as made:
        yield made


@pytest.fixture(scope="module")
async def pooled(house: Installation, bouncer: Bouncer) -> AsyncIterator[World]:
    direct = Secret(house.app_url)
    told = replace(house.settings, database_pooler="transaction", database_direct_url=direct)
    async with open_world(replace(house, app_url=bouncer.url, settings=told)) as made:
        yield made


async def bought(org: Org) -> PaymentStatus:
    """A customer of the organization gets an invoice and pays it by card."""
    made = await org.invoice(await org.customer())
    paid = await org.pay(made.id)
    assert (await org.caller.look(invoice, made.id)).status is InvoiceStatus.PAID
    return paid.status


async def test_it_hides_who_answers(bouncer: Bouncer) -> None:
    # Or nothing here would prove anything.
    connection = await asyncpg.connect(bouncer.url, statement_cache_size=0)
    try:
        answering = await connection.fetchval("SELECT pg_backend_pid()")
        assert answering != connection.get_server_pid()
    finally:
        await connection.close()


async def test_who_is_not_told_of_it_does_not_start(pooled: World, bouncer: Bouncer) -> None:
    # Without DATABASE_POOLER the driver asks for what a pooler cannot keep, and hears so at once.
    means = Means(pooled.app.queue, pooled.app.keys, is_development=True)
    with pytest.raises(pg.ProtocolViolationError, match="unsupported startup parameter"):
        await Database.open(bouncer.url, means=means, application_name="untold")


async def test_organizations_share_two_servers(pooled: World) -> None:
    # Many at once, each in its own organization; all is paid, told, sealed and in balance.
    mine, theirs = await pooled.org(), await pooled.org()
    async with asyncio.TaskGroup() as group:
        sales = [group.create_task(bought(org)) for org in (mine, theirs) for _ in range(6)]
    assert {sale.result() for sale in sales} == {PaymentStatus.SUCCEEDED}
    await pooled.drain()
    await pooled.seal()
    for org in (mine, theirs):
        found = await org.caller.look(checks)
        assert {check.name: check.offenders for check in found if not check.is_good} == {}


async def test_nobody_sees_through_a_shared_server(pooled: World) -> None:
    # Whoever had the server before, an organization sees its own rows only.
    mine, theirs = await pooled.org(), await pooled.org()
    secret = await mine.invoice(await mine.customer())
    for _ in range(4 * SERVERS):
        assert (await mine.caller.look(invoice, secret.id)).id == secret.id
        with pytest.raises(NotFound):
            await theirs.caller.look(invoice, secret.id)


async def test_the_limits_hold_inside(pooled: World) -> None:
    # What a session of our own is opened with is given with each transaction instead.
    org = await pooled.org()
    limits = Query("limits", "SELECT current_setting($1)")

    async def body(tx: ReadTx, _entrance: object) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit")
        return [await tx.fetchval(limits, name) for name in names]

    binding = org.caller.binding(is_looking=True)
    assert await pooled.app.database.look(binding, body) == ["10s", "4s", "15s", "off"]


async def test_a_pooler_that_dies_and_comes_back(pooled: World, bouncer: Bouncer) -> None:
    # While it is away nothing is known; afterwards the same process goes on by itself.
    org = await pooled.org()
    customer = await org.customer()
    await bouncer.kill()
    with pytest.raises(DatabaseAway):
        await org.invoice(customer)
    await bouncer.start()
    made = await org.invoice(customer)
    assert (await org.pay(made.id)).status is PaymentStatus.SUCCEEDED
