"""Brings a backup back as the embedded database of a data directory.

Owns the order: everything is copied beside its place, then renamed, so that a kill leaves either
nothing or the whole of it. It never starts the server: whoever opens the database does, and the
server then replays what was received after the copy, and goes on in a history of its own.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from typing import Final

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.runtime import clock
from bursar.runtime import embedded_files as files
from bursar.runtime.backups import (
    CLUSTER,
    KEPT,
    NOTE,
    WAL_SEGMENT_DIGITS,
    BackupFailed,
    Note,
    check_files,
    read_note,
    write_whole,
)
from bursar.runtime.embedded import EmbeddedPostgres
from bursar.runtime.file_lock import LockBusy, exclusively
from bursar.runtime.system_user import NoSystemUser, SystemUser, own, unprivileged_user

COPY: Final = "copy"
WAL: Final = "wal"
ANCHORS: Final = "anchors.jsonl"
STATE: Final = "embedded.json"

_LOCK_SECONDS: Final = 30
_PARTIAL: Final = ".partial"
_HISTORY: Final = ".history"
_TIMELINE_DIGITS: Final = 8
# Archive recovery asks an archive first; ours stands in the server's own folder already. Nobody is
# let in before it has ended: a server that only reads would be taken for one that is up.
_RECOVERY: Final = "restore_command = 'false'\nhot_standby = off\n"
_NOT_BROUGHT_BACK: Final = (
    "synchronous_standby_names",
    "restore_command",
    "recovery_target",
    "hot_standby",
)
_LEFT_OUT: Final = shutil.ignore_patterns("postmaster.pid", "postmaster.opts")


class Backup(Struct, frozen=True):
    """A backup as it was found: the copy, and what was received after it, if anything was."""

    copy: Path
    note: Note
    wal: Path | None
    anchors: Path


def find(folder: Path) -> Backup:
    """The backup in a folder; of a continuous one, its newest whole copy.

    Raises:
        BackupFailed: there is none.
    """
    if (folder / NOTE).exists():
        return Backup(folder, read_note(folder), None, folder / KEPT / ANCHORS)
    for generation in generations(folder):
        if (generation / COPY / NOTE).exists():
            note = read_note(generation / COPY)
            return Backup(generation / COPY, note, generation / WAL, folder / ANCHORS)
    raise BackupFailed(f"{folder} holds no whole backup.")


def generations(folder: Path) -> list[Path]:
    """The copies of a continuous backup with what was received after each, newest first."""
    if not folder.is_dir():
        return []
    found = (each for each in folder.iterdir() if (each / WAL).is_dir())
    return sorted(found, key=lambda each: each.name, reverse=True)


async def check(backup: Backup, *, secret_key: str) -> None:
    """Refuse what could not be brought back, before anything is touched.

    Raises:
        BackupFailed: another secret key, a file that is not what it was, or a gap in what was
            received after the copy.
    """
    if not compare_digest(backup.note.secret_key, secret_key):
        raise BackupFailed(
            "this backup was made under another SECRET_KEY; give that one, "
            "or put its file secret_key into DATA_DIR first."
        )
    await check_files(backup.copy, backup.note)
    _require_unbroken(backup)


async def restore(backup: Backup, data_dir: Path, *, is_replacing: bool) -> None:
    """Put the database, and what stood beside it, into a data directory.

    Raises:
        BackupFailed: a database is there and is not to be replaced, or its server runs.
    """
    paths = files.paths_of(data_dir / "postgres")
    try:
        paths.make_home()
        async with exclusively(paths.lock, timeout_seconds=_LOCK_SECONDS):
            _require_free(paths, is_replacing=is_replacing)
            await asyncio.to_thread(_put, backup, paths)
            _put_anchors(backup, data_dir / ANCHORS)
    except (LockBusy, NoSystemUser, files.StateUnusable) as refused:
        raise BackupFailed(str(refused)) from None
    except OSError as failed:
        raise BackupFailed(f"cannot use {failed.filename}: {failed.strerror}.") from failed


def _require_free(paths: files.Paths, *, is_replacing: bool) -> None:
    if not paths.cluster.exists():
        return
    if not is_replacing:
        raise BackupFailed(
            f"{paths.cluster} holds a database; say --replace to set it aside for this backup."
        )
    if EmbeddedPostgres(paths.home).pid() is not None:
        raise BackupFailed(f"the server of {paths.cluster} runs; stop Bursar first.")


def _put(backup: Backup, paths: files.Paths) -> None:
    user = unprivileged_user(paths.cluster)
    shutil.rmtree(paths.draft, ignore_errors=True)
    shutil.copytree(backup.copy / CLUSTER, paths.draft, ignore=_LEFT_OUT)
    if backup.wal is not None:
        for source, name in _received(backup.wal, backup.note.first_segment).items():
            shutil.copyfile(source, paths.draft / "pg_wal" / name)
        (paths.draft / "recovery.signal").touch(mode=0o600)
    _write_own_settings(paths.draft, is_recovering=backup.wal is not None)
    _give(paths.draft, user)
    state = _state(backup, paths)
    if paths.cluster.exists():
        stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
        paths.cluster.rename(paths.home / f"postgres.before-{stamp}")
    files.save(paths, state)
    paths.draft.rename(paths.cluster)
    files.sync_folder(paths.home)


def _state(backup: Backup, paths: files.Paths) -> files.State:
    """Who logs in how; the socket stays where it was when the database comes back to its place."""
    kept = files.load(backup.copy / KEPT / STATE)
    if backup.note.home == str(paths.home):
        return kept
    return replace(kept, socket_dir=files.new_socket_dir(paths.home))


def _received(wal: Path, first_segment: str) -> Mapping[Path, str]:
    """What must be replayed after the copy, by the name the server looks for."""
    found: dict[Path, str] = {}
    for path in sorted(wal.iterdir()):
        name = path.name.removesuffix(_PARTIAL)
        is_asked = path.suffix == _HISTORY or _is_at_or_after(name, first_segment)
        if is_asked and (name == path.name or not (wal / name).exists()):
            found[path] = name
    return found


def _is_at_or_after(name: str, first: str) -> bool:
    if len(name) != WAL_SEGMENT_DIGITS:
        return False
    is_later = name[_TIMELINE_DIGITS:] >= first[_TIMELINE_DIGITS:]
    return is_later and name[:_TIMELINE_DIGITS] >= first[:_TIMELINE_DIGITS]


def _require_unbroken(backup: Backup) -> None:
    """No segment between the first and the last may be missing: what is behind it is lost."""
    if backup.wal is None:
        return
    names = _received(backup.wal, backup.note.first_segment).values()
    numbers = sorted({_number(name) for name in names if len(name) == WAL_SEGMENT_DIGITS})
    if numbers and numbers[0] > _number(backup.note.first_segment):
        raise BackupFailed(f"{backup.wal} begins after the copy it belongs to.")
    if numbers and len(numbers) <= numbers[-1] - numbers[0]:
        raise BackupFailed(f"{backup.wal} lacks segments between its first and its last.")


def _number(name: str) -> int:
    """A segment as a number that rises by one: 256 of them, 4 GiB, make one of the upper half."""
    return int(name[8:16], 16) * 256 + int(name[16:], 16)


def _write_own_settings(cluster: Path, *, is_recovering: bool) -> None:
    """Keep what ALTER SYSTEM said, but nobody waits for the backup of the server that is gone."""
    path = cluster / "postgresql.auto.conf"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    kept = [line for line in lines if not line.strip().startswith(_NOT_BROUGHT_BACK)]
    if is_recovering:
        kept.append(_RECOVERY)
    path.unlink(missing_ok=True)
    files.write_private(path, "".join(kept).encode())


def _give(tree: Path, user: SystemUser | None) -> None:
    tree.chmod(0o700)
    for root, _, names in os.walk(tree):
        own(Path(root), user)
        for name in names:
            own(Path(root, name), user)


def _put_anchors(backup: Backup, place: Path) -> None:
    """Signed heads go back unless those in place reach further: the file only ever grows."""
    if not backup.anchors.is_file():
        return
    kept = backup.anchors.read_bytes()
    if not place.exists() or place.stat().st_size < len(kept):
        write_whole(place, kept)
