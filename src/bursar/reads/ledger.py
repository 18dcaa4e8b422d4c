"""Looks at the books: accounts with what they hold, postings with their entries."""

from collections import defaultdict
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import AccountId, uuid_of
from bursar.domain.ledger import AccountBalance, BookedPosting, StatementLine
from bursar.domain.money import Money
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_account, row_to_posting, row_to_statement_line
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)

ACCOUNTS_MAX: Final = 100_000


class PostingFilters(Struct, frozen=True, kw_only=True):
    """Which postings; what is None filters nothing. `source_id` is what caused a posting."""

    source_id: str | None = None
    account_code: str | None = None


@query(requires=Permission.LEDGER_READ)
async def accounts(tx: ReadTx, page: Page, at: Instant | None = None) -> Paged[AccountBalance]:
    """The accounts by code, with what they hold now or held at an instant; by page number."""
    assert not page.is_cursor, "accounts are sorted by code"
    rows = await _accounts(tx, page.fetched, page.offset, at)
    count = await tx.fetchval(Q.count_accounts, uuid_of(tx.org_id), COUNTED_MAX)
    return paged(rows, page, total_count=count)


@query(requires=Permission.LEDGER_READ)
async def trial_balance(tx: ReadTx, at: Instant | None = None) -> tuple[AccountBalance, ...]:
    """Every account with its balance, by code: the whole of them sums to zero per currency."""
    rows = await _accounts(tx, ACCOUNTS_MAX, 0, at)
    assert len(rows) < ACCOUNTS_MAX, "a trial balance that leaves accounts out proves nothing"
    return tuple(rows)


@query(requires=Permission.LEDGER_READ)
async def statement(tx: ReadTx, account_id: AccountId, page: Page) -> Paged[StatementLine]:
    """What happened on an account, newest first, each with the balance right after it.

    Raises:
        NotFound: no such account in this organization.
    """
    org_id, known = uuid_of(tx.org_id), uuid_of(account_id)
    row = await tx.fetchrow(Q.account, org_id, known)
    if row is None:
        raise NotFound(f"No account {account_id}.")
    account = row_to_account(row).account
    rows = await tx.fetch(Q.statement, org_id, known, page.after, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_statement, org_id, known, COUNTED_MAX)
    held = await tx.fetchval(Q.held_after, org_id, known, rows[0]["id"]) if rows else 0
    lines = []
    for each in rows:
        lines.append(row_to_statement_line(each, account, Money(held, account.currency)))
        held -= each["amount_minor"]
    return paged(lines, page, total_count=count)


@query(requires=Permission.LEDGER_READ)
async def postings(tx: ReadTx, page: Page, filters: PostingFilters) -> Paged[BookedPosting]:
    """The postings with their entries, newest first."""
    org_id, wanted = uuid_of(tx.org_id), (filters.source_id, filters.account_code)
    rows = await tx.fetch(
        Q.postings.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_postings, org_id, COUNTED_MAX, *wanted)
    entries: defaultdict[object, list[Record]] = defaultdict(list)
    for entry in await tx.fetch(Q.entries, org_id, [row["id"] for row in rows]):
        entries[entry["transaction_id"]].append(entry)
    found = [row_to_posting(row, entries[row["id"]]) for row in rows]
    return paged(found, page, total_count=count)


async def _accounts(
    tx: ReadTx, limit: int, offset: int, at: Instant | None
) -> list[AccountBalance]:
    window = uuid_of(tx.org_id), limit, offset
    rows = await (
        tx.fetch(Q.accounts, *window) if at is None else tx.fetch(Q.accounts_at, *window, at)
    )
    return [row_to_account(row) for row in rows]
