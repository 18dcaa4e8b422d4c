"""Which system user runs PostgreSQL, and how that user reaches the folders it needs.

PostgreSQL refuses to run as root. Started by anyone else, it runs as that user and nothing here
acts. Started by root, it runs as an unprivileged user, who is let *through* the folders above its
data, one by one and alone (an access list entry with `x` and nothing else), so that a clone under
`/root` works and nobody else can look into it.
"""

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
from pathlib import Path
from typing import Final

from msgspec import Struct

USER_NAME: Final = "bursar"
_FALLBACK_NAMES: Final = ("postgres",)
_SYSTEM_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_SECONDS: Final = 20
_ATTEMPTS: Final = 3

_ACL_NAME: Final = "system.posix_acl_access"
_ACL_VERSION: Final = 2
_ACL_ENTRY: Final = struct.Struct("<HHI")
_ACL_ID_NONE: Final = 0xFFFF_FFFF
_ACL_OWNER, _ACL_USER, _ACL_GROUP, _ACL_MASK, _ACL_OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_SEARCH: Final = 1


class SystemUser(Struct, frozen=True):
    """An account of the operating system by its numbers."""

    uid: int
    gid: int


class NoSystemUser(Exception):
    """Root started us and there is no unprivileged user to hand PostgreSQL to."""


def unprivileged_user(cluster: Path) -> SystemUser | None:
    """Who runs PostgreSQL on this cluster; `None` when it is simply us.

    Raises:
        NoSystemUser: we are root, and no suitable user exists or can be made.
    """
    if os.geteuid() != 0:
        return None
    if cluster.is_dir() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        return SystemUser(owner.st_uid, owner.st_gid)
    return _known(USER_NAME) or _made(USER_NAME) or _fallback()


def _known(name: str) -> SystemUser | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return SystemUser(entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _made(name: str) -> SystemUser | None:
    """Make a system user without home and shell; two starts may try at one moment."""
    useradd = shutil.which("useradd", path=_SYSTEM_PATH)
    adduser = shutil.which("adduser", path=_SYSTEM_PATH)
    if useradd is not None:
        flags = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command = [useradd, *flags, "--shell", "/usr/sbin/nologin", name]
    elif adduser is not None:  # busybox
        command = [adduser, "-S", "-D", "-H", "-s", "/sbin/nologin", name]
    else:
        return None
    for _ in range(_ATTEMPTS):
        subprocess.run(  # noqa: S603 - a fixed program and a constant name
            command,
            check=False,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        if (found := _known(name)) is not None:
            return found
    return None


def _fallback() -> SystemUser:
    for name in _FALLBACK_NAMES:
        if (found := _known(name)) is not None:
            return found
    raise NoSystemUser(
        f"PostgreSQL does not run as root; make a system user named {USER_NAME}, "
        "start Bursar as another user, or set DATABASE_URL."
    )


def own(path: Path, user: SystemUser | None) -> None:
    """Give one folder or file to the user; nothing when it is ours anyway."""
    if user is not None:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)


def show(path: Path, user: SystemUser | None) -> None:
    """Let the user read one file of ours, and change nothing in it."""
    if user is not None:
        os.chown(path, os.geteuid(), user.gid, follow_symlinks=False)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)


def let_through(path: Path, user: SystemUser | None) -> None:
    """Let the user pass every folder above `path`, and no one else where that can be said."""
    if user is None:
        return
    for folder in path.parents:
        found = folder.stat()
        if not _may_search(found, user):
            _grant_search(folder, found, user)


def let_read(tree: Path, user: SystemUser | None) -> None:
    """Let the user read and run a tree of public programs, however narrow the umask was."""
    if user is None:
        return
    let_through(tree, user)
    for root, _, names in os.walk(tree):
        for path in (Path(root), *(Path(root, name) for name in names)):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if wanted != mode:
                path.chmod(stat.S_IMODE(wanted))


def _may_search(found: os.stat_result, user: SystemUser) -> bool:
    if found.st_uid == user.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _grant_search(folder: Path, found: os.stat_result, user: SystemUser) -> None:
    try:
        os.setxattr(folder, _ACL_NAME, _acl_with(folder, found, user))
    except (OSError, AttributeError):
        # No access lists on this file system or platform: let anyone pass, still without reading.
        folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)


def _acl_with(folder: Path, found: os.stat_result, user: SystemUser) -> bytes:
    """The folder's access list with one more entry: search, for this user alone."""
    entries = _entries_of(folder, found)
    entries[_ACL_USER, user.uid] = _SEARCH
    mask = (_ACL_MASK, _ACL_ID_NONE)
    entries[mask] = entries.get(mask, entries[_ACL_GROUP, _ACL_ID_NONE]) | _SEARCH
    packed = (_ACL_ENTRY.pack(tag, perm, owner) for (tag, owner), perm in sorted(entries.items()))
    return struct.pack("<I", _ACL_VERSION) + b"".join(packed)


def _entries_of(folder: Path, found: os.stat_result) -> dict[tuple[int, int], int]:
    try:
        packed = os.getxattr(folder, _ACL_NAME)
    except OSError as failed:
        if failed.errno != errno.ENODATA:
            raise
        mode = found.st_mode
        return {
            (_ACL_OWNER, _ACL_ID_NONE): mode >> 6 & 7,
            (_ACL_GROUP, _ACL_ID_NONE): mode >> 3 & 7,
            (_ACL_OTHER, _ACL_ID_NONE): mode & 7,
        }
    return {(tag, owner): perm for tag, perm, owner in _ACL_ENTRY.iter_unpack(packed[4:])}
