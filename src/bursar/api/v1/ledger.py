"""`/v1/ledger`: the books, read only."""

from typing import Annotated

from msgspec import Meta

from bursar.api.envelope import all_of
from bursar.api.fields import Moment, Query
from bursar.api.paging import ListQuery, NewestQuery, PageQuery, numbered, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import AccountId
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.ledger import AccountOut, PostingOut, StatementLineOut, TrialBalanceOut
from bursar.reads.ledger import PostingFilters, accounts, postings, statement, trial_balance
from bursar.runtime.idempotency import Answer

ROOM = Room("Ledger", prefix="/v1/ledger", about="Double entry, append only.")

Word = Annotated[str, Meta(min_length=1, max_length=200)]


class PostingQuery(ListQuery, frozen=True):
    """Which postings; `sourceId` is what caused one, `account` the code of an account."""

    source_id: Word | None = None
    account: Word | None = None


class AccountQuery(PageQuery, frozen=True):
    """Which page of the accounts; `at` tells what they held at an instant of business time."""

    at: Moment | None = None


class TrialBalanceQuery(Query, frozen=True):
    """`at` tells the balance at an instant of business time; without it, now."""

    at: Moment | None = None


@ROOM.get(
    "/accounts",
    Terms(needs=Permission.LEDGER_READ, gives=AccountOut, is_list=True, query=AccountQuery),
)
async def list_accounts(call: Call[None, AccountQuery]) -> Answer:
    """List the accounts with their balances, by code."""
    page, at = numbered(call.query), Moment.plainly(call.query.at)
    return piece(call.caller, page, await call.caller.look(accounts, page, at), AccountOut.of)


@ROOM.get(
    "/accounts/{accountId}/statement",
    Terms(
        needs=Permission.LEDGER_READ,
        gives=StatementLineOut,
        is_list=True,
        query=NewestQuery,
        refuses=(NotFound,),
    ),
)
async def list_statement(call: Call[None, NewestQuery]) -> Answer:
    """List what happened on an account, newest first, each with the balance right after it."""
    page, account_id = pages(call.caller, call.query), AccountId(call.id("accountId"))
    shown = await call.caller.look(statement, account_id, page)
    return piece(call.caller, page, shown, StatementLineOut.of)


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
    Terms(
        needs=Permission.LEDGER_READ,
        gives=TrialBalanceOut,
        is_list=True,
        query=TrialBalanceQuery,
    ),
)
async def get_trial_balance(call: Call[None, TrialBalanceQuery]) -> Answer:
    """Get the trial balance: one per currency, debits and credits equal."""
    held = await call.caller.look(trial_balance, Moment.plainly(call.query.at))
    return all_of(TrialBalanceOut.of(held))
