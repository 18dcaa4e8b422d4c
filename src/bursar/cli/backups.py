"""`bursar backup`: a copy of everything, proven by bringing it back.

A backup is worth what its restore is: unless told otherwise, each one is brought back into a
scratch folder at once, and the books, the documents and the log in it are verified there.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from bursar.cli.desk import Desk, desk
from bursar.cli.failing import Exit
from bursar.cli.output import Quiet, say
from bursar.cli.restoring import Folder, Unproven, key_note, put_back, require_embedded
from bursar.cli.verifying import Finding, show_findings, verified
from bursar.domain.frozen import replace
from bursar.runtime import backups, logging, restores
from bursar.runtime import embedded_files as files
from bursar.runtime.backups import BackupFailed, Source
from bursar.runtime.continuous import ContinuousBackup
from bursar.runtime.installation import anchors_path, database_of
from bursar.runtime.schema import newest_revision
from bursar.runtime.settings import Settings
from bursar.runtime.stopping import Stop, until_stopped

_SUPERUSER: Final = "postgres"


def back_up(
    context: typer.Context,
    folder: Folder,
    *,
    continuous: Annotated[
        bool,
        typer.Option(
            "--continuous", help="Go on until SIGTERM; no commit is answered before it is here."
        ),
    ] = False,
    no_verify: Unproven = False,
    quiet: Quiet = False,
) -> None:
    """Copy the database and what belongs to it into an empty folder, and prove the copy."""
    at = desk(context)
    require_embedded(at.settings)
    logging.configure(level="warning", is_development=not at.settings.is_production)
    if continuous:
        asyncio.run(until_stopped(lambda stop: _follow(at.settings, folder, stop)))
        return
    asyncio.run(_take(at.settings, folder))
    say(f"backed up into {folder}", is_quiet=quiet)
    if not no_verify:
        _show(asyncio.run(_proven(at, folder)), is_quiet=quiet)


async def _take(settings: Settings, folder: Path) -> None:
    async with database_of(settings):
        await backups.take(_source(settings), folder)


async def _follow(settings: Settings, folder: Path, stop: Stop) -> None:
    """Follow until a signal, which cancels; what was begun is put right on the way out."""
    following = ContinuousBackup(folder, lambda: _source(settings), say)
    task = asyncio.create_task(following.run())
    with stop.meaning(task.cancel), suppress(asyncio.CancelledError):
        await task


async def _proven(at: Desk, folder: Path) -> list[Finding]:
    """Bring it back into a folder of its own, where nothing of this installation is touched."""
    scratch = Path(tempfile.mkdtemp(prefix="bursar-restore-", dir=folder.parent))
    try:
        elsewhere = replace(at.settings, data_dir=scratch)
        await put_back(at.settings, restores.find(folder), into=scratch)
        async with at.programs.opened(elsewhere, "verify") as app:
            return await verified(app, has_books=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _show(found: Sequence[Finding], *, is_quiet: bool) -> None:
    if not show_findings(found, None, is_quiet=is_quiet):
        raise typer.Exit(Exit.PROBLEMS)


def _source(settings: Settings) -> Source:
    """The embedded server, where it is just now."""
    paths = files.paths_of(settings.data_dir / "postgres")
    try:
        state = files.load(paths.state)
    except (OSError, files.StateUnusable):
        raise BackupFailed(f"{paths.home} holds no database just now.") from None
    return Source(
        url=state.url(_SUPERUSER),
        home=paths.home,
        kept={restores.ANCHORS: anchors_path(settings), restores.STATE: paths.state},
        revision=newest_revision(),
        secret_key=key_note(settings),
    )
