"""Twenty thousand rows in every table: no question of ours reads one from end to end.

Plans are judged twice: as PostgreSQL makes them for any arguments (a prepared statement ends up
there after five uses), and by what a whole journey really read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import pytest
from tests.support.database import Installation, beside
from tests.support.world import Org, World, open_world

import bursar
from bursar.domain.ids import uuid_of
from bursar.domain.paging import Page
from bursar.reads import customers, invoices, payments
from bursar.runtime import doors
from bursar.runtime.clock import now
from bursar.runtime.crypto import context_mac
from bursar.runtime.ids import new_uuid
from bursar.runtime.sql import Query
from bursar.runtime.sql import beside as queries_beside

ROWS: Final = 20_000
READ_MAX: Final = 2_000
FLUSH_SECONDS: Final = 1.5  # a session reports what it read about once a second
FILL: Final = Path(__file__).with_name("large.sql")
BIG: Final = frozenset(
    line.split()[2].rpartition(".")[2]
    for line in FILL.read_text("utf-8").splitlines()
    if line.startswith("INSERT INTO")
)
SOURCES: Final = sorted(Path(bursar.__file__).parent.glob("*/*.sql"))
QUERIES: Final = {
    f"{path.parent.name}/{path.stem}/{query.name}": query
    for path in SOURCES
    if path.parent.name in {"reads", "store", "runtime"}
    for query in queries_beside(str(path))
    if "CALL" not in query.text  # a procedure has no plan of its own
}
ARGUMENTS: Final = (
    "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'any_arguments'"
)
# Questions about everything: whoever asks them wants all of it, and not often.
WHOLE: Final = frozenset(
    {
        *(name for name in QUERIES if name.startswith("reads/verify")),
        "reads/gauges/books",  # the worker, over all accounts of an organization
        "reads/ledger/accounts",
        "reads/ledger/accounts_at",  # all that had happened up to an instant
        "reads/reconciliation/differences",  # an accountant, over all payments
        "reads/reconciliation/payout_differences",  # and over all payouts
        "store/ledger/close",  # the worker, over all accounts without a floor
        "store/orgs/unfinished",  # once in an organization's life
        "runtime/queue/depth",
        "runtime/queue/set_right",  # the worker, over all that waits for later
        "store/figures/fold",  # moves all there are
        "store/test_clocks/is_untouched",  # once in an organization's life, and ends at one row
    }
)
# Lists whose filters may be absent, and counts up to a limit: what they read depends on what is
# asked, so PostgreSQL keeps planning them anew; the journey below really asks.
FILTERED: Final = frozenset(
    name for name, query in QUERIES.items() if "IS NULL OR" in query.text or "/count_" in name
)
# Which index carries a hot query.
HOT: Final = {
    "store/invoices/get_invoice": "invoices_pkey",
    "store/invoices/get_invoice_lines": "invoice_lines_",
    "store/customers/lock_customer": "customers_pkey",
    "store/payments/get_payment": "payments_pkey",
    "store/payments/open_attempt": "one_open_attempt",
    "store/payments/attempt_of_key": "payments_by_invoice",
    "reads/invoices/attempts": "payments_by_invoice",
    "reads/invoices/invoice": "invoices_pkey",
}

# What is given hundreds of rows at once, and is asked for all the time.
SET_BASED: Final = (
    "store/transfers/lock_purses",
    "store/transfers/see_purses",
    "store/transfers/move_if_enough",
    "store/transfers/insert_completed",
)

# What is asked hundreds of times a second with an array, and what with.
OFTEN: Final[dict[str, Callable[[UUID, str], tuple[object, ...]]]] = {
    "reads/deliveries/leased_deliveries": lambda org, context: (
        *(context, None, None, None, org),
        *([new_uuid()], [new_uuid()]),
    ),
    "store/credit_balances/codes_with_credit": lambda org, _: (org, ["credit:cus_1"]),
    "store/customers/lock_through_invoices": lambda org, _: (org, [new_uuid()]),
    "store/customers/get_buyers": lambda org, _: (org, [new_uuid()]),
    "store/invoices/get_invoices": lambda org, _: (org, [new_uuid()]),
    "store/invoices/get_lines_of": lambda org, _: (org, [new_uuid()], 21),
    "store/ledger/find_accounts": lambda org, _: (org, "usd", ["transit"]),
    "store/transfers/lock_purses": lambda org, _: (org, f"{{{new_uuid()}}}"),
}
BEFORE_ONE_FOR_ALL: Final = 5  # PostgreSQL tries so many plans of their own before it decides
USES: Final = 2 * BEFORE_ONE_FOR_ALL
COUNTED: Final = (
    "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1"
)


@dataclass(frozen=True)
class Large:
    """An organization with a past, and the application beside it."""

    house: Installation
    world: World
    org: Org

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A session of the application, bound to the large organization for a while."""
        connection = await asyncpg.connect(self.house.app_url)
        org, pid = uuid_of(self.org.id), connection.get_server_pid()
        expires = int(now().timestamp()) + 600
        mac = context_mac(self.world.app.context_key, org, backend_pid=pid, expires_epoch=expires)
        await connection.execute(f"SET bursar.context = '{org}|{pid}|{expires}|{mac}'")
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
        return connection


