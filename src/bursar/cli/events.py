"""`bursar event` and `bursar audit`: what was told, and who did what."""

import sys
from typing import Annotated

import typer

from bursar.cli.audit_archive import archive
from bursar.cli.audit_export import exported
from bursar.cli.desk import ROWS, Limit, Org, an_id, desk, gather
from bursar.cli.failing import Exit
from bursar.cli.narrowing import OldestFirst, Since, Until, utc
from bursar.cli.output import Output, show_list
from bursar.domain.event_log import LoggedEvent
from bursar.domain.ids import EventId, scope_of
from bursar.domain.paging import SIZE_MAX, Paged
from bursar.domain.people import AuthEvent
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.events import AuditOut, EventOut
from bursar.domain.shapes.sessions import AuthEventOut
from bursar.reads.events import AuditFilters, FeedFilters, audit, events, newest_events
from bursar.reads.sessions import auth_history
from bursar.reads.users import user_of_email
from bursar.reads.verify import chain
from bursar.runtime.app import Caller

event_group = typer.Typer(help="The event feed.", no_args_is_help=True)
audit_group = typer.Typer(help="The audit log.", no_args_is_help=True)

audit_group.command("archive")(archive)

_EVENT_COLUMNS = ("id", "type", "createdAt", "sequence")
_AUDIT_COLUMNS = ("createdAt", "actor", "action", "resourceId", "reason")
_DOOR_COLUMNS = ("recordedAt", "actor", "action", "address", "reason")
_CHECK_COLUMNS = ("name", "counted", "offenders")


@event_group.command("list")
def list_events(
    context: typer.Context,
    *,
    org: Org = None,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only these.")] = None,
    resource: Annotated[str | None, typer.Option(help="Of what: an id.")] = None,
    actor: Annotated[str | None, typer.Option(help="By whom, as the log spells it.")] = None,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Looking back.")] = False,
    after: Annotated[str | None, typer.Option(help="Go on after this event (evt_…).")] = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List public events, oldest first."""
    filters = FeedFilters(
        types=tuple(kind or ()),
        resource_id=None if resource is None else _of_some_noun(resource),
        actor=actor,
    )

    async def page(caller: Caller, cursor: EventId | None, size: int) -> Paged[LoggedEvent]:
        if newest_first:
            return await caller.look(newest_events, after=cursor, limit=size, filters=filters)
        return await caller.look(events, after=cursor, limit=size, filters=filters)

    async def act(caller: Caller) -> list[LoggedEvent]:
        found: list[LoggedEvent] = []
        cursor = None if after is None else EventId(an_id(after, prefix="evt", name="--after"))
        while len(found) < limit:
            size = min(SIZE_MAX, limit - len(found))
            shown = await page(caller, cursor, size)
            found += shown.items
            if len(shown.items) < size or shown.next_cursor is None:
                break
            cursor = EventId(shown.next_cursor)
        return found

    found = desk(context).ask(act, org=org)
    show_list([EventOut.of(each) for each in found], _EVENT_COLUMNS, output)


@audit_group.command("query")
def query_audit(
    context: typer.Context,
    *,
    org: Org = None,
    actor: Annotated[str | None, typer.Option(help="Who, as the log spells it.")] = None,
    action: Annotated[str | None, typer.Option(help="What, such as invoice.finalized.")] = None,
    resource: Annotated[str | None, typer.Option(help="Of what: an id.")] = None,
    kind: Annotated[
        str | None, typer.Option("--resource-type", help="Of what kind, such as invoice.")
    ] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List everything that was done, newest first."""
    filters = AuditFilters(
        resource_type=kind,
        resource_id=None if resource is None else _of_some_noun(resource),
        actor=actor,
        action=action,
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(audit, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([AuditOut.of(each) for each in found], _AUDIT_COLUMNS, output)


@audit_group.command("person")
def query_person(
    context: typer.Context, email: str, *, limit: Limit = ROWS, output: Output = None
) -> None:
    """List what somebody did to their own account, newest first."""

    async def act(caller: Caller) -> tuple[AuthEvent, ...]:
        whose = await caller.look(user_of_email, email.lower())
        if whose is None:
            raise NotFound(f"Nobody has the address {email}.")
        scoped = caller.as_org(scope_of(whose))
        return await gather(lambda page: scoped.look(auth_history, page), limit)

    found = desk(context).ask_nowhere(act)
    show_list([AuthEventOut.of(each) for each in found], _DOOR_COLUMNS, output)


@audit_group.command("verify")
def verify_audit(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """Follow the hash chain over the log from its first link; exit 9 when it is broken."""
    check = desk(context).ask(lambda caller: caller.look(chain), org=org)
    show_list([check], _CHECK_COLUMNS, output)
    if not check.is_good:
        raise typer.Exit(Exit.PROBLEMS)


@audit_group.command("export")
def export_audit(context: typer.Context, *, org: Org = None) -> None:
    """Write the chain, its signed heads and the keys that sign them, a JSON line each.

    It is checked without Bursar and without a database by `docs/guides/check_audit.py`.
    """
    output = sys.stdout.buffer

    async def act(caller: Caller) -> None:
        async for line in exported(caller):
            output.write(line + b"\n")

    desk(context).ask(act, org=org)
    output.flush()


def _of_some_noun(text: str) -> str:
    return an_id(text, prefix=text.partition("_")[0], name="--resource")
