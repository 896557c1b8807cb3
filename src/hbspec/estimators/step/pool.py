"""Blocks and segments: what a pool of torch's caching allocator is made of (`hbspec.estimators.step.allocator`)."""

from __future__ import annotations

from bisect import bisect_left, insort

BLOCK = 512
"""Requests are rounded up to it (`kMinBlockSize`)."""

SMALL = 1 << 20
"""The largest request that comes from the pool of small blocks (`kSmallSize`)."""

SMALL_SEGMENT = 2 << 20
"""A segment of that pool (`kSmallBuffer`), and what larger segments are rounded up to (`kRoundLarge`)."""

LARGE_SEGMENT = 20 << 20
"""A segment for requests below `MIN_LARGE`, and a page of an expandable one (`large_segment_size_`)."""

MIN_LARGE = 10 << 20
"""The smallest request that gets a segment of its own size (`kMinLargeAlloc`)."""


def block_bytes(request: int) -> int:
    """The bytes of a segment that a request takes.

    >>> block_bytes(1), block_bytes(512), block_bytes(513)
    (512, 512, 1024)
    """
    return max(BLOCK, -(-request // BLOCK) * BLOCK)


def segment_bytes(block: int) -> int:
    """The bytes that the driver is asked for where no free block is large enough.

    >>> segment_bytes(512) >> 20, segment_bytes(2 << 20) >> 20, segment_bytes((31 << 20) + 512) >> 20
    (2, 20, 32)
    """
    if block <= SMALL:
        return SMALL_SEGMENT
    return LARGE_SEGMENT if block < MIN_LARGE else -(-block // SMALL_SEGMENT) * SMALL_SEGMENT


ADDRESS = 48
"""Bits of an address: a free block is one number, its size above its address, so that free blocks are in torch's order
(`BlockComparatorSize`)."""

ADDRESSES = (1 << ADDRESS) - 1
"""The bits of a free block that are its address."""

Block = tuple[int, int, int]
"""A block in use: its address, its bytes, and its pool as `place` numbers it."""


def place(size: int, stream: int) -> int:
    """The number of the pool from which a stream's requests of a size come."""
    return stream if size > SMALL else ~stream


class Pool:
    """What is free of the segments of small or of large requests on one stream.

    Attributes:
        small: whether it is the pool of small requests.
        page: bytes by which an expandable segment grows.
        free: free blocks in order of size, then of address: `size << ADDRESS | address`.
        begins: each free block by its address.
        ends: each free block by the address behind it.
        segments: bytes of each segment as it was opened, by its address.
        end: the address behind an expandable segment, if that exists.
    """

    __slots__ = ("begins", "end", "ends", "free", "page", "segments", "small")

    def __init__(self, *, small: bool) -> None:
        self.small = small
        self.page = SMALL_SEGMENT if small else LARGE_SEGMENT
        self.free: list[int] = []
        self.begins: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.segments: dict[int, int] = {}
        self.end: int | None = None

    @property
    def free_bytes(self) -> int:
        """Bytes of all free blocks."""
        return sum(block >> ADDRESS for block in self.free)

    @property
    def last(self) -> int | None:
        """The address of the free block at the end of an expandable segment, if there is one."""
        block = None if self.end is None else self.ends.get(self.end)
        return None if block is None else block & ADDRESSES

    def add(self, address: int, size: int) -> None:
        """A stretch between blocks in use becomes free."""
        self.begins[address] = self.ends[address + size] = block = size << ADDRESS | address
        insort(self.free, block)

    def remove(self, address: int) -> int:
        """The bytes of a free block, which is taken or given back."""
        block = self.begins.pop(address)
        size = block >> ADDRESS
        del self.ends[address + size], self.free[bisect_left(self.free, block)]
        return size

    def fork(self) -> Pool:
        """A copy."""
        twin = Pool(small=self.small)
        twin.free, twin.begins, twin.ends = self.free.copy(), self.begins.copy(), self.ends.copy()
        twin.segments, twin.end = self.segments.copy(), self.end
        return twin
