"""`bursar member`: the people of an organization, and the operators of this installation."""

from typing import Annotated, Final

import typer

from bursar.cli.desk import Org, Reason, Yes, an_id, confirm, desk, operator
from bursar.cli.output import Output, Quiet, say, show_list, show_one
from bursar.domain.access import Role
from bursar.domain.ids import MemberId
from bursar.domain.orgs import Colleague
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.shapes.orgs import ColleagueOut, MemberOut
from bursar.operations.members import (
    ChangeRole,
    InviteMember,
    NameOperator,
    RemoveMember,
    change_role,
    invite_member,
    name_operator,
    remove_member,
)
from bursar.reads.members import members
from bursar.runtime.app import App, Caller

group = typer.Typer(help="Members of an organization.", no_args_is_help=True)

_COLUMNS: Final = ("id", "email", "name", "role", "status", "createdAt")

RoleGiven = Annotated[Role, typer.Option("--role", help="What they are.")]


def _member(text: str) -> MemberId:
    return MemberId(an_id(text, prefix="mem", name="member_id"))


@group.command("list")
def list_people(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """List the members of an organization and whoever is invited, first come first."""

    async def act(caller: Caller) -> list[Colleague]:
        found: list[Colleague] = []
        number = 1
        while True:
            shown = await caller.look(members, Page(number=number, size=SIZE_MAX))
            found += shown.items
            if len(shown.items) < SIZE_MAX:
                return found
            number += 1

    found = desk(context).ask(act, org=org)
    show_list([ColleagueOut.of(each) for each in found], _COLUMNS, output)


@group.command("invite")
def invite(
    context: typer.Context,
    email: str,
    *,
    role: RoleGiven = Role.VIEWER,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Invite somebody by mail."""
    command = InviteMember(email, role)
    invited = desk(context).ask(
        lambda caller: caller.run(invite_member, command), org=org, reason=reason
    )
    show_one(MemberOut.of(invited), output)


@group.command("role")
def role_of(
    context: typer.Context,
    member_id: str,
    *,
    role: RoleGiven,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Give a member another role."""
    command = ChangeRole(_member(member_id), role)
    done = desk(context).ask(
        lambda caller: caller.run(change_role, command), org=org, reason=reason
    )
    show_one(MemberOut.of(done), output)


@group.command("remove")
def remove(
    context: typer.Context,
    member_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Remove a member, or take an invitation back."""
    command = RemoveMember(_member(member_id))
    confirm(f"Remove {member_id}?", is_agreed=yes)
    done = desk(context).ask(
        lambda caller: caller.run(remove_member, command), org=org, reason=reason
    )
    show_one(MemberOut.of(done), output)


@group.command("operator")
def name_an_operator(
    context: typer.Context,
    email: str,
    *,
    no_longer: Annotated[bool, typer.Option("--no-longer", help="Take it back.")] = False,
    quiet: Quiet = False,
) -> None:
    """Make somebody an operator of this installation: what belongs to no organization is theirs."""
    command = NameOperator(email, is_operator=not no_longer)

    async def act(app: App) -> None:
        await operator(app, None).run(name_operator, command)

    desk(context).with_app(act)
    state = "is no longer" if no_longer else "is"
    say(f"{email} {state} an operator of this installation.", is_quiet=quiet)
