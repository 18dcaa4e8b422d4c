"""The embedded PostgreSQL: a cluster in `DATA_DIR`, shared by every process of an installation.

Owns the cluster, its server process, the login roles and the URLs. It owns no schema: migrations
do. The server belongs to no process of ours: kill any of them and it stays; the last one that
leaves cleanly stops it. It listens on a Unix socket only. Whether it runs is decided by connecting
to it, never by a pid file. Steps are ordered so that a kill between any two is mended by the next
start.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct

from bursar.runtime import embedded_files as files
from bursar.runtime.clock import monotonic
from bursar.runtime.embedded_roles import ensure_roles
from bursar.runtime.file_lock import LockBusy, Presence, exclusively
from bursar.runtime.postgres_binaries import (
    PostgresMissing,
    binaries,
    companions,
    major_of,
)
from bursar.runtime.postgres_commands import CommandStuck, in_one_line, is_gone, run, serves
from bursar.runtime.secret import Secret
from bursar.runtime.system_user import (
    NoSystemUser,
    SystemUser,
    let_read,
    let_through,
    own,
    unprivileged_user,
)

_LOCK_SECONDS: Final = 180
_INITDB_SECONDS: Final = 60
_START_SECONDS: Final = 120  # recovery after a crash replays the log first
_STOP_SECONDS: Final = 30
_CONNECT_SECONDS: Final = 5
_CLOSED_SECONDS: Final = 3  # between a server's first breath and its socket
_POLL_SECONDS: Final = 0.01
_WATCH_SECONDS: Final = 1.0
_ORPHANS_SECONDS: Final = 20
_RETRY_SECONDS: Final = 0.2
_LOG_TAIL_LINES: Final = 8
_MAJOR_WITH_BUILTIN_LOCALE: Final = 17

# `sh` leaves at once, so the server is nobody's child: no parent to die with, none to reap it.
_DETACH: Final = 'log="$1"; shift; "$@" >>"$log" 2>&1 </dev/null & echo $!'


# Waits for the end of its input, which comes when whoever holds the other end has gone.
_CLEAR_UP: Final = 'read -r _; read -r pid <"$1" && kill -QUIT "$pid"; rm -rf "$2"'


class EmbeddedFailed(Exception):
    """PostgreSQL could not be made, started or stopped; one line, with the end of its log."""


class Urls(Struct, frozen=True):
    """How to log in to the database `bursar`; the superuser's URL never leaves the machinery."""

    app: Secret
    owner: Secret
    backup: Secret
    superuser: Secret


class Knock(Enum):
    """What an attempt to log in met."""

    OPEN = auto()
    BUSY = auto()
    CLOSED = auto()


