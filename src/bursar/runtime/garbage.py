"""What Python collects: rings of what a program made, looked for seldom once all of it stands.

And what the system gets back: a large block, as soon as it is freed.
"""

import ctypes
import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 50)
_MMAP_THRESHOLD: Final = -3  # the name of the option for glibc's mallopt
_LARGE_BYTES: Final = 1 << 20

LARGE_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""In the environment of a process that is to have its large blocks in large pages.

A password's hash takes nineteen megabytes, and to be lent them in five thousand small pages takes
a third of its time. Only glibc reads it, and only at the start of a process.
"""


def give_back_large_blocks() -> None:
    """Have large blocks mapped and unmapped, each by itself.

    Left to itself glibc learns from the first that is freed to keep those that come after: each
    thread that ever checked a password would hold its nineteen megabytes for ever. Another
    allocator than glibc's knows no such option and needs none.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_MMAP_THRESHOLD, _LARGE_BYTES)


def keep_what_stands() -> None:
    """What was loaded stays until the end: the collector need not look through it again and again.

    Nearly everything that a request or a task leaves is freed by itself.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
