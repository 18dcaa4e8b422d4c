"""A copy of the whole database in a folder, and what a restore must know about it.

Owns the folder's form: `cluster` is PostgreSQL's own base backup, `kept` holds what stands beside
the database, and `bursar.json`, written last, says what it is a copy of. A folder without that file
is no backup. The secret key is never in it: only a note by which the right key is recognized.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec
from msgspec import Struct

from bursar.runtime import clock
from bursar.runtime.postgres_binaries import PostgresMissing, binaries
from bursar.runtime.postgres_commands import CommandStuck, in_one_line, run
from bursar.runtime.secret import Secret

CLUSTER: Final = "cluster"
KEPT: Final = "kept"
NOTE: Final = "bursar.json"
WAL_SEGMENT_DIGITS: Final = 24

_FORM: Final = 1
_MANIFEST: Final = "backup_manifest"
_MODE: Final = 0o700
_CONNECT_SECONDS: Final = 5
_COPY_SECONDS: Final = 6 * 3_600
_CHUNK_BYTES: Final = 1 << 20
_WHO: Final = (
    "SELECT s.system_identifier::text, c.timeline_id, "
    "(current_setting('server_version_num')::integer / 10000) AS major "
    "FROM pg_control_system() AS s, pg_control_checkpoint() AS c"
)
_START_LINE: Final = "START WAL LOCATION: "


class BackupFailed(Exception):
    """A backup could not be made, read or brought back; one line, fit for an operator."""


class Server(msgspec.Struct, frozen=True, rename="camel"):
    """Which cluster this is, and which of its histories it is on."""

    system_identifier: str
    timeline: int
    major: int


class Note(msgspec.Struct, frozen=True, rename="camel"):
    """What `bursar.json` says of a backup."""

    form: int
    server: Server
    revision: str
    made_at: datetime
    secret_key: str
    home: str
    first_segment: str
    kept: dict[str, str]


class _File(msgspec.Struct, frozen=True):
    """One file as PostgreSQL's manifest of a base backup knows it."""

    checksum: str = msgspec.field(name="Checksum")
    path: str = msgspec.field(name="Path", default="")
    encoded_path: str = msgspec.field(name="Encoded-Path", default="")


class _Manifest(msgspec.Struct, frozen=True):
    """PostgreSQL's manifest of a base backup."""

    files: list[_File] = msgspec.field(name="Files")
    checksum: str = msgspec.field(name="Manifest-Checksum")


class Source(Struct, frozen=True):
    """What is copied: the server by a login that may replicate, and the files beside it."""

    url: Secret
    home: Path
    kept: Mapping[str, Path]
    revision: str
    secret_key: str

    def login(self) -> tuple[str, dict[str, str]]:
        """The URL without its password, for a command line, and the password, for elsewhere."""
        return without_password(self.url)


async def take(source: Source, folder: Path) -> Note:
    """Copy everything into a folder that holds nothing yet.

    What stands beside the database is copied first: every signed head in the copy is then covered
    by the copy of the database.

    Raises:
        BackupFailed: the folder holds something, or a step failed; what was begun stays to be seen.
    """
    _require_empty(folder)
    server = await identity(source.url)
    kept = _copied(source.kept, folder / KEPT)
    cluster = folder / CLUSTER
    login, environment = source.login()
    flags = ("--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256")
    command = (program("pg_basebackup", server.major), f"--dbname={login}", f"--pgdata={cluster}")
    await _succeed((*command, *flags, "--no-password"), environment, seconds=_COPY_SECONDS)
    note = Note(
        form=_FORM,
        server=server,
        revision=source.revision,
        made_at=clock.now(),
        secret_key=source.secret_key,
        home=str(source.home),
        first_segment=_first_segment(cluster),
        kept=kept,
    )
    write_whole(folder / NOTE, msgspec.json.format(msgspec.json.encode(note), indent=1))
    return note


def read_note(folder: Path) -> Note:
    """What a backup says of itself.

    Raises:
        BackupFailed: it is none, an unfinished one, or one of a form this release does not know.
    """
    try:
        note = msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)
    except FileNotFoundError:
        raise BackupFailed(f"{folder} is no whole backup: it has no {NOTE}.") from None
    except (OSError, msgspec.DecodeError) as wrong:
        raise BackupFailed(f"{folder / NOTE} cannot be read: {wrong}.") from None
    if note.form != _FORM:
        raise BackupFailed(f"{folder} has form {note.form}; this release reads {_FORM}.")
    return note


