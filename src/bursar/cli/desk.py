"""Where a command meets the application: settings, organization, actor, and one event loop.

Commands run the same verbs and look through the same reads as the API, as `cli:<user>`.
"""

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Final, TypeVar

import typer

from bursar.cli.agreeing import require_agreement
from bursar.cli.failing import Misused
from bursar.cli.programs import Programs
from bursar.domain.access import Operator
from bursar.domain.currencies import EXPONENTS, Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import MalformedId, OrgId, parse_id, uuid_of
from bursar.domain.paging import SIZE_MAX, Found, Page, Paged
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.runtime import doors, logging
from bursar.runtime.app import App, Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.installation import settings_here
from bursar.runtime.settings import Settings

Result = TypeVar("Result")
Act = Callable[[Caller], Awaitable[Result]]

_ROWS: Final = 50

Org = Annotated[str | None, typer.Option("--org", help="The organization (org_…).")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the audit log.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
ROWS: Final = _ROWS


@dataclass
class Desk:
    """What every command has at hand."""

    programs: Programs

    @cached_property
    def settings(self) -> Settings:
        """This installation's settings.

        Raises:
            SettingsInvalid: a variable is missing or wrong.
        """
        return settings_here()

    def with_app(self, act: Callable[[App], Awaitable[Result]]) -> Result:
        """Run something with the application, quietly but for warnings."""
        logging.configure(level="warning", is_development=not self.settings.is_production)

        async def run() -> Result:
            async with self.programs.opened(self.settings, "cli") as app:
                return await act(app)

        return asyncio.run(run())

    def ask_nowhere(self, act: Act[Result]) -> Result:
        """Run something as the operator, in no organization: about the installation or a person."""
        return self.with_app(lambda app: act(operator(app, None)))

    def ask(
        self,
        act: Act[Result],
        *,
        org: str | None = None,
        reason: str | None = None,
        is_dry_run: bool = False,
    ) -> Result:
        """Run something as the operator, in the organization named or the only one there is."""

        async def run(app: App) -> Result:
            org_id = await _org(app, org)
            return await act(operator(app, org_id, reason=reason, is_dry_run=is_dry_run))

        return self.with_app(run)

    def gather(
        self,
        look: Callable[[Caller, Page], Awaitable[Paged[Found]]],
        limit: int,
        *,
        org: str | None = None,
        is_oldest_first: bool = False,
    ) -> tuple[Found, ...]:
        """List what there is in an organization, newest first unless asked, up to the limit."""

        async def act(caller: Caller) -> tuple[Found, ...]:
            return await gather(partial(look, caller), limit, is_oldest_first=is_oldest_first)

        return self.ask(act, org=org)


def desk(context: typer.Context) -> Desk:
    """The desk of this command, with what the root command handed over."""
    programs = context.find_object(Programs)
    assert programs is not None, "the root command hands them over"
    return Desk(programs)


def operator(
    app: App, org_id: OrgId | None, *, reason: str | None = None, is_dry_run: bool = False
) -> Caller:
    """Whoever sits at this terminal."""
    return Caller(
        app=app,
        org_id=org_id,
        actor=Operator(_user_name()),
        request_id=str(new_uuid()),
        reason=reason,
        is_dry_run=is_dry_run,
    )


def an_id(text: str, *, prefix: str, name: str) -> str:
    """The text, if it is an id of this noun.

    Raises:
        InvalidInput: it is not.
    """
    try:
        parse_id(prefix, text=text)
    except MalformedId as malformed:
        raise InvalidInput.at(name, str(malformed), "malformed_id") from None
    return text


def known_currency(text: str | None) -> Currency | None:
    """The currency of this code, if one is given.

    Raises:
        InvalidInput: there is none.
    """
    if text is None or text in EXPONENTS:
        return None if text is None else Currency(text)
    raise InvalidInput.at("--currency", "expected a code such as usd", "unknown_value")


async def gather(
    look: Callable[[Page], Awaitable[Paged[Found]]], limit: int, *, is_oldest_first: bool = False
) -> tuple[Found, ...]:
    """Page after page, newest first unless asked, up to the limit."""
    found: list[Found] = []
    page = Page(size=min(limit, SIZE_MAX), is_cursor=True, is_oldest_first=is_oldest_first)
    while True:
        shown = await look(page)
        found += shown.items
        if shown.next_cursor is None or len(found) >= limit:
            return tuple(found[:limit])
        after = uuid_of(shown.next_cursor)
        page = replace(page, size=min(limit - len(found), SIZE_MAX), after=after)


def confirm(question: str, *, is_agreed: bool) -> None:
    """Ask before something that cannot be taken back; without a terminal nobody can be asked.

    Raises:
        Misused: nobody agreed, and nobody can be asked.
    """
    require_agreement(question, is_agreed=is_agreed)


async def _org(app: App, given: str | None) -> OrgId:
    async with app.database.machine() as connection:
        known = await doors.org_ids(connection)
    if given is not None:
        found = OrgId(an_id(given, prefix="org", name="--org"))
        if found not in known:
            raise NotFound(f"No organization {found}.")
        return found
    if len(known) != 1:
        raise Misused(f"there are {len(known)} organizations; name one with --org.")
    return known[0]


def _user_name() -> str:
    """Who runs this, by the system's word and not by a variable anybody can set."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
