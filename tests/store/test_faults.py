"""What PostgreSQL can throw at a transaction, and what is left of it: all or nothing, asked again.

A backend that ends at any statement, a request that is canceled, locks, deadlocks, an exhausted
pool, a standby that is gone: no partial effect, and no connection in a state that the next user
would inherit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import pytest
from tests.support.aftermath import POOL, counted, done, keyed, require_healthy
from tests.support.cutter import wire_cutter
from tests.support.database import Installation
from tests.support.world import Org, World, open_world

from bursar.domain.access import Permission
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.flows.pay_invoice import pay_invoice
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.reads.orgs import organization
from bursar.runtime.app import operation, query
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.db import ReadTx, Tx
from bursar.runtime.idempotency import Replayed
from bursar.runtime.sql import Query

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass
class Sniper:
    """Ends or cancels a backend at its n-th statement, once."""

    superuser: Connection
    verb: str
    at: int
    seen: int = 0

    async def __call__(self, pid: int) -> None:
        self.seen += 1
        if self.seen == self.at:
            await self.superuser.execute(f"SELECT {self.verb}($1)", pid)

    @property
    def has_shot(self) -> bool:
        return self.seen >= self.at


async def shot_at(org: Org, customer: Customer, set_up: Callable[[], None]) -> None:
    """Pay an invoice while a sniper waits for its statement; the request is sent until answered."""
    invoice = await org.invoice(customer)
    begin = org.begin(invoice.id)
    set_up()
    for _ in range(4):
        caller = keyed(org.caller, f"pay-{invoice.id}")
        try:
            await pay_invoice(caller, begin, done)
        except DatabaseAway:
            await caller.release()
        except Replayed:
            return
    raise AssertionError("it was never answered")


@pytest.mark.parametrize("verb", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_a_backend_may_end_at_any_statement(house: Installation, verb: str) -> None:
    # At the first, at the second, … until paying has no more: one payment, one charge, clean pool.
    superuser = await house.as_superuser()
    async with (
        wire_cutter(house.app_url) as cutter,
        open_world(replace(house, app_url=cutter.url)) as world,
    ):
        org = await world.org()
        customer = await org.customer()
        snipers = [Sniper(superuser, verb, 1)]
        while not snipers[1:] or snipers[-2].has_shot:
            await shot_at(org, customer, lambda: setattr(cutter, "on_statement", snipers[-1]))
            cutter.on_statement = None
            await asyncio.sleep(0.02)  # a shot at the very last statement may still be on its way
            snipers.append(Sniper(superuser, verb, len(snipers) + 1))
            assert len(snipers) < 200
        rounds, shots = len(snipers) - 1, len(snipers) - 2
        assert shots > 20
        rows = await counted(house, org)
        assert (rows["invoices"], rows["payments"]) == (rounds, rounds)
        assert rows["ledger_entries"] == 4 * rounds
        charges = await world.provider.booked_charges(org.id)
        assert isinstance(charges, tuple)
        assert len(charges) == rounds
        await require_healthy(world, org)
    await superuser.close()
    print(f"{verb}: at each of {shots} statements")


async def test_connections_that_died_in_the_pool_cost_nobody_anything(
    house: Installation, world: World
) -> None:
    # All of them were ended while nobody used them: whoever comes next does not notice.
    org = await world.org()
    await require_healthy(world, org)
    superuser = await house.as_superuser()
    ended = await superuser.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'bursar-test' AND datname = current_database()"
        " AND state = 'idle'"
    )
    await superuser.close()
    assert len(ended) >= POOL
    await asyncio.gather(*(org.caller.look(organization) for _ in range(POOL)))
    await org.invoice(await org.customer())


@operation(requires=Permission.INVOICE_WRITE)
async def sleep_long(tx: Tx, seconds: float) -> None:
    """A statement that takes its time."""
    await tx.fetchval(Query("sleep", "SELECT pg_sleep($1)"), seconds)


@operation(requires=Permission.INVOICE_WRITE)
async def go_on_after_failure(tx: Tx, _command: None) -> None:
    """A bug: it hides a failed statement, and with it that nothing can be committed any more."""
    try:
        await tx.fetchval(Query("fail", "SELECT 1 / 0"))
    except asyncpg.DivisionByZeroError:
        return


async def test_a_canceled_request_stops_its_statement(world: World) -> None:
    # The client hung up: the backend does not go on, and the connection is as good as new.
    org = await world.org()
    running = asyncio.create_task(org.caller.run(sleep_long, 8.0))
    await asyncio.sleep(0.1)
    running.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await running
    owner = await world.house.as_owner()
    left = await owner.fetch(
        "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active'"
        " AND pid <> pg_backend_pid()"
    )
    await owner.close()
    assert left == []
    await require_healthy(world, org)


async def test_a_request_may_be_canceled_at_any_moment(world: World) -> None:
    # However far it came, the same request sent again has the one effect and leaves a clean pool.
    org = await world.org()
    customer = await org.customer()
    for step in range(40):
        invoice = await org.invoice(customer, cents=100 + step)
        begin, key = org.begin(invoice.id), f"canceled-{step}"
        caller = keyed(org.caller, key)
        running = asyncio.create_task(pay_invoice(caller, begin, done))
        await asyncio.sleep(step * 0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await caller.release()
        with suppress(Replayed):
            await pay_invoice(keyed(org.caller, key), begin, done)
    rows = await counted(world.house, org)
    assert (rows["invoices"], rows["payments"]) == (40, 40)
    charges = await world.provider.booked_charges(org.id)
    assert isinstance(charges, tuple)
    assert len(charges) == 40
    await require_healthy(world, org)


async def test_a_hidden_failure_is_not_a_commit(world: World) -> None:
    # PostgreSQL answers COMMIT with ROLLBACK then; taking that for success would lose the effect.
    org = await world.org()
    with pytest.raises(AssertionError, match="had failed"):
        await org.caller.run(go_on_after_failure, None)
    await require_healthy(world, org)


async def test_a_lock_is_waited_for_and_then_given_up(world: World) -> None:
    # Somebody holds the customer for long: 503 after the lock's patience, no partial effect.
    org = await world.org()
    draft = await org.draft(await org.customer())
    command = FinalizeInvoice(draft.id)
    before = await counted(world.house, org)
    owner = await world.house.as_owner()
    async with owner.transaction():
        await owner.execute("SELECT FROM customers WHERE org_id = $1 FOR UPDATE", uuid_of(org.id))
        async with asyncio.timeout(6):
            with pytest.raises(DatabaseAway):
                await keyed(org.caller, "locked").run(finalize_invoice, command, answer=done)
    await owner.close()
    assert before == await counted(world.house, org)
    await keyed(org.caller, "locked").run(finalize_invoice, command, answer=done)


async def test_a_real_deadlock_is_nobodys_failure(world: World) -> None:
    # Two verbs that lock two customers crosswise: PostgreSQL ends one, and it is tried again.
    org = await world.org()
    ids = [uuid_of((await org.customer(None)).id) for _ in range(2)]
    lock = Query("lock", "SELECT FROM customers WHERE org_id = $1 AND id = $2 FOR UPDATE")
    tries = 0

    @operation(requires=Permission.INVOICE_WRITE)
    async def cross(tx: Tx, order: list[Any]) -> None:
        nonlocal tries
        tries += 1
        for customer_id in order:
            await tx.fetch(lock, uuid_of(tx.org_id), customer_id)
            await asyncio.sleep(0.2)

    await asyncio.gather(org.caller.run(cross, ids), org.caller.run(cross, list(reversed(ids))))
    assert tries == 3


async def test_an_exhausted_pool_answers_soon(world: World) -> None:
    # Every connection is busy: whoever comes next waits two seconds, and is told to come back.
    org = await world.org()
    async with asyncio.TaskGroup() as group:
        for _ in range(POOL):
            group.create_task(org.caller.run(sleep_long, 2.5))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(2.5):
            with pytest.raises(DatabaseAway):
                await org.caller.look(organization)
    await require_healthy(world, org)


async def test_a_migration_under_a_prepared_statement_costs_nothing(world: World) -> None:
    # The plan of a statement prepared before is stale: the verb is tried again, nobody notices.
    org = await world.org()
    superuser = await world.house.as_superuser()
    await superuser.execute("CREATE TABLE public.aging AS SELECT 1 AS a")
    await superuser.execute("GRANT SELECT ON public.aging TO bursar_app")
    aging = Query("aging", "SELECT * FROM aging")

    @operation(requires=Permission.INVOICE_WRITE)
    async def look_at_it(tx: Tx, _command: None) -> int:
        return len(await tx.fetchrow(aging) or ())

    widths = [await org.caller.run(look_at_it, None) for _ in range(POOL)]
    await superuser.execute("ALTER TABLE public.aging ADD COLUMN b integer")
    widths += [await org.caller.run(look_at_it, None) for _ in range(POOL)]
    await superuser.execute("DROP TABLE public.aging")
    await superuser.close()
    assert widths == [1] * POOL + [2] * POOL


@query(requires=Permission.INVOICE_READ)
async def write_in_a_look(tx: ReadTx) -> None:
    """A bug: a question that changes something."""
    change = Query("write", "UPDATE customers SET name = 'x' WHERE org_id = $1 RETURNING 1")
    await tx.fetch(change, uuid_of(tx.org_id))


async def test_a_look_cannot_write(world: World) -> None:
    # Its transaction is read-only, whatever the query says.
    org = await world.org()
    await org.customer(None)
    with pytest.raises(DatabaseAway, match="read-only"):
        await org.caller.look(write_in_a_look)


@asynccontextmanager
async def absent_standby(
    house: Installation,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Commits wait for a standby that never comes."""
    superuser = await house.as_superuser()
    await superuser.execute("SET synchronous_commit = off")
    await superuser.execute("ALTER SYSTEM SET synchronous_commit = 'on'")
    await superuser.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
    await superuser.execute("SELECT pg_reload_conf()")
    try:
        await asyncio.sleep(0.2)
        yield superuser
    finally:
        await superuser.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await superuser.execute("ALTER SYSTEM RESET synchronous_commit")
        await superuser.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.2)
        await superuser.close()


WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.mark.parametrize("ending", ["pg_cancel_backend(pid)", "pg_terminate_backend(pid)", None])
async def test_a_commit_that_no_standby_has_is_unknown(world: World, ending: str | None) -> None:
    # Canceled, ended or given up by us: never a success, and the key tells what became of it.
    org = await world.org()
    command = FinalizeInvoice((await org.draft(await org.customer())).id)
    caller = keyed(org.caller, "standby")
    async with absent_standby(world.house) as superuser:
        running = asyncio.create_task(caller.run(finalize_invoice, command, answer=done))
        await asyncio.sleep(0.5)
        assert await superuser.fetchval(f"SELECT count(*) {WAITING}"), "it waits"
        if ending is not None:
            await superuser.execute(f"SELECT {ending} {WAITING}")
        async with asyncio.timeout(9):
            with pytest.raises(DatabaseAway):
                await running
    with pytest.raises(Replayed):
        await keyed(org.caller, "standby").run(finalize_invoice, command, answer=done)
    await require_healthy(world, org)
    assert (await counted(world.house, org))["ledger_entries"] == 2
