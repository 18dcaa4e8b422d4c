"""`/v1/ledger`: the books, read only."""

from typing import Annotated

from msgspec import Meta

from bursar.api.envelope import all_of
from bursar.api.fields import NoQuery
from bursar.api.paging import ListQuery, PageQuery, numbered, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.shapes.ledger import AccountOut, PostingOut, TrialBalanceOut
from bursar.reads.ledger import PostingFilters, accounts, postings, trial_balance
from bursar.runtime.idempotency import Answer

ROOM = Room("Ledger", prefix="/v1/ledger", about="Double entry, append only.")

Word = Annotated[str, Meta(min_length=1, max_length=200)]


class PostingQuery(ListQuery, frozen=True):
    """Which postings; `sourceId` is what caused one, `account` the code of an account."""

    source_id: Word | None = None
    account: Word | None = None


@ROOM.get(
    "/accounts",
    Terms(needs=Permission.LEDGER_READ, gives=AccountOut, is_list=True, query=PageQuery),
)
async def list_accounts(call: Call[None, PageQuery]) -> Answer:
    """List the accounts with their balances, by code."""
    page = numbered(call.query)
    return piece(call.caller, page, await call.caller.look(accounts, page), AccountOut.of)


@ROOM.get(
    "/postings",
    Terms(needs=Permission.LEDGER_READ, gives=PostingOut, is_list=True, query=PostingQuery),
)
async def list_postings(call: Call[None, PostingQuery]) -> Answer:
    """List the postings with their entries, newest first; each sums to zero."""
    query, page = call.query, pages(call.caller, call.query)
    filters = PostingFilters(source_id=query.source_id, account_code=query.account)
    return piece(call.caller, page, await call.caller.look(postings, page, filters), PostingOut.of)


@ROOM.get(
    "/trial-balance",
    Terms(needs=Permission.LEDGER_READ, gives=TrialBalanceOut, is_list=True),
)
async def get_trial_balance(call: Call[None, NoQuery]) -> Answer:
    """Get the trial balance: one per currency, debits and credits equal."""
    held = await call.caller.look(trial_balance)
    return all_of(TrialBalanceOut.of(held))