@pytest.fixture(scope="module")
async def large(cluster: Installation) -> AsyncIterator[Large]:
    async with beside(cluster) as house, open_world(house) as world:
        org = await world.org()
        await org.invoice(await org.customer())
        await world.drain()
        text = FILL.read_text("utf-8").replace("{org}", str(uuid_of(org.id)))
        superuser = await house.as_superuser()
        async with superuser.transaction():
            await superuser.execute(text.replace("{rows}", str(ROWS)))
        await superuser.execute("VACUUM ANALYZE")
        await superuser.close()
        yield Large(house, world, org)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plan_of(
    connection: "asyncpg.Connection[asyncpg.Record]", query: Query
) -> list[dict[str, Any]]:
    """The plan for any arguments, node by node."""
    await connection.execute(f"PREPARE any_arguments AS {query.text}")
    nulls = ", ".join(["NULL"] * await connection.fetchval(ARGUMENTS))
    call = f"any_arguments({nulls})" if nulls else "any_arguments"
    try:
        text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {call}")
    finally:
        await connection.execute("DEALLOCATE any_arguments")
    return list(nodes(msgspec.json.decode(text)[0]["Plan"]))


@pytest.fixture(scope="module")
async def plans(large: Large) -> dict[str, list[dict[str, Any]]]:
    connection = await large.connect()
    found = {name: await plan_of(connection, query) for name, query in QUERIES.items()}
    await connection.close()
    return found


async def test_no_prepared_plan_reads_a_table_from_end_to_end(
    plans: dict[str, list[dict[str, Any]]],
) -> None:
    # Every named query but those that want everything; catalogs and empty tables are small.
    offenders = [
        f"{name}: {node['Relation Name']}"
        for name, plan in plans.items()
        if name not in WHOLE | FILTERED
        for node in plan
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
    ]
    assert offenders == [], "\n".join(offenders)


async def test_the_exceptions_exist() -> None:
    # The list only shrinks.
    assert set(QUERIES) >= WHOLE
    assert len(set(QUERIES) - WHOLE - FILTERED) > 50
    assert len(BIG) >= 18


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_query_has_its_index(plans: dict[str, list[dict[str, Any]]], name: str) -> None:
    # By name, so that an index that stops serving is noticed before it is slow.
    used = [node["Index Name"] for node in plans[name] if "Index Name" in node]
    assert any(HOT[name] in index for index in used), used


@pytest.mark.parametrize("name", SET_BASED)
async def test_a_set_is_not_gone_through_once_for_each_of_its_rows(
    plans: dict[str, list[dict[str, Any]]], name: str
) -> None:
    # How many a statement is given nobody knows when it is planned; a guess of ten makes two sets
    # of two hundred forty thousand pairs. Each row finds its partner by an index, by halves, or in
    # a table of hashes that is made once.
    inner = [
        below["Node Type"]
        for node in plans[name]
        if node["Node Type"] == "Nested Loop"
        for child in node["Plans"]
        if child["Parent Relationship"] == "Inner"
        for below in nodes(child)
    ]
    assert not {"CTE Scan", "Function Scan"} & set(inner), inner


