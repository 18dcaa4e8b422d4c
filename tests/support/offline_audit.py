"""The checker of exported logs, run alone, as whoever trusts none of our code runs it."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_SCRIPT: Final = Path(__file__).parents[2] / "docs/guides/check_audit.py"


def checked(lines: Iterable[bytes]) -> tuple[int, str]:
    """Its exit and what it says of these lines."""
    done = subprocess.run(
        [sys.executable, "-I", str(_SCRIPT)],
        input=b"\n".join(lines),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout.decode()
