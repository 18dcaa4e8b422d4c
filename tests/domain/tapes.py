"""A tape of chance: many small choices read from one draw of bytes.

Hypothesis takes a hundred times as long to draw forty numbers as to draw the bytes they are made
of. Zeros choose the first and least of everything, and Hypothesis shrinks bytes towards zeros: what
fails becomes small as before. A tape that is over reads as zeros.
"""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")


class Tape:
    """Reads choices, one after the other."""

    def __init__(self, tape: bytes) -> None:
        self._tape = tape
        self._at = 0

    def below(self, end: int) -> int:
        """A number from zero up to, and without, the end."""
        return self.number((end - 1).bit_length() + 7 >> 3) % end

    def number(self, width: int) -> int:
        """Whatever so many bytes say."""
        read = self._tape[self._at : self._at + width]
        self._at += width
        return int.from_bytes(read, "big")

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of them; of nothing but zeros, the first."""
        return choices[self.below(len(choices))]

    def says(self) -> bool:
        """Yes or no; no, of nothing but zeros."""
        return self.below(2) == 1