@pytest.mark.parametrize("name", OFTEN)
async def test_a_hot_statement_is_planned_once(large: Large, name: str) -> None:
    # With one thing in each of its arrays a plan for just that one looks cheaper than it is: it
    # would be made again for every call, and takes longer than the statement.
    connection = await large.connect()
    await connection.execute("RESET plan_cache_mode")
    context = await connection.fetchval("SHOW bursar.context")
    query, arguments = QUERIES[name], OFTEN[name](uuid_of(large.org.id), context)
    async with connection.transaction():
        for _ in range(USES):
            await connection.fetch(query.text, *arguments)
        plans = await connection.fetchrow(COUNTED, query.text)
    await connection.close()
    assert plans is not None
    assert (plans["custom_plans"], plans["generic_plans"]) == (BEFORE_ONE_FOR_ALL, 5)


async def test_whoever_enters_together_plans_once(large: Large) -> None:
    # Also what has no array: a plan for one organization's few rows is made for every convoy anew,
    # where it looks cheaper than that for all. Afterwards the session is as it was.
    connection = await large.connect()
    await connection.execute("RESET plan_cache_mode")
    context = await connection.fetchval("SHOW bursar.context")
    enter = QUERIES["runtime/convoys/enter_each"].text
    async with connection.transaction():
        await connection.fetch(enter, context, [None], [None], [None], uuid_of(large.org.id), [])
        assert await connection.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    assert await connection.fetchval("SHOW plan_cache_mode") == "auto"
    await connection.close()


async def read_whole(large: Large) -> dict[str, int]:
    """How many rows were read by going through tables from end to end, so far."""
    await asyncio.sleep(FLUSH_SECONDS)
    owner = await large.house.as_owner()
    rows = await owner.fetch(
        "SELECT schemaname || '.' || relname AS name, seq_tup_read FROM pg_stat_all_tables"
        " WHERE schemaname IN ('public', 'queue', 'sec', 'directory')"
    )
    await owner.close()
    return {row["name"]: row["seq_tup_read"] for row in rows}


async def journey(large: Large) -> None:
    """Everything the first paid invoice takes, and the lists people look at, in both sizes."""
    world, org = large.world, await large.world.org()
    for _ in range(7):  # prepared statements settle on their plans
        invoice = await org.invoice(await org.customer())
        await org.pay(invoice.id)
    await world.drain()
    page = Page(size=50, is_cursor=True)
    for each in (org, large.org):
        for _ in range(7):
            await each.caller.look(customers.customers, page, customers.CustomerFilters())
            await each.caller.look(invoices.invoices, page, invoices.InvoiceFilters())
            await each.caller.look(payments.payments, page, payments.PaymentFilters())
    draft = await large.org.draft(await large.org.customer(None))
    await large.org.caller.look(invoices.timeline, draft.id)
    async with world.app.database.machine() as connection:
        await doors.find_api_keys(connection, [[b"x" * 32]])
        await doors.lags(connection)
        await doors.unsealed_orgs(connection, 10)


async def test_a_journey_reads_no_table_from_end_to_end(large: Large) -> None:
    # Counted by PostgreSQL itself, the functions of sec included.
    before = await read_whole(large)
    await journey(large)
    after = await read_whole(large)
    read = {name: after[name] - before.get(name, 0) for name in after}
    assert {name: count for name, count in read.items() if count > READ_MAX} == {}


async def test_reading_a_table_whole_would_be_noticed(large: Large) -> None:
    # The negative control: one such question is counted.
    before = await read_whole(large)
    connection = await large.connect()
    await connection.fetchval("SELECT count(*) FROM customers WHERE name LIKE '%x%'")
    await connection.close()
    after = await read_whole(large)
    assert after["public.customers"] - before["public.customers"] >= ROWS
