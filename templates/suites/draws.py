"""Random numbers that are the same on every machine and every Python.

Of Python's `random`, only `random.random()` is promised to give the same sequence in later versions; `randrange`,
`choice` and `shuffle` are not (https://docs.python.org/3/library/random.html#notes-on-reproducibility). Here numbers
are read from SHA-256 in counter mode, which is specified by its bytes (FIPS 180-4), with integers only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
WORD = 2**32


class Draws:
    """Independent uniform draws, decided by the key alone."""

    def __init__(self, *key: str | int) -> None:
        self._key = "/".join(map(str, key))
        self._block = 0
        self._words: list[int] = []

    def below(self, end: int) -> int:
        """An integer of 0 to `end` - 1, each as likely; `end` is at most 2**32."""
        whole = WORD - WORD % end
        while (word := self._word()) >= whole:
            pass
        return word % end

    def between(self, first: int, last: int) -> int:
        """An integer of `first` to `last`, both included."""
        return first + self.below(last - first + 1)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All options in a random order (Fisher and Yates)."""
        found = list(options)
        for last in range(len(found) - 1, 0, -1):
            other = self.below(last + 1)
            found[last], found[other] = found[other], found[last]
        return found

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """So many different options, in a random order."""
        return self.shuffled(options)[:count]

    def _word(self) -> int:
        if not self._words:
            block = hashlib.sha256(f"{self._key}/{self._block}".encode()).digest()
            self._words = [int.from_bytes(block[at : at + 4], "big") for at in range(0, len(block), 4)]
            self._block += 1
        return self._words.pop()
