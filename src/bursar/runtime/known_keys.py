"""API keys that were found a moment ago, so that a busy one is not looked up for every request.

Only what a key leads to is remembered, by its keyed hash, and for less than a second: a change of
its scopes counts within that. Whether the key still stands is asked again in every transaction, so
a revocation counts at once. A key that nobody knows is never remembered.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from bursar.runtime.clock import monotonic
from bursar.runtime.doors import FoundKey

KNOWN_SECONDS: Final = 0.8
KNOWN_MAX: Final = 10_000


class KnownKeys:
    """The keys of this process's last moment; whoever came first is forgotten first."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[bytes, tuple[float, FoundKey]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key_hash: bytes) -> FoundKey | None:
        """What the key leads to, if that was asked a moment ago."""
        kept = self._found.get(key_hash)
        if kept is None:
            return None
        until, found = kept
        if self._clock() < until:
            return found
        del self._found[key_hash]
        return None

    def put(self, key_hash: bytes, found: FoundKey) -> None:
        """Remember it for a moment."""
        self._found.pop(key_hash, None)
        self._found[key_hash] = self._clock() + KNOWN_SECONDS, found
        if len(self._found) > KNOWN_MAX:
            self._found.popitem(last=False)
