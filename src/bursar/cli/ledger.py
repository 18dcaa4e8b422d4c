"""`bursar ledger`: the accounts with what they hold, and what was booked on them."""

from typing import Annotated, Final

import typer

from bursar.cli.desk import ROWS, Limit, Org, desk
from bursar.cli.narrowing import At, OldestFirst, utc
from bursar.cli.output import Output, show_list
from bursar.domain.frozen import replace
from bursar.domain.ledger import AccountBalance
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.shapes.ledger import AccountOut, PostingOut
from bursar.domain.times import Instant
from bursar.reads.ledger import PostingFilters, accounts, postings
from bursar.runtime.app import Caller

group = typer.Typer(help="The books.", no_args_is_help=True)

_ACCOUNTS: Final = ("id", "code", "kind", "balanceCents", "currency")
_POSTINGS: Final = ("id", "kind", "description", "sourceId", "entries", "occurredAt")


@group.command("accounts")
def list_accounts(
    context: typer.Context,
    *,
    org: Org = None,
    at: At = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List the accounts with their balances, by code."""
    held = desk(context).ask(lambda caller: _held(caller, limit, utc(at)), org=org)
    show_list([AccountOut.of(each) for each in held], _ACCOUNTS, output)


async def _held(caller: Caller, limit: int, at: Instant | None) -> tuple[AccountBalance, ...]:
    """Page after page, each by its number: accounts are sorted by code, which is no cursor."""
    page, found = Page(size=SIZE_MAX), list[AccountBalance]()
    while True:
        shown = await caller.look(accounts, page, at)
        found += shown.items
        if shown.next_cursor is None or len(found) >= limit:
            return tuple(found[:limit])
        page = replace(page, number=page.number + 1)


@group.command("postings")
def list_postings(
    context: typer.Context,
    *,
    org: Org = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Only because of this: inv_…, pay_… or another.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Only on this account, by its code.")
    ] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List the postings with their entries, newest first."""
    filters = PostingFilters(source_id=source, account_code=account)
    found = desk(context).gather(
        lambda caller, page: caller.look(postings, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([PostingOut.of(each) for each in found], _POSTINGS, output)
