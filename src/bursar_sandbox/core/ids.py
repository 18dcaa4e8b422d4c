"""Ids and draws from one seed: the same seed and the same requests give the same run.

Every value hashes the seed with a counter, so nothing here depends on a generator's inner state and
a restart goes on where the books' counter stands.
"""

import hashlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 24
SESSION_LENGTH = 58
DRAW_STEPS = 1 << 32


class Ids:
    """A counter and what it means under one seed."""

    def __init__(self, seed: str, count: int = 0) -> None:
        self._seed = seed.encode()
        self.count = count

    def next(self, prefix: str, length: int = LENGTH) -> str:
        """A fresh id such as `pi_3kX…`."""
        number = int.from_bytes(self._digest(prefix), "big")
        letters = []
        for _ in range(length):
            number, index = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[index])
        return prefix + "".join(letters)

    def draw(self) -> float:
        """A number in [0, 1), for faults that happen with a probability."""
        return int.from_bytes(self._digest("draw")[:4], "big") / DRAW_STEPS

    def _digest(self, purpose: str) -> bytes:
        self.count += 1
        text = f"{purpose}:{self.count}".encode()
        return hashlib.blake2b(text, key=self._seed[:64], digest_size=64).digest()
