"""Answers that were written a moment ago, so that what did not change is not written again.

An answer is kept under the mark of the rows it was made of, and is good for whoever reads that mark
anew: it is PostgreSQL that says so, every time, to a credential that it found good. Bounded in
bytes; what was not asked for longest is forgotten first, and what is large is never kept.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from msgspec import Struct

from bursar.runtime.idempotency import Answer

BYTES_MAX: Final = 8 * 1_048_576
ANSWER_BYTES_MAX: Final = 32_768
_BESIDES: Final = 1_024  # what an entry takes beside the body of its answer


class KnownAnswer(Struct, frozen=True):
    """An answer, and the mark of what it tells."""

    mark: str
    answer: Answer


class KnownAnswers:
    """The answers of this process's last while."""

    def __init__(self, *, bytes_max: int = BYTES_MAX) -> None:
        self._room = bytes_max
        self._kept: OrderedDict[Hashable, KnownAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, spot: Hashable) -> KnownAnswer | None:
        """What was answered there last, if it is still kept."""
        found = self._kept.get(spot)
        if found is not None:
            self._kept.move_to_end(spot)
        return found

    def put(self, spot: Hashable, mark: str, answer: Answer) -> None:
        """Keep an answer in place of the one before it."""
        before = self._kept.pop(spot, None)
        if before is not None:
            self._room += _size(before.answer)
        if len(answer.body) > ANSWER_BYTES_MAX:
            return
        self._kept[spot] = KnownAnswer(mark, answer)
        self._room -= _size(answer)
        while self._room < 0:
            _, oldest = self._kept.popitem(last=False)
            self._room += _size(oldest.answer)


def _size(answer: Answer) -> int:
    return len(answer.body) + _BESIDES
