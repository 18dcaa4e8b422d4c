"""The files around an embedded cluster: where they are, what they hold, who may read them.

Everything here but the cluster, the socket's folder and the log belongs to whoever starts Bursar;
the server's own user may read its settings and can change none of them.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.runtime.crypto import random_bytes
from bursar.runtime.embedded_roles import DATABASE
from bursar.runtime.secret import Secret
from bursar.runtime.system_user import SystemUser, own, show

_SOCKET_PATH_BYTES_MAX: Final = 100  # sun_path holds 108 on Linux, 104 on macOS
_SOCKET_NAME: Final = ".s.PGSQL.5432"
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/_.-]+")
_SHORT_ROOT: Final = Path("/tmp")  # noqa: S108 - only a new folder of mode 0700 is used in it
_LOG_BYTES_MAX: Final = 10_000_000
_LOG_TAIL_BYTES: Final = 16_384
_PASSWORD_BYTES: Final = 24
_LOGINS: Final = ("postgres", "bursar_owner", "bursar_app", "bursar_backup")
_PID_FILE: Final = "postmaster.pid"
_PID_FILE_STATUS_LINE: Final = 7
_PID_OF_NOBODY: Final = "2147483647"  # above every pid_max

_CONFIG: Final = """\
# Written at every start. To tune the server, use ALTER SYSTEM: it is read after this file.
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 128MB
effective_cache_size = 1GB
wal_compression = on
min_wal_size = 80MB
max_wal_size = 1GB
jit = off
password_encryption = 'scram-sha-256'
cluster_name = 'bursar'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
"""
# What a cluster that nobody keeps goes without. To analyze a table, autovacuum holds a transaction;
# readers of the log stay behind the oldest one, so they would not see what a test has just written.
_FOR_KEEPS: Final = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
_ACCESS: Final = """\
local all all scram-sha-256
local replication postgres scram-sha-256
"""


class StateUnusable(Exception):
    """What was kept about the cluster is missing or damaged."""


class State(Struct, frozen=True):
    """What is kept between starts: where the socket is, and who logs in how."""

    socket_dir: Path
    passwords: Mapping[str, str]
    has_roles: bool

    def url(self, login: str) -> Secret:
        # The port is in the socket's name; unsaid, a PGPORT in the environment would change it.
        where = f"host={quote(str(self.socket_dir), safe='')}&port=5432"
        return Secret(f"postgresql://{login}:{self.passwords[login]}@/{DATABASE}?{where}")

    def with_roles(self) -> "State":
        return replace(self, has_roles=True)


class Paths(Struct, frozen=True):
    """Every path of one data directory."""

    home: Path

    @property
    def cluster(self) -> Path:
        return self.home / "postgres"

    @property
    def draft(self) -> Path:
        return self.home / "postgres.new"

    @property
    def password_file(self) -> Path:
        return self.home / "postgres.password"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def config(self) -> Path:
        return self.home / "postgresql.conf"

    @property
    def access(self) -> Path:
        return self.home / "pg_hba.conf"

    @property
    def state(self) -> Path:
        return self.home / "embedded.json"

    @property
    def lock(self) -> Path:
        return self.home / "embedded.lock"

    @property
    def presence(self) -> Path:
        return self.home / "embedded.users"

    def make_home(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def cluster_major(self) -> int | None:
        """The version that made the cluster; `None` when there is none."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def recorded_pid(self) -> int | None:
        """The number the server left; whether it still is that server is another question."""
        first = _pid_file_lines(self.cluster)[:1]
        return int(first[0]) if first and first[0].strip().isdigit() else None

    def is_ready(self) -> bool:
        lines = _pid_file_lines(self.cluster)
        return len(lines) > _PID_FILE_STATUS_LINE and "ready" in lines[_PID_FILE_STATUS_LINE]

    def forget_dead_server(self, socket_dir: Path) -> None:
        """Clear what would keep a new server from starting because a dead one's number lives on.

        The number may belong to a stranger or to the unburied dead; in the pid file it is replaced
        by one that no process can have. The rest of that file must stay: by it the new server sees
        whether sessions of the dead one still hold its memory, and waits for their end.
        """
        for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
            (socket_dir / name).unlink(missing_ok=True)
        lines = _pid_file_lines(self.cluster)
        if lines:
            descriptor = os.open(self.cluster / _PID_FILE, os.O_WRONLY | os.O_NOFOLLOW | os.O_TRUNC)
            with os.fdopen(descriptor, "w") as file:
                file.write("\n".join([_PID_OF_NOBODY, *lines[1:]]) + "\n")

    def is_unused(self) -> bool:
        return not self.home.exists() or not any(self.home.iterdir())

    def remove_everything(self) -> None:
        """Remove the data directory and the socket's folder."""
        if self.state.exists():
            shutil.rmtree(load(self.state).socket_dir, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)


