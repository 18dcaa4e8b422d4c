"""A backup that is never behind: commits wait until a second folder holds them, too.

A receiver of PostgreSQL's own writes the log into the folder and is the server's synchronous
standby. Only once a whole copy of the database stands beside what is received are commits made to
wait. A receiver that is gone is started again; until then commits stay unanswered rather than
unsafe. After another server took over the place (a restore), a new generation begins.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from bursar.runtime import clock
from bursar.runtime.backups import (
    NOTE,
    BackupFailed,
    Server,
    Source,
    connected,
    identity,
    program,
    read_note,
    take,
)
from bursar.runtime.connections import Connection
from bursar.runtime.file_lock import LockBusy, exclusively
from bursar.runtime.restores import ANCHORS, COPY, WAL, generations

NAME: Final = "bursar_backup"
GENERATIONS_KEPT: Final = 2

_RETRY_SECONDS: Final = 0.3
_FOLLOW_SECONDS: Final = 0.5
_STREAMING_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0
_STATUS_SECONDS: Final = 1
_HAS_SLOT: Final = (
    "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 "
    "AND wal_status IS DISTINCT FROM 'lost')"
)
_MAKE_SLOT: Final = "SELECT pg_create_physical_replication_slot($1, true)"
# Whoever receives for a backup that was killed; it ends when its line is cut.
_CUT_OLD: Final = (
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
    "WHERE slot_name = $1 AND active"
)
_DROP_SLOT: Final = (
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
    "WHERE slot_name = $1 AND NOT active"
)
_IS_STREAMING: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_replication "
    "WHERE application_name = $1 AND state = 'streaming')"
)
_IS_WAITED_FOR: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_replication "
    "WHERE application_name = $1 AND sync_state = 'sync')"
)
_WAIT: Final = f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({NAME})'"
_WAIT_NO_MORE: Final = "ALTER SYSTEM RESET synchronous_standby_names"
_RELOAD: Final = "SELECT pg_reload_conf()"


class ContinuousBackup:
    """One folder that follows one server; `find` tells where that server is just now."""

    def __init__(
        self, folder: Path, find: Callable[[], Source], say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._find = find
        self._say = say
        self._said = ""

    async def run(self) -> None:
        """Until cancelled; then commits wait no more.

        Raises:
            BackupFailed: the folder cannot be used, or somebody else uses it.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with exclusively(self._folder / "backup.lock", timeout_seconds=0):
                await self._follow()
        except LockBusy:
            raise BackupFailed(f"another backup follows into {self._folder}.") from None
        except OSError as failed:
            raise BackupFailed(f"cannot use {self._folder}: {failed.strerror}.") from None

    async def _follow(self) -> None:
        try:
            while True:
                try:
                    await self._stream()
                except BackupFailed as failed:
                    self._tell(str(failed))
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await self._let_go()

    async def _stream(self) -> None:
        """Receive until the receiver or the server ends."""
        source = self._find()
        server = await identity(source.url)
        generation = await self._generation(source, server)
        async with _receiver(source, server, generation / WAL) as receiver:
            if not (generation / COPY / NOTE).exists():
                shutil.rmtree(generation / COPY, ignore_errors=True)
                await take(source, generation / COPY)
                self._forget_old()
            await self._make_wait(source)
            self._tell(f"every commit waits for {generation}")
            while receiver.returncode is None:
                self._follow_anchors(source)
                await _watched(receiver)
        raise BackupFailed("the receiver ended; commits wait until it is back.")

    async def _generation(self, source: Source, server: Server) -> Path:
        """The folder of this server's present history: the one begun, or a new one."""
        newest = next(iter(generations(self._folder)), None)
        connection = await connected(source.url)
        try:
            await connection.fetchval(_CUT_OLD, NAME)
            is_begun = await connection.fetchval(_HAS_SLOT, NAME)
            if is_begun and newest is not None and _is_of(newest, server):
                return newest
            await connection.execute(_WAIT_NO_MORE)
            await connection.execute(_RELOAD)
            await connection.fetchval(_DROP_SLOT, NAME)
            await connection.fetchval(_MAKE_SLOT, NAME)
        finally:
            connection.terminate()
        made = self._folder / clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
        (made / WAL).mkdir(mode=0o700, parents=True)
        return made

    async def _make_wait(self, source: Source) -> None:
        connection = await connected(source.url)
        try:
            async with asyncio.timeout(_STREAMING_SECONDS):
                await _until(connection, _IS_STREAMING)
                await connection.execute(_WAIT)
                await connection.execute(_RELOAD)
                await _until(connection, _IS_WAITED_FOR)
        except TimeoutError:
            raise BackupFailed("the receiver does not stream; the server's log says why.") from None
        finally:
            connection.terminate()

    async def _let_go(self) -> None:
        """Have nobody wait for us any more, and the server keep nothing for us."""
        try:
            source = self._find()
            connection = await connected(source.url)
        except BackupFailed as away:
            self._tell(f"commits may still wait for this backup: {away}")
            return
        try:
            await connection.execute(_WAIT_NO_MORE)
            await connection.execute(_RELOAD)
            await connection.fetchval(_DROP_SLOT, NAME)
        finally:
            connection.terminate()
        self._tell("commits wait for this backup no more")

    def _follow_anchors(self, source: Source) -> None:
        """Append the signed heads that are new; a file that shrank is not followed backwards."""
        path, copy = source.kept.get(ANCHORS), self._folder / ANCHORS
        if path is None or not path.exists():
            return
        have = copy.stat().st_size if copy.exists() else 0
        with path.open("rb") as lines, copy.open("ab") as kept:
            os.fchmod(kept.fileno(), 0o600)
            lines.seek(have)
            kept.write(lines.read())

    def _forget_old(self) -> None:
        """What never became whole goes, and of the whole ones all but the newest two."""
        found = generations(self._folder)
        whole = [each for each in found if (each / COPY / NOTE).exists()]
        for old in set(found) - set(whole[:GENERATIONS_KEPT]):
            shutil.rmtree(old)

    def _tell(self, line: str) -> None:
        """Say it once, however often it is tried."""
        if line != self._said:
            self._said = line
            self._say(line)


async def _until(connection: Connection, holds: str) -> None:
    """Ask the server again and again: nothing tells when a standby has come."""
    while True:
        if await connection.fetchval(holds, NAME):
            return
        await asyncio.sleep(_RETRY_SECONDS)


def _is_of(generation: Path, server: Server) -> bool:
    try:
        return read_note(generation / COPY).server == server
    except BackupFailed:
        return False


@asynccontextmanager
async def _receiver(
    source: Source, server: Server, wal: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """PostgreSQL's own receiver for the length of the block."""
    login, environment = source.login()
    joint = "&" if "?" in login else "?"
    process = await asyncio.create_subprocess_exec(
        program("pg_receivewal", server.major),
        f"--dbname={login}{joint}application_name={NAME}",
        f"--directory={wal}",
        f"--slot={NAME}",
        f"--status-interval={_STATUS_SECONDS}",
        *("--synchronous", "--no-loop", "--no-password"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **environment},
        process_group=0,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _watched(receiver: asyncio.subprocess.Process) -> None:
    """Wait for the end of the receiver, a moment only.

    Not by `wait_for`: where the receiver ends in the moment of our own end, it would hide that.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_FOLLOW_SECONDS):
            await receiver.wait()
