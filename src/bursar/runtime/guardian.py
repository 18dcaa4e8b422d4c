"""A small program that outlives the supervisor by a moment, to end what it would leave behind.

It reads lines from the supervisor: `+<pid>` for a child that leads a process group, `-<pid>` for
one that has ended. When the pipe closes, whoever is still on the list is killed with its group.
It runs by its path, without our package, so that it starts at once and cannot fail for our sake.
"""

import os
import signal
import sys


def watch() -> None:
    """Follow the supervisor until it closes the pipe or dies, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    watch()
