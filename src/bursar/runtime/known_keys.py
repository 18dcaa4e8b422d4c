"""API keys that were found a moment ago, so that a busy one is not looked up for every request.

Only what a key leads to is remembered, by its keyed hash, and for less than a second: a change of
its scopes counts within that. Whether the key still stands is asked again in every transaction, so
a revocation counts at once. A key that nobody knows is never remembered.

By which hashes a key is looked up never changes, and takes longer to work out than all the rest: it
is remembered by a print that only this process can make. No key itself is kept.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from bursar.runtime.clock import monotonic
from bursar.runtime.crypto import random_bytes
from bursar.runtime.doors import FoundKey

KNOWN_SECONDS: Final = 0.8
KNOWN_MAX: Final = 10_000
_SALT_LENGTH: Final = 32


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


class KnownHashes:
    """The keyed hashes of keys that were found; whoever came first is forgotten first."""

    def __init__(self) -> None:
        self._salt = random_bytes(_SALT_LENGTH)
        self._hashes: OrderedDict[bytes, list[bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hashes)

    def get(self, key: str) -> list[bytes] | None:
        """Its hashes, if the very same key was found before."""
        return self._hashes.get(self._print(key))

    def put(self, key: str, hashes: list[bytes]) -> None:
        """Remember them of a key that was found."""
        self._hashes[self._print(key)] = hashes
        if len(self._hashes) > KNOWN_MAX:
            self._hashes.popitem(last=False)

    def _print(self, key: str) -> bytes:
        return hashlib.blake2b(key.encode("utf-8", "surrogateescape"), key=self._salt).digest()
