"""UUIDv7: 48 bits of wall-clock milliseconds, then chance, so that ids sort by time.

Within a process ids rise strictly, also inside one millisecond. An id is never a secret.
"""

import secrets
from threading import Lock
from typing import Final
from uuid import UUID

from asyncpg.pgproto import pgproto

from bursar.runtime.clock import now

_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_RANDOM_BITS: Final = 74
_TAIL_BITS: Final = 62
_TAIL: Final = (1 << _TAIL_BITS) - 1
_STEP_BYTES: Final = 4
_SUPPLY_BYTES: Final = 4_096

_lock: Final = Lock()
_last: Final = [0, 0]
_supply: Final = bytearray()


def new_uuid() -> UUID:
    """A fresh UUIDv7, larger than every one this process made before."""
    return new_uuids(1)[0]


def new_uuids(count: int) -> list[UUID]:
    """As many fresh ones in rising order, for a fraction of the effort each."""
    with _lock:
        steps = _chance(_STEP_BYTES * count)
        milliseconds = int(now().timestamp() * 1000)
        if milliseconds > _last[0]:
            _last[:] = milliseconds, secrets.randbits(_RANDOM_BITS - 1)
        # The same millisecond, or a clock that stepped back: go on from the last id.
        milliseconds, chance = _last
        made = []
        for at in range(0, len(steps), _STEP_BYTES):
            chance += int.from_bytes(steps[at : at + _STEP_BYTES]) + 1
            made.append(_uuid(milliseconds, chance))
        _last[1] = chance
    return made


def _chance(size: int) -> bytes:
    """The next bytes of a supply: asking the system for every four would cost more than the id."""
    if len(_supply) < size:
        _supply.extend(secrets.token_bytes(size + _SUPPLY_BYTES))
    taken = bytes(_supply[:size])
    del _supply[:size]
    return taken


def _uuid(milliseconds: int, chance: int) -> UUID:
    high, low = chance >> _TAIL_BITS, chance & _TAIL
    value = (milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low
    # The driver's own kind is made, printed and sent several times faster than the standard one.
    return pgproto.UUID(value.to_bytes(16))
