"""Lists that grow are read through an index in their order: no look slows down with its table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.support.database import Installation

import bursar
from bursar.domain.ids import uuid_of
from bursar.domain.paging import Page
from bursar.domain.shapes.samples import CUSTOMER, ORGANIZATION
from bursar.runtime.sql import Query, beside

ORG, SOME = uuid_of(ORGANIZATION.id), uuid_of(CUSTOMER.id)
READS = Path(bursar.__file__).parent / "reads"


def query(file: str, name: str) -> Query:
    return next(one for one in beside(str(READS / file)) if one.name == name)


# The query, its arguments, and the index in whose order it is read.
PLANS: list[tuple[str, str, tuple[object, ...], str]] = [
    ("customers", "customers", (ORG, SOME, 21, 0, None, None, None, None), "customers_pkey"),
    ("invoices", "invoices", (ORG, SOME, 21, 0, *[None] * 8), "invoices_pkey"),
    (
        "invoices",
        "invoices",
        (ORG, None, 21, 0, *[None] * 5, [], ["INV-2026"], "%77%"),
        "invoices_pkey",
    ),
    ("plans", "plans", (ORG, SOME, 21, 0, None, None, None, None), "plans_pkey"),
    ("plans", "prices", (ORG, [SOME], [1]), "prices_"),
    (
        "subscriptions",
        "subscriptions",
        (ORG, SOME, 21, 0, None, None, None, None, None),
        "subscriptions_pkey",
    ),
    ("subscriptions", "waiting_lines", (ORG, SOME, SOME, 21, 0), "pending_lines_by_subscription"),
    ("meters", "meters", (ORG, SOME, 21, 0, None), "meters_pkey"),
    (
        "invoices",
        "invoices",
        (ORG, None, 21, 0, SOME, *[None] * 7),
        "invoices_by_customer",
    ),
    (
        "invoices",
        "invoices",
        (ORG, None, 21, 0, *[None] * 4, SOME, *[None] * 3),
        "invoices_by_subscription",
    ),
    (
        "recurring_invoices",
        "recurring_invoices",
        (ORG, None, 21, 0, SOME, None),
        "recurring_invoices_by_customer",
    ),
    ("invoices", "lines", (ORG, [SOME]), "invoice_lines"),
    ("saved_views", "views", (ORG, SOME, 21, 0, SOME, None), "saved_views_pkey"),
    ("saved_views", "views", (ORG, None, 51, 0, SOME, "invoices"), "saved_views_by_list"),
    ("payments", "payments", (ORG, SOME, 21, 0, *[None] * 6), "payments_pkey"),
    *(
        ("payments", "payments", (ORG, None, 26, 0, *told), index)
        for told, index in (
            ((SOME, *[None] * 5), "payments_by_invoice"),
            ((None, SOME, *[None] * 4), "payments_by_customer"),
            ((*[None] * 5, SOME), "payments_by_wallet"),
        )
    ),
    *(
        ("refunds", "refunds", (ORG, None, 26, 0, *told), index)
        for told, index in (
            ((None, SOME, *[None] * 4), "refunds_by_invoice"),
            ((None, None, SOME, *[None] * 3), "refunds_by_customer"),
        )
    ),
    ("disputes", "disputes", (ORG, None, 26, 0, SOME, *[None] * 3), "disputes_by_payment"),
    ("holds", "holds", (ORG, None, 26, 0, SOME, None), "holds_by_wallet"),
    ("wallets", "wallets", (ORG, None, 26, 0, SOME, *[None] * 4), "wallets_by_customer"),
    ("credit_notes", "credit_notes", (ORG, None, 26, 0, SOME, None), "credit_notes_by_invoice"),
    ("credit_notes", "credit_notes", (ORG, None, 26, 0, None, SOME), "credit_notes_by_customer"),
    ("ledger", "postings", (ORG, SOME, 21, 0, None, None), "ledger_transactions_pkey"),
    ("ledger", "entries", (ORG, [SOME]), "ledger_entries_pkey"),
    ("events", "audit", (ORG, SOME, 21, 0, None, None, None, None, None, None), "_pkey"),
    ("events", "feed", (ORG, SOME, 100, None, None, None), "_org_id_transaction_id_id_idx"),
    ("events", "feed_backward", (ORG, SOME, 26, *[None] * 3), "_org_id_transaction_id_id_idx"),
]
OLDEST_FIRST = Page(is_oldest_first=True)
LISTS = [each for each in PLANS if "$2::uuid IS NULL OR" in query(*each[:2]).text]


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


# An analysis under way ends first, and none begins: it writes what is put aside here.
STILL = """
    DO $$ BEGIN EXECUTE (
        SELECT format(
            'LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', string_agg(oid::regclass::text, ', ')
        )
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    ); END $$
"""
# What is known of the rows hangs on which tests ran before, and is put aside for a moment.
UNKNOWN = """
    DELETE FROM pg_statistic USING pg_class AS c
    WHERE c.oid = starelid AND c.relnamespace = 'public'::regnamespace
