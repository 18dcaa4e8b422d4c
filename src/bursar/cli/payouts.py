"""`bursar payout`: what the payment processor sent to the bank."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, an_id, desk
from bursar.cli.narrowing import OldestFirst, Since, Until, utc
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import PayoutId
from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.shapes.payouts import PayoutOut
from bursar.reads.payouts import PayoutFilters, payout, payouts

group = typer.Typer(help="Payouts.", no_args_is_help=True)

_COLUMNS = ("id", "status", "amountCents", "feeCents", "currency", "arrivesAt")


@group.command("list")
def list_payouts(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[PayoutStatus] | None, typer.Option(help="Only these.")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List payouts, newest first."""
    filters = PayoutFilters(
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(payouts, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([PayoutOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_payout(
    context: typer.Context, payout_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one payout."""
    known = PayoutId(an_id(payout_id, prefix="po", name="payout_id"))
    found = desk(context).ask(lambda caller: caller.look(payout, known), org=org)
    show_one(PayoutOut.of(found), output)
