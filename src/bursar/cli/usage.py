"""`bursar usage`: what subscriptions use."""

import typer

from bursar.cli.desk import ROWS, Limit, Org, an_id, desk
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import SubscriptionId
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.shapes.usage import UsageEventOut, UsageSummaryOut
from bursar.domain.usage import UsageEvent
from bursar.reads.usage import usage_events, usage_summary
from bursar.runtime.app import Caller

group = typer.Typer(help="Usage.", no_args_is_help=True)

_COLUMNS = ("timestamp", "idempotencyKey", "quantity", "meterId")


@group.command("summary")
def show_summary(
    context: typer.Context, subscription_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Sum up the current period of a subscription, with the amount so far."""
    known = _id(subscription_id)
    found = desk(context).ask(lambda caller: caller.look(usage_summary, known, None), org=org)
    show_one(UsageSummaryOut.of(found), output)


@group.command("list")
def list_events(
    context: typer.Context,
    subscription_id: str,
    *,
    org: Org = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List the events of a subscription, the latest to happen first."""
    known = _id(subscription_id)

    async def act(caller: Caller) -> list[UsageEvent]:
        found: list[UsageEvent] = []
        for number in range(1, -(-limit // SIZE_MAX) + 1):
            page = Page(number=number, size=SIZE_MAX)
            shown = await caller.look(usage_events, known, page)
            found += shown.items
            if len(shown.items) < SIZE_MAX:
                break
        return found[:limit]

    found = desk(context).ask(act, org=org)
    show_list([UsageEventOut.of(each) for each in found], _COLUMNS, output)


def _id(text: str) -> SubscriptionId:
    return SubscriptionId(an_id(text, prefix="sub", name="subscription_id"))