"""
# However few pages a table has by now: among few rows one index is as good as another.
LARGE = """
    UPDATE pg_class SET relpages = 1, reltuples = 100000
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


async def explained(house: Installation, text: str, arguments: tuple[object, ...]) -> Any:
    """How it would be read, were the tables large, and of nothing more than of anything else."""
    connection = await asyncpg.connect(house.superuser_url, database="bursar")
    aside = connection.transaction()
    await aside.start()
    try:
        for step in (STILL, UNKNOWN, LARGE):
            await connection.execute(step)
        # Small tables are scanned whole because they are small; that is not the question here.
        await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        await connection.execute("SET enable_sort = off")
        statement = await connection.prepare(text)
        ((plan, *_), *_) = [await statement.explain(*arguments)]
    finally:
        await aside.rollback()
        await connection.close()
    return plan["Plan"]


@pytest.mark.parametrize(("file", "name", "arguments", "index"), LISTS)
async def test_a_list_is_read_from_its_other_end(
    house: Installation, file: str, name: str, arguments: tuple[object, ...], index: str
) -> None:
    # Oldest first goes by the same index, only the other way.
    text = query(file, name).along(OLDEST_FIRST).text
    assert text != query(file, name).text
    found = [*nodes(await explained(house, text, arguments))]
    kinds = {node["Node Type"] for node in found}
    assert not kinds & {"Seq Scan", "Bitmap Heap Scan", "Sort"}, kinds
    assert any(index in node.get("Index Name", "") for node in found)


@pytest.mark.parametrize(("file", "name", "arguments", "index"), PLANS)
async def test_a_growing_list_is_read_in_order(
    house: Installation, file: str, name: str, arguments: tuple[object, ...], index: str
) -> None:
    # Where an index serves, nothing is scanned whole and nothing is sorted.
    text = query(file, name).text
    found = [*nodes(await explained(house, text, arguments))]
    kinds = {node["Node Type"] for node in found}
    assert not kinds & {"Seq Scan", "Bitmap Heap Scan"}, kinds
    used = [node["Index Name"] for node in found if "Index Name" in node]
    assert any(index in one for one in used), used
    assert "Sort" not in kinds or name in {"lines", "entries", "prices"}, kinds


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("type = ANY('{customer.updated}')", "type_idx"),
        ("type = 'customer.updated'", "type_idx"),
        ("occurred_at >= '2026-01-01' AND occurred_at < '2026-01-02'", "occurred_at_idx"),
    ],
)
async def test_what_leaves_little_of_the_log_is_found_by_summary(
    house: Installation, condition: str, index: str
) -> None:
    # What the filters of the feed and of the audit log compare can pass over pages of the log.
    connection = await house.as_owner()
    try:
        await connection.execute("SET enable_seqscan = off; SET enable_indexscan = off")
        statement = await connection.prepare(f"SELECT e.id FROM events AS e WHERE {condition}")
        ((plan, *_), *_) = [await statement.explain()]
    finally:
        await connection.close()
    used = [node["Index Name"] for node in nodes(plan["Plan"]) if "Index Name" in node]
    assert used
    assert all(one.endswith(index) for one in used), used
