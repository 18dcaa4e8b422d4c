"""`bursar audit archive`: a month of the log, written to files that prove themselves, and let go.

First the files, on the disk for good; then, in one transaction, the month goes and what was
written is noted. Whatever stops it in between, the month is still there.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bursar.cli.audit_export import LINK, archived
from bursar.cli.desk import Yes, confirm, desk, operator
from bursar.cli.failing import Misused
from bursar.cli.output import Output, show_list
from bursar.domain.ids import OrgId
from bursar.domain.times import Period
from bursar.runtime.app import App
from bursar.runtime.archives import ArchiveFile, MonthStays, archivist
from bursar.runtime.installation import database_of

_COLUMNS = ("orgId", "file", "links", "sha256")
_MODE = 0o600


def archive(
    context: typer.Context,
    *,
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Which, such as 2026-01.")],
    to: Annotated[Path, typer.Option(help="The folder for the files.")],
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Write a month of everybody's log to files and take it out of the database.

    A file for each organization: links, words and signed heads, as `bursar audit export` writes
    them. Seals stay, so the chain goes on. Runs as the owner of the tables
    (`MIGRATION_DATABASE_URL`). Keep the files: nobody can make them again.
    """
    confirm(f"Take {month:%Y-%m} out of the database?", is_agreed=yes)
    to.mkdir(parents=True, exist_ok=True)

    async def act(app: App) -> list[ArchiveFile]:
        return await _archived(app, _whole(month), to)

    try:
        files = desk(context).with_app(act)
    except MonthStays as stays:
        raise Misused(str(stays)) from None
    rows = [
        {
            "orgId": file.org_id,
            "file": str(_path(to, file.org_id, month)),
            "links": file.link_count,
            "sha256": file.digest.hex(),
        }
        for file in files
    ]
    show_list(rows, _COLUMNS, output)


async def _archived(app: App, month: Period, to: Path) -> list[ArchiveFile]:
    async with database_of(app.settings) as urls:
        if urls.owner is None:
            raise Misused("MIGRATION_DATABASE_URL is not set: only the tables' owner may do this.")
        async with archivist(urls.owner) as owner:
            files = [
                await _written(_path(to, org_id, month.start), app, org_id, month)
                for org_id in await owner.told_in(month)
            ]
            await owner.let_go(month, files)
    return files


async def _written(path: Path, app: App, org_id: OrgId, month: Period) -> ArchiveFile:
    """A file that is on the disk when this returns, how much is in it, and its digest."""
    digest, link_count = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        async for line in archived(operator(app, org_id), month):
            link_count += line.startswith(LINK)
            digest.update(line + b"\n")
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return ArchiveFile(org_id, link_count, digest.digest())


def _path(to: Path, org_id: OrgId, month: datetime) -> Path:
    return to / f"{org_id}-{month:%Y-%m}.jsonl"


def _whole(month: datetime) -> Period:
    start = month.replace(tzinfo=UTC)
    year, number = divmod(start.year * 12 + start.month, 12)
    return Period(start, start.replace(year=year, month=number + 1))
