"""Where the sandbox's time comes from: a callable that answers epoch milliseconds.

The core never reads a clock by itself; whoever builds a `Sandbox` hands one in.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def wall_clock() -> int:
    """Epoch milliseconds of this machine."""
    return time.time_ns() // 1_000_000
