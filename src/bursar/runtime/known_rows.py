"""What rows said a moment ago, so that what hardly ever changes is not read for every request.

Nothing here is believed. A row is kept with its mark, PostgreSQL's own `xmin`, which is another as
soon as anybody writes it; whoever writes by what is kept locks the row under that mark in the very
statement that writes, and begins again where the mark does not hold. Bounded; what was not asked
for longest is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any, Final

KNOWN_MAX: Final = 10_000


class KnownRows:
    """Rows of this process's last while, each under whatever finds it again."""

    def __init__(self, *, rows_max: int = KNOWN_MAX) -> None:
        self._rows_max = rows_max
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, spot: Hashable) -> Any:
        """What was read there last, or None where it is not kept."""
        found = self._kept.get(spot)
        if found is not None:
            self._kept.move_to_end(spot)
        return found

    def put(self, spot: Hashable, row: object) -> None:
        """Keep a row in place of the one before it."""
        self._kept[spot] = row
        self._kept.move_to_end(spot)
        if len(self._kept) > self._rows_max:
            self._kept.popitem(last=False)

    def forget(self, spots: Iterable[Hashable]) -> None:
        """Read them anew next time."""
        for spot in spots:
            self._kept.pop(spot, None)
