"""`bursar import`: customers and opening balances from files of any length.

A file is taken over in parts, each in one commit; whoever stops it begins it anew, and what is
there already is left alone. The rows that could not be taken are listed by number and field.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, desk
from bursar.cli.failing import Misused
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.cli.telling import Teller, told
from bursar.domain.frozen import replace
from bursar.domain.import_files import FileFormat, RowFault, parted
from bursar.domain.imports import Import
from bursar.domain.shapes.imports import ImportOut, RowFaultOut
from bursar.operations.imports import ImportFile, import_customers, import_opening_balances
from bursar.reads.imports import imports
from bursar.runtime.app import Caller, Operation

group = typer.Typer(help="Taking over customers and balances.", no_args_is_help=True)

PART_ROWS: Final = 100  # so that all faults of a part are kept
_COLUMNS: Final = ("id", "kind", "createdCount", "unchangedCount", "failedCount", "createdAt")
_FAULTS: Final = ("row", "field", "message", "code")

File = Annotated[Path, typer.Argument(help="The file; `-` for stdin.")]
Form = Annotated[
    FileFormat | None, typer.Option("--as", help="How it is written; by its name otherwise.")
]


@dataclass
class _Sum:
    """What came of all parts."""

    created: int = 0
    unchanged: int = 0
    failed: int = 0
    faults: tuple[RowFault, ...] = ()

    def add(self, done: Import, begins_at: int) -> None:
        """One part more, whose rows are counted from here."""
        self.created += done.created
        self.unchanged += done.unchanged
        self.failed += done.failed
        moved = (replace(each, row=each.row + begins_at) for each in done.faults)
        self.faults = (*self.faults, *moved)


@group.command("customers")
def customers(
    context: typer.Context,
    file: File,
    *,
    form: Form = None,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Take over customers; a reference that came before is left alone."""
    found = _Given(file, form, org, reason)
    _show(_taken(context, import_customers, found, is_dry_run=dry_run, is_quiet=quiet), output)


@group.command("opening-balances")
def opening_balances(
    context: typer.Context,
    file: File,
    *,
    form: Form = None,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Take over what customers have to their credit, once each."""
    given = _Given(file, form, org, reason)
    done = _taken(context, import_opening_balances, given, is_dry_run=dry_run, is_quiet=quiet)
    _show(done, output)


@group.command("list")
def list_imports(
    context: typer.Context, *, org: Org = None, limit: Limit = ROWS, output: Output = None
) -> None:
    """List imports, newest first."""
    found = desk(context).gather(
        lambda caller, page: caller.look(imports, page, ()), limit, org=org
    )
    show_list([ImportOut.of(each) for each in found], _COLUMNS, output)


class _Given(Struct, frozen=True):
    """What to take over, and who says so."""

    file: Path
    form: FileFormat | None
    org: str | None
    reason: str | None

    @property
    def parts(self) -> list[ImportFile]:
        """The file in parts of one commit each."""
        form = self.form or _form_of(self.file)
        try:
            text = sys.stdin.read() if self.file == Path("-") else self.file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as failed:
            raise Misused(f"{self.file} cannot be read: {failed}") from failed
        return [ImportFile(form, each) for each in parted(text, form, PART_ROWS)]


def _form_of(file: Path) -> FileFormat:
    return FileFormat.CSV if file.suffix.lower() == ".csv" else FileFormat.JSONL


def _taken(
    context: typer.Context,
    verb: Operation[ImportFile, Import],
    given: _Given,
    *,
    is_dry_run: bool,
    is_quiet: bool,
) -> _Sum:
    parts = given.parts

    async def act(caller: Caller) -> _Sum:
        with told("importing", len(parts), is_quiet=is_quiet) as tell:
            return await _part_by_part(caller, verb, parts, tell)

    done = desk(context).ask(act, org=given.org, reason=given.reason, is_dry_run=is_dry_run)
    words = f"{done.created} created, {done.unchanged} there already, {done.failed} refused"
    say(words, is_quiet=is_quiet)
    return done


async def _part_by_part(
    caller: Caller, verb: Operation[ImportFile, Import], parts: list[ImportFile], tell: Teller
) -> _Sum:
    whole = _Sum()
    for number, part in enumerate(parts):
        whole.add(await caller.run(verb, part), number * PART_ROWS)
        tell.done(1)
    return whole


def _show(done: _Sum, output: Output) -> None:
    show_list([RowFaultOut.of(each) for each in done.faults], _FAULTS, output)
