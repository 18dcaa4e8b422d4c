"""`bursar meter`: what is counted."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, desk
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.meters import Aggregation
from bursar.domain.shapes.meters import MeterOut
from bursar.operations.meters import DefineMeter, define_meter
from bursar.reads.meters import meters

group = typer.Typer(help="Meters.", no_args_is_help=True)

_COLUMNS = ("id", "key", "name", "aggregation", "property")


@group.command("list")
def list_meters(
    context: typer.Context,
    *,
    org: Org = None,
    key: Annotated[str | None, typer.Option(help="Only the one with this name.")] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List meters, newest first."""
    found = desk(context).gather(
        lambda caller, page: caller.look(meters, page, key),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([MeterOut.of(each) for each in found], _COLUMNS, output)


@group.command("create")
def create_one_meter(
    context: typer.Context,
    *,
    key: Annotated[str, typer.Option(help="Its name in your code: api_calls.")],
    name: Annotated[str, typer.Option()],
    aggregation: Annotated[Aggregation, typer.Option()] = Aggregation.SUM,
    property_name: Annotated[
        str | None, typer.Option("--property", help="Where an event says the value.")
    ] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Define a meter; what it means never changes."""
    command = DefineMeter(name=name, key=key, aggregation=aggregation, property_name=property_name)
    made = desk(context).ask(
        lambda caller: caller.run(define_meter, command), org=org, reason=reason
    )
    show_one(MeterOut.of(made), output)
