"""`bursar saved-view`: the lists of the console that people share with their organization.

Whoever sits at a terminal is no member and has no views of their own; those of others, unless they
are shared, are not theirs to see.
"""

from typing import Annotated, Final

import typer

from bursar.cli.desk import ROWS, Limit, Org, desk
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, show_list
from bursar.domain.shapes.saved_views import SavedViewOut
from bursar.reads.saved_views import saved_views

group = typer.Typer(help="Saved views of the console.", no_args_is_help=True)

_COLUMNS: Final = ("id", "name", "list", "query", "createdAt")


@group.command("list")
def list_views(
    context: typer.Context,
    *,
    org: Org = None,
    of: Annotated[
        str | None, typer.Option("--list", help="Only of this list, such as invoices.")
    ] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List the shared views, newest first."""
    found = desk(context).gather(
        lambda caller, page: caller.look(saved_views, page, of),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([SavedViewOut.of(each, None) for each in found], _COLUMNS, output)
