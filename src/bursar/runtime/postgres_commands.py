"""Running PostgreSQL's programs as its system user, and knowing its server among all processes.

Every run is bounded in time and gets an environment of ours, so that no `PG…` variable of the
caller bends it.
"""

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
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
    has_own_session: bool = False,
    environment: Mapping[str, str] = _NOTHING_MORE,
) -> tuple[int, str]:
    """Run a program of PostgreSQL as its user, in an environment without surprises."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={**_ENVIRONMENT, **environment},
        start_new_session=has_own_session,
        umask=0o077,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise CommandStuck(f"{Path(command[0]).name} took longer than {seconds:g} s.") from None
    assert process.returncode is not None, "it has ended"
    return process.returncode, output.decode(errors="replace")


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
