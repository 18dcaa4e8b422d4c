"""UUIDv7: 48 bits of wall-clock milliseconds, then chance, so that ids sort by time.

Within a process ids rise strictly, also inside one millisecond. An id is never a secret.
"""

import secrets
from array import array
from itertools import accumulate
from threading import Lock
from typing import Final
from uuid import UUID

from asyncpg.pgproto import pgproto

from bursar.runtime.clock import milliseconds

_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_FIRST_BYTES: Final = 9  # of the 74 bits; the topmost are free, so that many ids fit above
_TAIL_BITS: Final = 62
_TAIL: Final = (1 << _TAIL_BITS) - 1
_STEP_CODE: Final = "I"
_SUPPLY: Final = 4_096  # of bytes, or of steps

_NO_STEPS: Final = array(_STEP_CODE)

_lock: Final = Lock()
_last: Final = [0, 0, 0]  # when the last id was made, its part of that, and its part of chance
_supply: Final = bytearray()
_steps: Final = array(_STEP_CODE)


def new_uuid() -> UUID:
    """A fresh UUIDv7, larger than every one this process made before."""
    with _lock:
        if not _steps:
            _supply_steps(1)
        frame = _frame()
        _last[2] = last = _last[2] + _steps.pop() + 1
    # The driver's own kind is made, printed and sent several times faster than the standard one.
    return pgproto.UUID((frame | (last >> _TAIL_BITS) << 64 | (last & _TAIL)).to_bytes(16))


def new_uuids(count: int) -> list[UUID]:
    """As many fresh ones in rising order, for a fraction of the effort each."""
    return [pgproto.UUID(value.to_bytes(16)) for value in _values(count)]


def new_uuid_texts(count: int) -> list[str]:
    """The same as bare digits, which PostgreSQL reads as well: for what nobody here looks at."""
    return [value.to_bytes(16).hex() for value in _values(count)]


def chance(size: int) -> bytes:
    """Bytes that nobody could foresee, for names that are no secrets."""
    with _lock:
        return _chance(size)


def _values(count: int) -> list[int]:
    with _lock:
        if len(_steps) < count:
            _supply_steps(count)
        rest = len(_steps) - count
        steps, _steps[rest:] = _steps[rest:], _NO_STEPS
        frame = _frame()
        chances = accumulate(steps, lambda before, step: before + step + 1, initial=_last[2])
        made = list(chances)
        _last[2] = made[-1]
    return [frame | (each >> _TAIL_BITS) << 64 | (each & _TAIL) for each in made[1:]]


def _frame() -> int:
    """The part of an id that tells the time; in a new millisecond the rest begins by chance."""
    at = milliseconds()
    if at > _last[0]:
        _last[:] = at, at << 80 | _VERSION | _VARIANT, int.from_bytes(_chance(_FIRST_BYTES))
    # The same millisecond, or a clock that stepped back: go on from the last id.
    return _last[1]


def _supply_steps(count: int) -> None:
    """How far ids lie apart, at least for so many: asking for each would cost more than the id."""
    _steps.frombytes(secrets.token_bytes(_steps.itemsize * (count + _SUPPLY)))


def _chance(size: int) -> bytes:
    """The next bytes of a supply, for the same reason."""
    if len(_supply) < size:
        _supply.extend(secrets.token_bytes(size + _SUPPLY))
    taken = bytes(_supply[:size])
    del _supply[:size]
    return taken
