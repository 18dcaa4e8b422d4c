"""What the database refuses, whoever writes: unbalanced books, rewritten history, moved rows.

The owner passes row-level security, so what stops the owner is not a grant but the table.
"""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import Struct
from tests.support.database import Installation
from tests.support.world import World

from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

HISTORY = ("events", "events_default", "ledger_transactions", "ledger_entries", "event_seals")
REWRITES = {
    "update": "UPDATE {} SET org_id = org_id",
    "delete": "DELETE FROM {}",
    "truncate": "TRUNCATE {} CASCADE",
}
TRANSACTION = (
    "INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)"
    " VALUES ($1, $2, 'by_hand', 'x', 'x', now())"
)


class Books(Struct, frozen=True):
    """A ledger transaction by hand, and two accounts of one currency."""

    owner: Connection
    org: UUID
    transaction: UUID
    accounts: list[UUID]

    async def post(self, *amounts: tuple[int, str]) -> None:
        """One statement that writes these entries, in turn over the two accounts."""
        await self.owner.execute(
            "INSERT INTO ledger_entries"
            " (org_id, transaction_id, position, account_id, amount_minor, currency)"
            " SELECT $1, $2, e.place, ($3::uuid[])[1 + e.place % 2], e.amount, e.currency"
            " FROM unnest($4::bigint[], $5::text[]) WITH ORDINALITY AS e (amount, currency, place)",
            *(self.org, self.transaction, self.accounts),
            *([amount for amount, _ in amounts], [currency for _, currency in amounts]),
        )


@pytest.fixture
async def books(world: World) -> AsyncIterator[Books]:
    org = await world.org()
    await org.invoice(await org.customer())
    owner = await world.house.as_owner()
    rolled_back = owner.transaction()
    await rolled_back.start()
    org_id, transaction = uuid_of(org.id), uuid4()
    await owner.execute(TRANSACTION, org_id, transaction)
    rows = await owner.fetch("SELECT id FROM ledger_accounts WHERE org_id = $1 LIMIT 2", org_id)
    yield Books(owner, org_id, transaction, [row["id"] for row in rows])
    await rolled_back.rollback()
    await owner.close()


async def test_a_balanced_posting_is_taken(books: Books) -> None:
    # Or the refusals below would prove nothing.
    await books.post((100, "usd"), (-100, "usd"))
    await books.owner.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "amounts",
    [
        [(100, "usd")],
        [(100, "usd"), (-99, "usd")],
        [(100, "usd"), (-100, "eur")],
        [(100, "usd"), (100, "usd")],
        [(1, "usd"), (-1, "usd"), (2**53 - 1, "usd")],
    ],
    ids=["alone", "a cent off", "two currencies", "same side", "largest amount"],
)
async def test_an_unbalanced_posting_is_refused(
    books: Books, amounts: list[tuple[int, str]]
) -> None:
    # Whoever writes it by hand, and however: the statement fails.
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await books.post(*amounts)


@pytest.mark.parametrize("amount", [0, 2**53, -(2**53)])
async def test_an_amount_out_of_range_is_refused(books: Books, amount: int) -> None:
    # Beyond 2^53 - 1 amounts would not be exact everywhere; nothing is no entry.
    with pytest.raises(asyncpg.CheckViolationError, match="amount_minor"):
        await books.post((amount, "usd"), (-amount, "usd"))


@pytest.mark.parametrize(
    ("said", "elsewhere"),
    [
        ("ledger_entry_has_transaction", {"transaction": uuid4()}),
        ("ledger_entry_has_account", {"org": uuid4()}),
        ("ledger_entry_has_account", {"accounts": [uuid4(), uuid4()]}),
        ("ledger_entry_has_account", {"currency": "eur"}),
    ],
    ids=["no such transaction", "not its organization", "no such account", "another currency"],
)
async def test_entries_name_what_exists(
    books: Books, said: str, elsewhere: dict[str, object]
) -> None:
    # No foreign key looks after them row by row; the statement's trigger does for all of them.
    currency = str(elsewhere.get("currency", "usd"))
    if "org" in elsewhere:  # its transaction, and nobody's accounts
        await books.owner.execute(TRANSACTION, elsewhere["org"], books.transaction)
    named: Any = {name: value for name, value in elsewhere.items() if name != "currency"}
    aside = replace(books, **named)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await aside.post((100, currency), (-100, currency))
    assert getattr(refused.value, "constraint_name", None) == said


@pytest.mark.parametrize("column", ["closing_before", "folded_before"])
async def test_closed_books_take_no_entry(books: Books, column: str) -> None:
    # Of an account that is closed up to a moment, or carried forward, nothing earlier is posted.
    is_closing = column == "closing_before"
    await books.owner.execute(
        "INSERT INTO ledger_folds VALUES ($1, $2, 0, 0, $3, $4, $5::text::xid8)",
        *(books.org, books.accounts[0], UUID(int=0) if is_closing else UUID(int=2**128 - 1)),
        *((UUID(int=2**128 - 1), "3") if is_closing else (None, None)),
    )
    with pytest.raises(asyncpg.CheckViolationError, match="closed for that time") as refused:
        await books.post((100, "usd"), (-100, "usd"))
    assert refused.value.constraint_name == "ledger_books_closed"


async def test_copy_is_counted_too(books: Books) -> None:
    # COPY is one statement like another.
    row = (books.org, books.transaction, 1, books.accounts[0], 5, "usd")
    columns = ["org_id", "transaction_id", "position", "account_id", "amount_minor", "currency"]
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await books.owner.copy_records_to_table("ledger_entries", records=[row], columns=columns)


async def test_the_same_move_is_booked_once(books: Books) -> None:
    # Kind and source name a move, for ever.
    with pytest.raises(asyncpg.UniqueViolationError):
        await books.owner.execute(TRANSACTION, books.org, uuid4())


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("table", HISTORY)
async def test_history_cannot_be_rewritten(house: Installation, table: str, rewrite: str) -> None:
    # Not even by the owner of the tables, and not by the side door of a partition.
    for connection in (await house.as_owner(), await asyncpg.connect(house.app_url)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(REWRITES[rewrite].format(table))
        await connection.close()


async def test_partitions_of_coming_months_are_guarded(house: Installation) -> None:
    # Every month's partition, and those that will be made, refuse like the first.
    owner = await house.as_owner()
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("CALL sec.extend_events(20)")
    rows = await owner.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        " WHERE inhparent = 'events'::regclass"
    )
    assert len(rows) == 22
    for row in rows:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            async with owner.transaction():
                await owner.execute(f"DELETE FROM {row['name']}")
    await transaction.rollback()
    await owner.close()


async def test_no_row_changes_its_organization(house: Installation, world: World) -> None:
    # The owner passes every policy, and still cannot move a row.
    here, there = await world.org(), await world.org()
    await here.customer()
    owner = await house.as_owner()
    for table in ("organizations", "members", "customers"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="cannot change"):
            await owner.execute(
                f"UPDATE {table} SET org_id = $2 WHERE org_id = $1",
                *(uuid_of(here.id), uuid_of(there.id)),
            )
    await owner.close()
