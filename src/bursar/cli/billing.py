"""`bursar invoice run`: bill everything that is due now, in one organization or in all of them.

The same verb as the worker's, chunk after chunk, beside whatever workers there are: what somebody
else has in hand is theirs. On a terminal it says how far it is, how fast, and how long it will be.
"""

from typing import Annotated, Final

import typer
from msgspec import Struct

from bursar.cli.desk import DryRun, an_id, desk, operator
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.cli.telling import Teller, told
from bursar.domain.ids import OrgId
from bursar.operations.billing_runs import BillChunk, Chunk, bill_chunk
from bursar.runtime import doors
from bursar.runtime.app import App

_COLUMNS: Final = ("orgId", "due", "subscriptions", "invoices", "putOff")
_CHUNKS_MAX: Final = 1_000_000


class Run(Struct, frozen=True):
    """What was billed in one organization."""

    org_id: OrgId
    due: int
    done: Chunk

    def row(self) -> dict[str, object]:
        """As it is printed."""
        return {
            "orgId": self.org_id,
            "due": self.due,
            "subscriptions": self.done.subscriptions,
            "invoices": self.done.invoices,
            "putOff": self.done.put_off,
        }


def run_billing(
    context: typer.Context,
    *,
    org: Annotated[
        list[str] | None, typer.Option("--org", help="Only this one (org_…); repeatable.")
    ] = None,
    dry_run: DryRun = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Bill every subscription that is due now; a second run finds nothing to do.

    A dry run says how many are due, and what the next chunk of them would come to.
    """
    wanted = [OrgId(an_id(each, prefix="org", name="--org")) for each in org or ()]

    async def act(app: App) -> list[Run]:
        async with app.database.machine() as connection:
            orgs = wanted or await doors.org_ids(connection)
            due = {each: (await doors.billing_backlog(connection, each)).due for each in orgs}
        backlog = [(each, count) for each, count in due.items() if count]
        if dry_run:
            return [await _tried(app, each, count) for each, count in backlog]
        with told("billing", sum(due.values()), is_quiet=quiet) as tell:
            return [Run(each, count, await _run(app, each, tell)) for each, count in backlog]

    runs = desk(context).with_app(act)
    show_list([each.row() for each in runs], _COLUMNS, output)
    made = sum(each.done.invoices for each in runs)
    words = "would be made" if dry_run else "were made"
    say(f"{made} invoices {words} in {len(runs)} organizations", is_quiet=quiet)


async def _tried(app: App, org_id: OrgId, due: int) -> Run:
    """What the next chunk would come to; all of it is taken back."""
    caller = operator(app, org_id, is_dry_run=True)
    return Run(org_id, due, await caller.run(bill_chunk, BillChunk()))


async def _run(app: App, org_id: OrgId, tell: Teller) -> Chunk:
    """Chunk after chunk, until nothing is due that nobody else has in hand."""
    caller, whole = operator(app, org_id), Chunk(0, 0)
    for _ in range(_CHUNKS_MAX):
        chunk = await caller.run(bill_chunk, BillChunk())
        whole = whole.plus(chunk)
        tell.done(chunk.subscriptions)
        if not chunk.subscriptions + chunk.put_off:
            break
    return whole
