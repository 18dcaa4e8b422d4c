"""Running PostgreSQL's programs as its system user, and knowing its server among all processes.

Every run is bounded in time and gets an environment of ours, so that no `PG…` variable of the
caller bends it.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bursar.runtime.system_user import SystemUser

_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})
_PS_SECONDS: Final = 5
_LINE_CHARACTERS_MAX: Final = 1_000


class CommandStuck(Exception):
    """A program took longer than it may and was ended."""


async def run(
    command: Sequence[str],
    user: SystemUser | None,
    *,
    seconds: float,
    environment: Mapping[str, str] = _NOTHING_MORE,
) -> tuple[int, str]:
    """Run a program of PostgreSQL as its user, in an environment and a session of its own.

    Gives its exit code and all that it printed. Whoever is canceled meanwhile ends it, with
    whatever it has started.

    Raises:
        CommandStuck: it took longer than this; it was ended.
    """
    process = _started(command, user, environment)
    try:  # a thread waits: not every event loop can start a program as another user
        output, _ = await asyncio.wait_for(asyncio.to_thread(process.communicate), seconds)
    except TimeoutError:
        raise CommandStuck(f"{Path(command[0]).name} took longer than {seconds:g} s.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output.decode(errors="replace")


def _started(
    command: Sequence[str], user: SystemUser | None, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    # S603 asks who chose what is run, of every call but one with fixed words. We did: PostgreSQL's
    # programs as found by us, or a constant script, with our flags and paths and the operator's
    # login, each an argument of its own that no shell takes apart.
    return subprocess.Popen(  # noqa: S603 - for the reason above
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={**_ENVIRONMENT, **environment},
        start_new_session=True,
        umask=0o077,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def serves(pid: int, cluster: Path) -> bool:
    """Whether this process is the server of this very cluster, not a later owner of its number."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            words = proc.read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0].endswith(b"postgres") and os.fsencode(cluster) in words
    told = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        timeout=_PS_SECONDS,
    )
    return os.fsencode(f"postgres -D {cluster}") in told.stdout


def is_gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return state.startswith(("Z", "X"))


def in_one_line(text: str) -> str:
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())[
        -_LINE_CHARACTERS_MAX:
    ]