def paths_of(data_dir: Path) -> Paths:
    return Paths(data_dir.expanduser().absolute())


def load_or_make(paths: Paths, user: SystemUser | None) -> State:
    """The kept state, made at the first start; the socket's folder is made again when it is gone.

    Raises:
        StateUnusable: there is a cluster, but nothing that says how to log in to it.
    """
    if paths.state.exists():
        state = load(paths.state)
    elif paths.cluster.exists():
        raise StateUnusable(f"{paths.state} is missing beside {paths.cluster}; restore it.")
    else:
        passwords = {login: random_bytes(_PASSWORD_BYTES).hex() for login in _LOGINS}
        state = State(new_socket_dir(paths.home), passwords, has_roles=False)
        save(paths, state)
    if not _is_ours(state.socket_dir, user):
        state = replace(state, socket_dir=_made_socket_dir(state.socket_dir, paths.home, user))
        save(paths, state)
    return state


def save(paths: Paths, state: State) -> None:
    draft = paths.state.with_suffix(".new")
    draft.unlink(missing_ok=True)
    kept = {
        "socketDir": str(state.socket_dir),
        "passwords": dict(state.passwords),
        "hasRoles": state.has_roles,
    }
    write_private(draft, json.dumps(kept, indent=1).encode())
    draft.rename(paths.state)
    sync_folder(paths.home)


def load(path: Path) -> State:
    """What is kept in this file.

    Raises:
        StateUnusable: it is damaged.
    """
    try:
        kept = json.loads(path.read_text())
        state = State(Path(kept["socketDir"]), kept["passwords"], bool(kept["hasRoles"]))
        if all(isinstance(state.passwords[login], str) for login in _LOGINS):
            return state
    except (ValueError, KeyError, TypeError):
        pass
    raise StateUnusable(f"{path} is damaged; restore it.")


def new_socket_dir(home: Path) -> Path:
    """Inside the data directory when its path is short and plain, else a name of its own."""
    inside = home / "run"
    fits = len(os.fsencode(inside / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX
    if fits and _PLAIN_PATH.fullmatch(str(inside)):
        return inside
    return _SHORT_ROOT / f"bursar-{random_bytes(6).hex()}"


def _is_ours(folder: Path, user: SystemUser | None) -> bool:
    """Whether it is a real folder that only the server's user (and root) can enter."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    owner = user.uid if user else os.geteuid()
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == owner


def _made_socket_dir(folder: Path, home: Path, user: SystemUser | None) -> Path:
    """Make the folder where it was, or under a new name when a stranger has taken that one."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        folder = Path(tempfile.mkdtemp(prefix="bursar-", dir=_SHORT_ROOT))
    except FileNotFoundError:  # the data directory was moved here from elsewhere, this maybe in it
        folder = new_socket_dir(home)
        if not _is_ours(folder, user):
            return _made_socket_dir(folder, home, user)
    own(folder, user)
    return folder


def write_config(paths: Paths, state: State, user: SystemUser | None, *, is_durable: bool) -> None:
    """Write the server's settings anew, so that a later release's reach an older cluster."""
    lines = [_CONFIG, f"unix_socket_directories = '{state.socket_dir}'\n"]
    lines += [f"{name} = {'on' if is_durable else 'off'}\n" for name in _FOR_KEEPS]
    for path, text in ((paths.config, "".join(lines)), (paths.access, _ACCESS)):
        path.unlink(missing_ok=True)
        write_private(path, text.encode())
        show(path, user)


def rotate_log(paths: Paths, user: SystemUser | None) -> None:
    """Make the log the server's user writes; a long one is set aside, one generation back."""
    if paths.log.exists() and paths.log.stat().st_size > _LOG_BYTES_MAX:
        paths.log.rename(paths.log.with_suffix(".log.1"))
    if not paths.log.exists():
        write_private(paths.log, b"")
        own(paths.log, user)


def log_tail(paths: Paths, lines: int) -> str:
    """The last lines of the server's log."""
    try:
        with paths.log.open("rb") as file:
            file.seek(max(0, paths.log.stat().st_size - _LOG_TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, and have it on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Have a rename inside the folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / _PID_FILE).read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
