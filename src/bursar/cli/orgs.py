"""`bursar org`: the organizations of this installation."""

from typing import Annotated

import typer

from bursar.cli.desk import Org, Reason, Yes, confirm, desk, operator
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.currencies import Currency, UnknownCurrency, currency
from bursar.domain.orgs import Mode, Organization
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.domain.shapes.orgs import OrganizationOut
from bursar.operations.orgs import (
    CreateOrganization,
    DeleteOrganization,
    UpdateOrganization,
    create_organization,
    delete_organization,
    update_organization,
)
from bursar.reads.orgs import organization
from bursar.reads.users import user_of_email
from bursar.runtime import doors
from bursar.runtime.app import App

group = typer.Typer(help="Organizations.", no_args_is_help=True)

_COLUMNS = ("id", "name", "currency", "mode", "createdAt", "deletedAt")


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


@group.command("create")
def create_org(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option()],
    owner: Annotated[str, typer.Option(help="The e-mail address of whoever will own it.")],
    currency_code: Annotated[str, typer.Option("--currency")] = "usd",
    mode: Annotated[Mode, typer.Option(help="Only a live one touches real money.")] = Mode.SANDBOX,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Found an organization for somebody who is registered."""
    known = _currency(currency_code)

    async def act(app: App) -> Organization:
        caller = operator(app, None, reason=reason)
        found = await caller.look(user_of_email, owner.lower())
        if found is None:
            raise NotFound(f"Nobody has the address {owner}.")
        command = CreateOrganization(owner=found, name=name, currency=known, mode=mode)
        return await caller.run(create_organization, command)

    show_one(OrganizationOut.of(desk(context).with_app(act)), output)


@group.command("rename")
def rename_org(
    context: typer.Context,
    name: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Give an organization another name."""
    command = UpdateOrganization({"name": name})
    done = desk(context).ask(
        lambda caller: caller.run(update_organization, command), org=org, reason=reason
    )
    show_one(OrganizationOut.of(done), output)


@group.command("delete")
def delete_org(
    context: typer.Context,
    *,
    org: Annotated[str, typer.Option("--org", help="The organization (org_…), by its full id.")],
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Delete an organization in which nothing is open; its books and its log stay."""
    confirm(f"Delete {org}?", is_agreed=yes)
    done = desk(context).ask(
        lambda caller: caller.run(delete_organization, DeleteOrganization()),
        org=org,
        reason=reason,
    )
    show_one(OrganizationOut.of(done), output)


def _currency(text: str) -> Currency:
    try:
        return currency(text)
    except UnknownCurrency as unknown:
        raise InvalidInput.at("--currency", str(unknown), "unknown_value") from None
