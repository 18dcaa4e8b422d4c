"""Where `bursar` starts: chooses the program behind the first word, and imports nothing else.

The supervisor and the demo stand beside the application and never load it: a process tree should
not pay for the application once more than it serves.
"""

import runpy
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run": "bursar.cli.run",
        "demo": "bursar.cli.demo",
        "serve": "bursar.serving",
        "worker": "bursar.working",
        "restore": "bursar.cli.restoring",
    }
)
THE_REST: Final = "bursar.cli.root"
# Loaded by whoever needs it, after the start.
ASSEMBLY: Final = "bursar.main"
WHOLE_API: Final = "bursar.standing"
_EXIT_USAGE: Final = 2


def enter() -> None:
    """Run the program that the command line names."""
    refuse_optimized()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    runpy.run_module(PROGRAMS.get(name, THE_REST), run_name="__main__", alter_sys=True)


def refuse_optimized() -> None:
    """Under `python -O` the assertions are gone that stand between a bug and somebody's money."""
    if not __debug__:
        sys.stderr.write("bursar: does not run under python -O: its assertions must stay.\n")
        sys.exit(_EXIT_USAGE)