async def check_files(folder: Path, note: Note) -> None:
    """Compare every file with what was written down when it was copied.

    Raises:
        BackupFailed: one is missing, more than there should be, or not what it was.
    """
    for name, digest in note.kept.items():
        path = folder / KEPT / name
        if not path.is_file() or not compare_digest(_digest(path), digest):
            raise BackupFailed(f"{path} is missing or not what it was.")
    await asyncio.to_thread(_check_cluster, folder / CLUSTER)


async def identity(url: Secret) -> Server:
    """Who answers there.

    Raises:
        BackupFailed: nobody, or one that does not let us in.
    """
    connection = await connected(url)
    try:
        row = await connection.fetchrow(_WHO)
    finally:
        connection.terminate()
    assert row is not None, "every server has a control file"
    return Server(row["system_identifier"], row["timeline_id"], row["major"])


async def connected(url: Secret) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of the login that backs up.

    Raises:
        BackupFailed: the server does not answer, or refuses the login.
    """
    try:
        return await asyncpg.connect(url.reveal(), timeout=_CONNECT_SECONDS, statement_cache_size=0)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
        reason = str(away) or type(away).__name__
        raise BackupFailed(f"PostgreSQL cannot be backed up: {reason}.") from None


def without_password(url: Secret) -> tuple[str, dict[str, str]]:
    """A URL as it may stand on a command line, and the environment that completes it."""
    parts = urlsplit(url.reveal())
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    where = parts.netloc.rpartition("@")[2]
    bare = parts._replace(netloc=f"{user}@{where}" if user else where).geturl()
    # An empty host leaves two slashes out; libpq wants them.
    bare = bare if "://" in bare else bare.replace(":", "://", 1)
    return bare, {"PGPASSWORD": unquote(password)} if password else {}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; a kill leaves the old one or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def _require_empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=_MODE, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupFailed(f"{folder} holds something; name an empty or a new folder.")
    except OSError as failed:
        raise BackupFailed(f"cannot use {folder}: {failed.strerror}.") from None


def _copied(files: Mapping[str, Path], folder: Path) -> dict[str, str]:
    folder.mkdir(mode=_MODE)
    digests = {}
    for name, path in files.items():
        if path.is_file():
            shutil.copyfile(path, folder / name)
            (folder / name).chmod(0o600)
            digests[name] = _digest(folder / name)
    return digests


def _check_cluster(cluster: Path) -> None:
    """Every file against PostgreSQL's own manifest; its log is proven by being replayed."""
    try:
        text = (cluster / _MANIFEST).read_bytes()
        manifest = msgspec.json.decode(text, type=_Manifest)
    except (OSError, msgspec.DecodeError) as wrong:
        raise BackupFailed(f"{cluster / _MANIFEST} cannot be read: {wrong}.") from None
    body = text[: text.rindex(b'"Manifest-Checksum"')]
    if not compare_digest(hashlib.sha256(body).hexdigest(), manifest.checksum):
        raise BackupFailed(f"{cluster / _MANIFEST} is not what it was.")
    for file in manifest.files:
        path = cluster / (file.path or os.fsdecode(bytes.fromhex(file.encoded_path)))
        if not path.is_file() or not compare_digest(_digest(path), file.checksum):
            raise BackupFailed(f"{path} is missing or not what it was.")
    if not list((cluster / "pg_wal").glob("0*")):
        raise BackupFailed(f"{cluster / 'pg_wal'} holds no log; the copy cannot be started.")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _first_segment(cluster: Path) -> str:
    """The write-ahead log that a start from this copy begins with."""
    for line in (cluster / "backup_label").read_text().splitlines():
        if line.startswith(_START_LINE):
            return line.rpartition("file ")[2].rstrip(")")
    raise BackupFailed(f"{cluster / 'backup_label'} does not say where it starts.")


def program(name: str, major: int) -> str:
    """The path of one of PostgreSQL's programs, of the server's own version.

    Raises:
        BackupFailed: it is not on this machine.
    """
    try:
        path = binaries(major) / name
    except PostgresMissing as missing:
        raise BackupFailed(str(missing)) from None
    if not path.exists():
        raise BackupFailed(f"{path} is missing; install PostgreSQL {major}'s client programs.")
    return str(path)


async def _succeed(
    command: Sequence[str], environment: Mapping[str, str], *, seconds: float
) -> None:
    try:
        code, output = await run(command, None, seconds=seconds, environment=environment)
    except CommandStuck as stuck:
        raise BackupFailed(str(stuck)) from None
    if code != 0:
        name = Path(command[0]).name
        raise BackupFailed(f"{name} failed ({code}): {in_one_line(output)}")
