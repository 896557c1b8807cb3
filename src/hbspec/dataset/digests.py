"""Sixteen bytes that identify an example, and a set of millions of them that takes little more than that."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from hashlib import blake2b

DIGEST_BYTES = 16
FULL = 1024
"""Digests of a leaf before it is split: a search in it takes ten steps, an insertion moves 8 KiB at the mean."""


def digest(roles: Sequence[str], encoded: Sequence[bytes]) -> bytes:
    """Of messages: all roles, then all contents, each with its length before it, so that no two lists run together."""
    hashed = blake2b(digest_size=DIGEST_BYTES)
    for text in (*map(str.encode, roles), *encoded):
        hashed.update(len(text).to_bytes(8) + text)
    return hashed.digest()


class Digests:
    """A growing set of digests, in order: leaves of a sorted `bytearray` each (a B+ tree of two levels).

    About 17 bytes a digest with what leaves keep free, where a `set` of `bytes` takes 110 to 140: an object of 56, and
    a slot of 16 in a table that is at most three fifths full. Digests are as good as random, so leaves fill evenly.
    """

    def __init__(self) -> None:
        self._leaves = [bytearray()]
        self._first = [bytes(DIGEST_BYTES)]

    def add(self, mark: bytes) -> bool:
        """Put one in; False if it was there."""
        index, leaf, place = self._find(mark)
        if leaf[place : place + DIGEST_BYTES] == mark:
            return False
        leaf[place:place] = mark
        if len(leaf) > FULL * DIGEST_BYTES:
            half = FULL // 2 * DIGEST_BYTES
            self._leaves[index : index + 1] = [leaf[:half], leaf[half:]]
            self._first.insert(index + 1, bytes(leaf[half : half + DIGEST_BYTES]))
        return True

    def __contains__(self, mark: bytes) -> bool:
        _, leaf, place = self._find(mark)
        return leaf[place : place + DIGEST_BYTES] == mark

    def __len__(self) -> int:
        return sum(map(len, self._leaves)) // DIGEST_BYTES

    def __iter__(self) -> Iterator[bytes]:
        """In ascending order."""
        for leaf in self._leaves:
            for place in range(0, len(leaf), DIGEST_BYTES):
                yield bytes(leaf[place : place + DIGEST_BYTES])

    def __bytes__(self) -> bytes:
        """All of them, one after the other in ascending order."""
        return b"".join(self._leaves)

    def _find(self, mark: bytes) -> tuple[int, bytearray, int]:
        """The leaf that holds or would hold a digest, and the byte where it begins or would."""
        index = bisect_right(self._first, mark) - 1
        leaf = self._leaves[index]
        rank = bisect_left(
            range(len(leaf) // DIGEST_BYTES),
            mark,
            key=lambda rank: bytes(leaf[rank * DIGEST_BYTES : (rank + 1) * DIGEST_BYTES]),
        )
        return index, leaf, rank * DIGEST_BYTES