class EmbeddedPostgres:
    """One process's hold on the PostgreSQL of a data directory."""

    def __init__(
        self, data_dir: Path, *, bindir: Path | None = None, is_durable: bool = True
    ) -> None:
        self._paths = files.paths_of(data_dir)
        self._wanted_bindir = bindir
        self._is_durable = is_durable
        self._presence = Presence(self._paths.presence)

    async def ensure_running(self, *, may_make: bool = True) -> Urls:
        """Make, start or find the server, and count as its user until `release`.

        Raises:
            EmbeddedFailed: it does not run, and one line says why.
        """
        try:
            self._paths.make_home()
            async with exclusively(self._paths.lock, timeout_seconds=_LOCK_SECONDS):
                if not may_make:
                    self._require_cluster()
                urls = await self._ensure()
                self._presence.join()
                return urls
        except (
            NoSystemUser,
            PostgresMissing,
            LockBusy,
            CommandStuck,
            files.StateUnusable,
        ) as refused:
            raise EmbeddedFailed(str(refused)) from None
        except OSError as failed:
            where = failed.filename or self._paths.home
            raise EmbeddedFailed(f"cannot use {where}: {failed.strerror}.") from failed

    async def release(self) -> None:
        """Be its user no more; the last one stops the server."""
        async with exclusively(self._paths.lock, timeout_seconds=_LOCK_SECONDS):
            if self._presence.leave():
                await self._stop()

    async def stop(self) -> None:
        """Stop the server whoever uses it: its sessions end, what was committed stays."""
        async with exclusively(self._paths.lock, timeout_seconds=_LOCK_SECONDS):
            self._presence.leave()
            await self._stop()

    async def watch(self) -> None:
        """Start the server again whenever it is gone; runs until cancelled.

        Raises:
            EmbeddedFailed: its data is gone, too. Nothing empty is put in its place.
        """
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self._require_cluster()
            if self.pid() is None or self._presence.is_lost():
                await self.ensure_running(may_make=False)

    def pid(self) -> int | None:
        """The server's process, or `None` when it does not run."""
        pid = self._paths.recorded_pid()
        return pid if pid is not None and serves(pid, self._paths.cluster) else None

    def _require_cluster(self) -> None:
        if not self._paths.cluster.exists():
            raise EmbeddedFailed(
                f"{self._paths.cluster} is gone; bring it back with `bursar restore`."
            )

    async def _ensure(self) -> Urls:
        user = unprivileged_user(self._paths.cluster)
        state = files.load_or_make(self._paths, user)
        urls = _urls(state)
        if not await self._answers(urls):
            bindir = await self._prepare(user, state)
            await self._stop()  # one that runs and takes no login, say for want of its socket
            self._paths.forget_dead_server(state.socket_dir)
            await self._start(bindir, user, urls)
        elif state.has_roles:
            return urls
        await ensure_roles(urls.superuser.reveal(), state.passwords)
        files.save(self._paths, state.with_roles())
        return urls

    async def _answers(self, urls: Urls) -> bool:
        """Whether the server takes a login; one that is starting or very busy is waited for."""
        started = monotonic()
        while True:
            knocked = await _knock(urls.superuser)
            waited = monotonic() - started
            if knocked is Knock.OPEN:
                return True
            if knocked is Knock.CLOSED and (self.pid() is None or waited > _CLOSED_SECONDS):
                return False
            if waited > _START_SECONDS:
                raise self._failure("does not accept connections")
            await asyncio.sleep(_POLL_SECONDS)

    async def _prepare(self, user: SystemUser | None, state: files.State) -> Path:
        """Everything short of the server: programs it may run, a cluster, its settings."""
        let_through(self._paths.cluster, user)
        made_by = self._paths.cluster_major()
        bindir = self._wanted_bindir or binaries(made_by)
        await self._open_binaries(bindir, user)
        major = major_of(bindir)
        if major is None:
            raise PostgresMissing(f"{bindir / 'postgres'} does not run.")
        if made_by is None:
            await self._make_cluster(bindir, major, user, state)
        elif made_by != major:
            raise PostgresMissing(
                f"{self._paths.cluster} was made by PostgreSQL {made_by}, "
                f"and {bindir} is PostgreSQL {major}."
            )
        files.write_config(self._paths, state, user, is_durable=self._is_durable)
        return bindir

    async def _open_binaries(self, bindir: Path, user: SystemUser | None) -> None:
        """Let the server's user run them, also where they were installed for root alone."""
        let_through(bindir, user)
        try:
            code, _ = await run([str(bindir / "initdb"), "--version"], user, seconds=_STOP_SECONDS)
        except PermissionError:
            code = None
        if code != 0:
            for tree in companions(bindir):
                let_read(tree, user)

    async def _make_cluster(
        self, bindir: Path, major: int, user: SystemUser | None, state: files.State
    ) -> None:
        """Make it beside its place, then rename: a cluster in place is a whole one."""
        draft, password_file = self._paths.draft, self._paths.password_file
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        own(draft, user)
        password_file.unlink(missing_ok=True)
        files.write_private(password_file, state.passwords["postgres"].encode())
        own(password_file, user)
        command = [str(bindir / "initdb"), "-D", str(draft), "--username=postgres"]
        command += ["--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        command += ["--data-checksums", *_locale_flags(major)]
        if not self._is_durable:
            command.append("--no-sync")
        try:
            code, output = await run(command, user, seconds=_INITDB_SECONDS)
        finally:
            password_file.unlink()
        if code != 0:
            raise EmbeddedFailed(f"initdb failed ({code}): {in_one_line(output)}")
        draft.rename(self._paths.cluster)
        files.sync_folder(self._paths.home)

    async def _start(self, bindir: Path, user: SystemUser | None, urls: Urls) -> None:
        """Start it detached and wait until it takes a login.

        Sessions of a server that was killed may hold its memory for a while, hence attempts.
        """
        deadline = monotonic() + _ORPHANS_SECONDS
        while True:
            files.rotate_log(self._paths, user)
            if await self._launch(bindir, user) and await self._answers(urls):
                return
            tail = files.log_tail(self._paths, _LOG_TAIL_LINES)
            if "shared memory block" not in tail or monotonic() > deadline:
                raise self._failure("did not start")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _launch(self, bindir: Path, user: SystemUser | None) -> bool:
        """Run the server, detached; true once it says it is ready."""
        paths = self._paths
        command = ["/bin/sh", "-c", _DETACH, "sh", str(paths.log), str(bindir / "postgres")]
        command += ["-D", str(paths.cluster), "-c", f"config_file={paths.config}"]
        command += ["-c", f"hba_file={paths.access}"]
        code, output = await run(command, user, seconds=_STOP_SECONDS)
        if code != 0 or not output.strip().isdigit():
            raise EmbeddedFailed(f"PostgreSQL could not be run: {in_one_line(output)}")
        pid = int(output)
        deadline = monotonic() + _START_SECONDS
        while monotonic() < deadline:
            if paths.recorded_pid() == pid and paths.is_ready():
                return True
            if is_gone(pid):
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _stop(self) -> None:
        """Fast: sessions are ended, the log is flushed. A server that will not is stopped hard."""
        pid = self.pid()
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if pid is None:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = monotonic() + _STOP_SECONDS
            while monotonic() < deadline:
                if not serves(pid, self._paths.cluster):
                    return
                await asyncio.sleep(_POLL_SECONDS)
        raise self._failure("did not stop")

    def _failure(self, what: str) -> EmbeddedFailed:
        tail = in_one_line(files.log_tail(self._paths, _LOG_TAIL_LINES))
        return EmbeddedFailed(f"PostgreSQL {what}; {self._paths.log} ends: {tail}")


@asynccontextmanager
async def throwaway(
    path: Path, *, bindir: Path | None = None, is_durable: bool = False
) -> AsyncIterator[Urls]:
    """A cluster for one test run: made in an empty `path`, gone at the end, however that comes."""
    paths = files.paths_of(path)
    assert paths.is_unused(), f"{path} holds something, and all of it would be removed"
    paths.make_home()
    postgres = EmbeddedPostgres(paths.home, bindir=bindir, is_durable=is_durable)
    with _mourned(paths):
        try:
            yield await postgres.ensure_running()
        finally:
            await postgres.stop()
            paths.remove_everything()


@contextmanager
def _mourned(paths: files.Paths) -> Iterator[None]:
    """Have a shell wait for our end and clear up, so that a killed test run leaves no server."""
    shell = subprocess.Popen(  # noqa: S603 - a constant script and two paths of ours
        ["/bin/sh", "-c", _CLEAR_UP, "sh", str(paths.cluster / "postmaster.pid"), str(paths.home)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        shell.communicate(timeout=_STOP_SECONDS)


async def _knock(superuser: Secret) -> Knock:
    try:
        connection = await asyncpg.connect(
            superuser.reveal(), database="postgres", timeout=_CONNECT_SECONDS
        )
        await connection.close(timeout=_CONNECT_SECONDS)
    except asyncpg.TooManyConnectionsError:
        return Knock.OPEN
    except (asyncpg.CannotConnectNowError, TimeoutError):
        return Knock.BUSY
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        return Knock.CLOSED
    except asyncpg.PostgresError as refused:
        raise EmbeddedFailed(f"PostgreSQL refuses our login: {refused}.") from None
    return Knock.OPEN


def _urls(state: files.State) -> Urls:
    return Urls(
        app=state.url("bursar_app"),
        owner=state.url("bursar_owner"),
        backup=state.url("bursar_backup"),
        superuser=state.url("postgres"),
    )


def _locale_flags(major: int) -> tuple[str, ...]:
    """Order by code point, letters by Unicode, the same on every machine where that can be had."""
    if major >= _MAJOR_WITH_BUILTIN_LOCALE:
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C", "--lc-ctype=C.UTF-8") if sys.platform == "linux" else ("--locale=C",)
