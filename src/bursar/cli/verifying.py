"""`bursar verify`: everything that must agree, for every organization, with what was looked at.

Three witnesses: the database against itself, our books against the processor's own, and the event
chain against the signed heads that were kept outside the database.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hmac import compare_digest
from typing import Annotated, Final

import typer
from msgspec import Struct

from bursar.cli.desk import an_id, desk, operator
from bursar.cli.failing import Exit
from bursar.cli.output import Format, Output, Quiet, say, show_list
from bursar.domain.ids import OrgId
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.payments import PaymentStatus
from bursar.domain.provider import BookedCharge, CircuitOpen, Unknown
from bursar.domain.refusals import NotFound
from bursar.domain.verification import Check, Collected, compared
from bursar.reads.orgs import organization
from bursar.reads.payments import PaymentFilters, payments
from bursar.reads.verify import checks, collected, kept_hashes
from bursar.runtime import clock, doors
from bursar.runtime.anchors import Anchor, Anchors
from bursar.runtime.app import App, Caller
from bursar.runtime.installation import anchors_path

BOOKS: Final = "the processor's own books agree"
HEADS: Final = "the event chain agrees with its signed heads"
_COLUMNS: Final = ("check", "verdict", "counted", "offenders", "orgId")
_OPEN: Final = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)
_TRIES: Final = 3
_PAUSE_SECONDS: Final = 1.0
_UNDERWAY: Final = timedelta(hours=1)


class Finding(Struct, frozen=True):
    """One check of one organization."""

    org_id: OrgId
    check: Check

    def row(self) -> dict[str, object]:
        """As it is printed."""
        return {
            "orgId": self.org_id,
            "check": self.check.name,
            "verdict": "ok" if self.check.is_good else "PROBLEM",
            "counted": self.check.counted,
            "offenders": list(self.check.offenders),
        }


def verify(
    context: typer.Context,
    *,
    org: Annotated[
        list[str] | None, typer.Option("--org", help="Only this one (org_…); repeatable.")
    ] = None,
    no_books: Annotated[
        bool, typer.Option("--no-books", help="Do not ask the processor for its books.")
    ] = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Check that the books, the documents, the log and the processor agree; exit 9 if not."""
    wanted = [OrgId(an_id(each, prefix="org", name="--org")) for each in org or ()]

    async def act(app: App) -> list[Finding]:
        return await verified(app, wanted, has_books=not no_books)

    if not show_findings(desk(context).with_app(act), output, is_quiet=quiet):
        raise typer.Exit(Exit.PROBLEMS)


def show_findings(found: Sequence[Finding], output: Format | None, *, is_quiet: bool) -> bool:
    """Print what was found, and say whether all of it is good."""
    show_list([finding.row() for finding in found], _COLUMNS, output)
    bad = [finding for finding in found if not finding.check.is_good]
    orgs = len({finding.org_id for finding in found})
    verdict = f"{len(bad)} PROBLEMS" if bad else "all green"
    say(f"{len(found)} checks over {orgs} organizations: {verdict}", is_quiet=is_quiet)
    for finding in bad:
        named = ", ".join(finding.check.offenders)
        say(f"  {finding.org_id}: {finding.check.name}: {named}", is_quiet=is_quiet)
    return not bad


async def verified(
    app: App, wanted: Sequence[OrgId] = (), *, has_books: bool = True
) -> list[Finding]:
    """Every check of these organizations, or of all; the processor's books only when asked for."""
    async with app.database.machine() as connection:
        known = await doors.org_ids(connection)
    if unknown := set(wanted) - set(known):
        raise NotFound(f"No organization {min(unknown)}.")
    heads: dict[str, list[Anchor]] = {}
    for head in Anchors(anchors_path(app.settings), app.keys).heads():
        heads.setdefault(head.org, []).append(head)
    found: list[Finding] = []
    for org_id in wanted or known:
        caller = operator(app, org_id)
        within = await caller.look(checks)
        books = await _books(caller) if has_books else []
        chain = await _heads(caller, heads.get(org_id, []))
        found += [Finding(org_id, check) for check in (*within, *books, chain)]
    return found


async def _books(caller: Caller) -> list[Check]:
    """Our books beside the provider's; what differs is looked at again, for money may be moving."""
    mode = (await caller.look(organization)).mode
    provider = caller.app.providers.get(mode)
    if provider is None:
        ours = await caller.look(collected)
        return [_unproven(ours, "its processor is not configured")] if ours else []
    check = Check(BOOKS, 0)
    assert caller.org_id is not None
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE_SECONDS)
        ours = tuple(one for one in await caller.look(collected) if one.provider == provider.name)
        try:
            theirs: tuple[BookedCharge, ...] | Unknown = await provider.booked_charges(
                caller.org_id
            )
        except CircuitOpen as away:
            theirs = Unknown(str(away))
        if isinstance(theirs, Unknown):
            check = _unproven(ours, theirs.reason)
            continue
        check = compared(ours, theirs, BOOKS)
        if check.is_good:
            return [check]
    underway = await _underway(caller)
    left = tuple(each for each in check.offenders if each.split()[0] not in underway)
    return [Check(BOOKS, check.counted, left)]


async def _underway(caller: Caller) -> frozenset[str]:
    """Attempts that may still settle: the watchdog asks about them, within the hour."""
    since = clock.now() - _UNDERWAY
    filters = PaymentFilters(statuses=_OPEN, created_from=since)
    shown = await caller.look(payments, Page(size=SIZE_MAX), filters)
    return frozenset(each.id for each in shown.items)


async def _heads(caller: Caller, heads: Sequence[Anchor]) -> Check:
    kept: dict[int, bytes] = {}
    if heads:
        kept = await caller.look(kept_hashes, [head.position for head in heads])
    offenders = [
        f"position {head.position} {'differs' if head.position in kept else 'is gone'}"
        for head in heads
        if not compare_digest(kept.get(head.position, b"").hex(), head.hash)
    ]
    return Check(HEADS, len(heads), tuple(offenders))


def _unproven(ours: Sequence[Collected], why: str) -> Check:
    return Check(BOOKS, len(ours), (f"its books could not be read: {why}",))
