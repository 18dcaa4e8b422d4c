"""UUIDv7: 48 bits of wall-clock milliseconds, then chance, so that ids sort by time.

Within a process ids rise strictly, also inside one millisecond. An id is never a secret.
"""

import secrets
from threading import Lock
from typing import Final
from uuid import UUID

from bursar.runtime.clock import now

_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_RANDOM_BITS: Final = 74
_TAIL_BITS: Final = 62
_STEP_BITS: Final = 32

_lock: Final = Lock()
_last: Final = [0, 0]


def new_uuid() -> UUID:
    """A fresh UUIDv7, larger than every one this process made before."""
    with _lock:
        milliseconds = int(now().timestamp() * 1000)
        if milliseconds > _last[0]:
            _last[:] = milliseconds, secrets.randbits(_RANDOM_BITS - 1)
        else:
            # The same millisecond, or a clock that stepped back: go on from the last id.
            _last[1] += secrets.randbits(_STEP_BITS) + 1
        milliseconds, chance = _last
    high, low = chance >> _TAIL_BITS, chance & ((1 << _TAIL_BITS) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
