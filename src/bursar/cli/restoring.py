"""`bursar restore`: a backup back in its place, in as little time as copying it takes.

Nothing of the application is loaded before the database is there: everybody waits for it. What is
in it is verified by a child afterwards, which alone loads what that takes.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from bursar.cli.agreeing import require_agreement
from bursar.cli.entry import THE_REST, refuse_optimized
from bursar.cli.failing import Misused, explained
from bursar.runtime import restores
from bursar.runtime.settings import Settings, from_environment

_NOTE_LABEL: Final = "backup-note"

Folder = Annotated[Path, typer.Argument(resolve_path=True, help="The folder of the backup.")]
Unproven = Annotated[bool, typer.Option("--no-verify", help="Do not bring it back and verify it.")]

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def restore(
    folder: Folder,
    *,
    is_replacing: Annotated[
        bool, typer.Option("--replace", help="Set aside the database that is there.")
    ] = False,
    no_verify: Unproven = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Bring a backup back into DATA_DIR, which must hold no database, and verify it."""
    with explained():
        refuse_optimized()
        settings = from_environment()
        require_embedded(settings)
        if is_replacing:
            question = f"Replace the database in {settings.data_dir}?"
            require_agreement(question, is_agreed=yes)
        asyncio.run(put_back(settings, restores.find(folder), is_replacing=is_replacing))
        sys.stderr.write(f"restored into {settings.data_dir}\n")
        if not no_verify:
            raise typer.Exit(asyncio.run(_verified()))


async def _verified() -> int:
    """The exit status of `bursar verify`, run as a program of its own."""
    program = sys.executable, "-m", THE_REST, "verify", "--no-books"
    verifier = await asyncio.create_subprocess_exec(*program)
    return await verifier.wait()


async def put_back(
    settings: Settings,
    found: restores.Backup,
    *,
    into: Path | None = None,
    is_replacing: bool = False,
) -> None:
    """Into the data directory, or another folder.

    Raises:
        BackupFailed: it could not be brought back; what was there before is there still.
    """
    await restores.check(found, secret_key=key_note(settings))
    await restores.restore(found, into or settings.data_dir, is_replacing=is_replacing)


def key_note(settings: Settings) -> str:
    """By which the secret key is recognized; the key does not follow from it."""
    return settings.derived(_NOTE_LABEL).reveal()


def require_embedded(settings: Settings) -> None:
    """Refuse a server that somebody else keeps.

    Raises:
        Misused: DATABASE_URL names one.
    """
    if settings.database_url is not None:
        raise Misused(
            "DATABASE_URL names a server of your own: back it up with pg_basebackup and "
            "pg_receivewal, as docs/operations.md says."
        )


if __name__ == "__main__":
    command(args=sys.argv[2:], prog_name="bursar restore")
