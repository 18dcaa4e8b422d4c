"""Looks at the books: accounts with what they hold, postings with their entries."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.domain.ledger import AccountBalance, BookedPosting
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.rows import row_to_account, row_to_posting
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)

ACCOUNTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingFilters:
    """Which postings; what is None filters nothing. `source_id` is what caused a posting."""

    source_id: str | None = None
    account_code: str | None = None


@query(requires=Permission.LEDGER_READ)
async def accounts(tx: ReadTx, page: Page) -> Paged[AccountBalance]:
    """The accounts with their balances, by code; always by page number."""
    assert not page.is_cursor, "accounts are sorted by code"
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(Q.accounts, org_id, page.fetched, page.offset)
    count = await tx.fetchval(Q.count_accounts, org_id, COUNTED_MAX)
    return paged([*map(row_to_account, rows)], page, total_count=count)


@query(requires=Permission.LEDGER_READ)
async def trial_balance(tx: ReadTx) -> tuple[AccountBalance, ...]:
    """Every account with its balance, by code: the whole of them sums to zero per currency."""
    rows = await tx.fetch(Q.accounts, uuid_of(tx.org_id), ACCOUNTS_MAX, 0)
    assert len(rows) < ACCOUNTS_MAX, "a trial balance that leaves accounts out proves nothing"
    return tuple(map(row_to_account, rows))


@query(requires=Permission.LEDGER_READ)
async def postings(tx: ReadTx, page: Page, filters: PostingFilters) -> Paged[BookedPosting]:
    """The postings with their entries, newest first."""
    org_id, wanted = uuid_of(tx.org_id), (filters.source_id, filters.account_code)
    rows = await tx.fetch(Q.postings, org_id, page.after, page.fetched, page.offset, *wanted)
    count = 0
    if not page.is_cursor:
        count = await tx.fetchval(Q.count_postings, org_id, COUNTED_MAX, *wanted)
    entries: defaultdict[object, list[Record]] = defaultdict(list)
    for entry in await tx.fetch(Q.entries, org_id, [row["id"] for row in rows]):
        entries[entry["transaction_id"]].append(entry)
    found = [row_to_posting(row, entries[row["id"]]) for row in rows]
    return paged(found, page, total_count=count)
