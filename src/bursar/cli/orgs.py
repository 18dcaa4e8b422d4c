"""`bursar org`: the organizations of this installation."""

import typer

from bursar.cli.desk import Org, Output, desk, operator
from bursar.cli.output import show_list, show_one
from bursar.domain.orgs import Organization
from bursar.domain.shapes.orgs import OrganizationOut
from bursar.reads.orgs import organization
from bursar.runtime import doors
from bursar.runtime.app import App

group = typer.Typer(help="Organizations.", no_args_is_help=True)

_COLUMNS = ("id", "name", "currency", "mode", "createdAt")


@group.command("list")
def list_orgs(context: typer.Context, *, output: Output = None) -> None:
    """List every organization, oldest first."""

    async def act(app: App) -> list[Organization]:
        async with app.database.machine() as connection:
            known = await doors.org_ids(connection)
        return [await operator(app, org_id).look(organization) for org_id in known]

    found = desk(context).with_app(act)
    show_list([OrganizationOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_org(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """Show one organization with its settings."""
    found = desk(context).ask(lambda caller: caller.look(organization), org=org)
    show_one(OrganizationOut.of(found), output)
