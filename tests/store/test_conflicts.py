"""Conflicts and accidents at every statement of a verb, planted by a trigger that counts.

Conflicts are tried again whole, five times at most; everything else that is nobody's fault is told
as `DatabaseAway` and leaves nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest
from tests.support.aftermath import counted, done, keyed
from tests.support.database import Installation
from tests.support.world import Org, World

from bursar.domain.drafting import NewLine
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, VoidInvoice, create_invoice, void_invoice
from bursar.operations.payments import begin_payment
from bursar.runtime.app import Caller
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.idempotency import Replayed

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

TRIES_MAX = 5
# The last is what is told when a function was replaced between planning and running a statement.
CONFLICTS = ("40001", "40P01", "XX000")
# A statement or a lock took too long, or the transaction idled: at every verb and table.
TIMEOUTS = ("57014", "55P03", "25P03")
# Disk full, out of memory, shut down, a server that only reads, nobody knows: once is enough.
ACCIDENTS = ("53100", "53200", "57P01", "25006", "40003")
# Raises in the middle of whatever touches a table, so often; a sequence counts through rollbacks.
INSTALL = """
CREATE SCHEMA faults;
GRANT USAGE ON SCHEMA faults TO PUBLIC;
CREATE TABLE faults.plan (code text, times bigint);
INSERT INTO faults.plan VALUES ('00000', 0);
CREATE SEQUENCE faults.seen;
CREATE FUNCTION faults.strike() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE plan faults.plan;
BEGIN
    SELECT * INTO plan FROM faults.plan;
    IF nextval('faults.seen') <= plan.times THEN
        RAISE EXCEPTION 'planted' USING ERRCODE = plan.code;
    END IF;
    RETURN NULL;
END $$;
"""


@dataclass(frozen=True)
class Faults:
    """Plants a fault on a table."""

    superuser: Connection

    @asynccontextmanager
    async def on(self, table: str, code: str, times: int) -> AsyncIterator[None]:
        """The first so many statements that write the table fail with this code."""
        await self.superuser.execute("UPDATE faults.plan SET code = $1, times = $2", code, times)
        await self.superuser.execute("ALTER SEQUENCE faults.seen RESTART")
        await self.superuser.execute(
            f"CREATE TRIGGER strike AFTER INSERT OR UPDATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION faults.strike()"
        )
        try:
            yield
        finally:
            await self.superuser.execute(f"DROP TRIGGER strike ON {table}")

    async def met(self) -> int:
        """How many statements came to the table."""
        row = await self.superuser.fetchrow("SELECT last_value, is_called FROM faults.seen")
        assert row is not None
        return int(row["last_value"]) if row["is_called"] else 0


@pytest.fixture(scope="module")
async def faults(house: Installation) -> AsyncIterator[Faults]:
    superuser = await house.as_superuser()
    await superuser.execute(INSTALL)
    yield Faults(superuser)
    await superuser.execute("DROP SCHEMA faults CASCADE")
    await superuser.close()


Act = Callable[[Caller], Awaitable[Any]]
Prepare = Callable[[Org], Awaitable[Act]]


async def drafting(org: Org) -> Act:
    command = CreateInvoice(
        customer_id=(await org.customer()).id,
        lines=(NewLine("Work", 1, Decimal(100)),),
        metadata={},
    )
    return lambda caller: caller.run(create_invoice, command, answer=done)


async def finalizing(org: Org) -> Act:
    invoice = await org.draft(await org.customer())
    return lambda caller: caller.run(finalize_invoice, FinalizeInvoice(invoice.id), answer=done)


async def voiding(org: Org) -> Act:
    invoice = await org.invoice(await org.customer())
    return lambda caller: caller.run(void_invoice, VoidInvoice(invoice.id), answer=done)


async def beginning(org: Org) -> Act:
    begin = org.begin((await org.invoice(await org.customer())).id)
    return lambda caller: caller.run(begin_payment, begin, answer=done)


# Each verb, and the tables it writes in its turn.
VERBS: dict[str, tuple[Prepare, tuple[str, ...]]] = {
    "draft": (drafting, ("idempotency_keys", "invoices", "invoice_lines", "events")),
    "finalize": (
        finalizing,
        ("invoice_series", "invoices", "ledger_transactions", "ledger_entries", "events"),
    ),
    "void": (voiding, ("invoices", "ledger_transactions", "ledger_entries", "events")),
    "begin": (beginning, ("idempotency_keys", "payments", "events", "agenda")),
}
PLACES = [
    pytest.param(prepare, table, id=f"{verb}-{table}")
    for verb, (prepare, tables) in VERBS.items()
    for table in tables
]


@pytest.mark.parametrize("code", CONFLICTS)
@pytest.mark.parametrize(("prepare", "table"), PLACES)
async def test_a_conflict_is_tried_again_whole(
    world: World, faults: Faults, prepare: Prepare, table: str, code: str
) -> None:
    # Twice in a row at any table: the verb starts again from its first statement and succeeds once.
    org = await world.org()
    act = await prepare(org)
    before = await counted(world.house, org)
    async with faults.on(table, code, times=2):
        await act(keyed(org.caller, "conflict"))
        assert await faults.met() >= 3
    once = await counted(world.house, org)
    with pytest.raises(Replayed):
        await act(keyed(org.caller, "conflict"))
    assert once == await counted(world.house, org) != before


@pytest.mark.parametrize("code", CONFLICTS)
async def test_conflicts_without_end_are_given_up(world: World, faults: Faults, code: str) -> None:
    # Five tries and no more; then the caller is told to come back, and nothing is left.
    org = await world.org()
    act = await finalizing(org)
    before = await counted(world.house, org)
    async with faults.on("ledger_entries", code, times=99):
        with pytest.raises(DatabaseAway):
            await act(keyed(org.caller, "endless"))
        assert await faults.met() == TRIES_MAX
    assert before == await counted(world.house, org)
    await act(keyed(org.caller, "endless"))


@pytest.mark.parametrize(
    ("prepare", "table", "code"),
    [
        *(pytest.param(*place.values, code) for place in PLACES for code in TIMEOUTS),
        *(pytest.param(finalizing, "ledger_entries", code) for code in ACCIDENTS),
    ],
)
async def test_an_accident_leaves_nothing(
    world: World, faults: Faults, prepare: Prepare, table: str, code: str
) -> None:
    # Told once as `DatabaseAway`, without a trace; the same request then goes through.
    org = await world.org()
    act = await prepare(org)
    before = await counted(world.house, org)
    async with faults.on(table, code, times=1):
        with pytest.raises(DatabaseAway):
            await act(keyed(org.caller, "accident"))
        assert await faults.met() == 1
        assert before == await counted(world.house, org)
        await act(keyed(org.caller, "accident"))
    assert before != await counted(world.house, org)
