"""What Python collects: rings of what a program made, looked for seldom once all of it stands."""

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 50)


def keep_what_stands() -> None:
    """What was loaded stays until the end: the collector need not look through it again and again.

    Nearly everything that a request or a task leaves is freed by itself.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
