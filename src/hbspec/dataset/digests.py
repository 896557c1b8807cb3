"""Digests of 16 bytes that identify examples, and a compact set for millions of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from hashlib import blake2b

DIGEST_BYTES = 16
FULL = 1024
"""Largest number of digests in a leaf: a search takes ten steps, an insertion moves 8 KiB on average."""


def digest(roles: Sequence[str], encoded: Sequence[bytes]) -> bytes:
    """The digest of a conversation: of all roles, then all contents, each preceded by its length to keep them apart."""
    hashed = blake2b(digest_size=DIGEST_BYTES)
    for text in (*map(str.encode, roles), *encoded):
        hashed.update(len(text).to_bytes(8) + text)
    return hashed.digest()


class Digests:
    """A growing sorted set of digests: a two-level B+ tree whose leaves are sorted `bytearray`s.

    A digest takes about 17 bytes, including free space in the leaves. In a `set` of `bytes` it takes 110 to 140: an
    object of 56, and a slot of 16 in a table that is at most three fifths full. Digests are practically random, so
    leaves fill evenly.
    """

    def __init__(self) -> None:
        self._leaves = [bytearray()]
        self._first = [bytes(DIGEST_BYTES)]

    def add(self, mark: bytes) -> bool:
        """Add a digest; return False if the set already held it."""
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
        """The digests in ascending order."""
        for leaf in self._leaves:
            for place in range(0, len(leaf), DIGEST_BYTES):
                yield bytes(leaf[place : place + DIGEST_BYTES])

    def __bytes__(self) -> bytes:
        """All digests, concatenated in ascending order."""
        return b"".join(self._leaves)

    def _find(self, mark: bytes) -> tuple[int, bytearray, int]:
        """The index and the leaf that hold or would hold a digest, and its offset in bytes."""
        index = bisect_right(self._first, mark) - 1
        leaf = self._leaves[index]
        rank = bisect_left(
            range(len(leaf) // DIGEST_BYTES),
            mark,
            key=lambda rank: bytes(leaf[rank * DIGEST_BYTES : (rank + 1) * DIGEST_BYTES]),
        )
        return index, leaf, rank * DIGEST_BYTES
