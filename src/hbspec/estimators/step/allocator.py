"""torch's caching allocator: which free block a request gets, and when the driver is asked for more.

A request is rounded up to 512 bytes. Requests of up to 1 MiB and larger ones have pools of their own, and so has every
stream: a block that was asked for on one is never given to another. Of a pool's free blocks the smallest that is large
enough is taken, of equal ones the one at the lowest address, and its rest is split off where it is worth keeping. Where
none is large enough a segment is opened: 2 MiB for small requests, 20 MiB for those below 10 MiB, otherwise the request
rounded up to 2 MiB. A freed block joins its free neighbours and stays in the pool. Expandable segments are one range of
addresses for each pool, which grows at its end by pages of 2 or 20 MiB.

Source: torch 2.13, `c10/core/AllocatorConfig.h` and `c10/cuda/CUDACachingAllocator.cpp` (`round_size`,
`get_free_block`, `should_split`, `alloc_block`, `free_block`, `find_expandable_block`). Compared with streams recorded
on GPUs, request by request (`tests/estimators/test_recorded_streams.py`). Left out: splitting limits, garbage
collection, and free pages in the middle of an expandable segment, which `release` keeps. Whoever asks says when a block
is free that another stream still used (`record_stream`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from copy import copy

from hbspec.estimators.step.pool import ADDRESS, ADDRESSES, BLOCK, SMALL, Block, Pool, block_bytes, place, segment_bytes

COMPUTING = 0
"""The stream on which everything is computed; the others are those of whoever sends weights and gradients."""

Action = tuple[int, int, int]
"""A slot, which of some sizes the block has that is put there, and its pool as `place` numbers it; with size 0 the
slot's block is let go of."""


class OutOfMemoryError(Exception):
    """The driver has less than is asked for, with all free segments given back (`torch.OutOfMemoryError`).

    Args:
        needed: bytes that it would have had to have.
    """

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed:,} bytes are needed")
        self.needed = needed


class Driver:
    """Addresses for segments, each below the one before, as CUDA's driver gives them to large ones."""

    def __init__(self) -> None:
        self._lowest = 1 << 47

    def __call__(self, size: int) -> int:
        """Where a segment of so many bytes begins."""
        self._lowest -= size
        return self._lowest


class Allocator:
    """The caching allocator of a process on one GPU.

    Attributes:
        reserved: bytes of all segments (`torch.cuda.memory_reserved`).
        peak_reserved: the most that it was (`torch.cuda.max_memory_reserved`).
        bound: whether the driver ever had less than was asked for.

    Args:
        expandable: whether segments are expandable (`PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True`).
        capacity: bytes that the driver has. Where they do not suffice, free segments are given back first; if they do
            not suffice then, `OutOfMemoryError` is raised.
        driver: tells the address of a new segment of so many bytes.
    """

    def __init__(
        self,
        *,
        expandable: bool = False,
        capacity: int | None = None,
        driver: Callable[[int], int] | None = None,
    ) -> None:
        self.reserved = self.peak_reserved = 0
        self.bound = False
        self._pools: dict[int, Pool] = {}
        self._driver = driver or Driver()
        self._expandable, self._capacity = expandable, capacity

    @property
    def allocated(self) -> int:
        """Bytes of all blocks in use (`torch.cuda.memory_allocated`)."""
        return self.reserved - sum(pool.free_bytes for pool in self._pools.values())

    def pool(self, where: int) -> Pool:
        """The pool of a number that `place` gave."""
        found = self._pools.get(where)
        if found is None:
            found = self._pools[where] = Pool(small=where < 0)
        return found

    def allocate(self, request: int) -> Block:
        """The block that a request of so many bytes gets."""
        return self.take([block_bytes(request)])[0]

    def take(self, sizes: Sequence[int]) -> list[Block]:
        """The blocks that requests get whose bytes are rounded already, in order."""
        blocks: dict[int, Block] = {}
        self.follow([(at, at, place(size, COMPUTING)) for at, size in enumerate(sizes, 1)], (0, *sizes), blocks)
        return [*blocks.values()]

    def free(self, blocks: Iterable[Block]) -> None:
        """The tensors in some blocks are gone, in order."""
        held = dict(enumerate(blocks))
        self.follow([(slot, 0, 0) for slot in held], (0,), held)

    def follow(self, actions: Iterable[Action], sizes: Sequence[int], blocks: dict[int, Block]) -> None:
        """Requests and blocks that are let go of, in order.

        Args:
            actions: what is done.
            sizes: bytes of blocks, rounded; the first stands for none.
            blocks: the blocks by slot, before and afterwards.
        """
        current, expandable = None, self._expandable
        for slot, number, where in actions:
            if number:
                size = sizes[number]
            else:
                address, size, where = blocks.pop(slot)
            if where != current:
                current, pool = where, self.pool(where)
                free, begins, ends, segments = pool.free, pool.begins, pool.ends, pool.segments
                worth = BLOCK if pool.small or expandable else SMALL + BLOCK
            if number:
                at = bisect_left(free, size << ADDRESS)
                if expandable and at < len(free) and free[at] & ADDRESSES == pool.last:
                    at += 1  # it could grow without end, so that every other block fits better
                if at < len(free):
                    block = free.pop(at)
                    address = block & ADDRESSES
                    end = address + (block >> ADDRESS)
                    del begins[address], ends[end]
                else:
                    address, end = self._grown(pool, size)
                if end - address - size >= worth:
                    behind = address + size
                    begins[behind] = ends[end] = block = (end - behind) << ADDRESS | behind
                    insort(free, block)
                    end = behind
                blocks[slot] = address, end - address, where
                continue
            end = address + size
            if end in begins and end not in segments:
                block = begins.pop(end)
                del free[bisect_left(free, block)]
                end += block >> ADDRESS
            if address in ends and address not in segments:
                block = ends.pop(address)
                del free[bisect_left(free, block)]
                address = block & ADDRESSES
            begins[address] = ends[end] = block = (end - address) << ADDRESS | address
            insort(free, block)

    def fork(self, capacity: int | None = None) -> Allocator:
        """A copy that goes on by itself, with so many bytes."""
        twin = Allocator(expandable=self._expandable, capacity=capacity, driver=copy(self._driver))
        twin.reserved, twin.peak_reserved, twin.bound = self.reserved, self.peak_reserved, self.bound
        twin._pools = {where: pool.fork() for where, pool in self._pools.items()}
        return twin

    def release(self) -> None:
        """Give segments without a tensor, or the free end of an expandable one, back (`torch.cuda.empty_cache`)."""
        for pool in self._pools.values():
            if self._expandable:
                self._shrink(pool)
                continue
            for block in pool.free.copy():
                if pool.segments.get(block & ADDRESSES) == block >> ADDRESS:
                    self.close(pool, block & ADDRESSES)

    def open(self, pool: Pool, size: int) -> int:
        """The address of a new segment, which is in nobody's hands."""
        self._make_room(size)
        self._add(size)
        address = self._driver(size)
        pool.segments[address] = size
        return address

    def close(self, pool: Pool, address: int) -> None:
        """A segment that is free goes back to the driver."""
        self.reserved -= pool.remove(address)
        del pool.segments[address]

    def _grown(self, pool: Pool, size: int) -> tuple[int, int]:
        """Both ends of a block of memory that the driver adds."""
        if self._expandable:
            return self._extended(pool, size)
        more = segment_bytes(size)
        address = self.open(pool, more)
        return address, address + more

    def _extended(self, pool: Pool, size: int) -> tuple[int, int]:
        """The end of the expandable segment, which grows by whole pages as far as need be."""
        self._make_room(self._missing(pool, size))
        more = self._missing(pool, size)
        if pool.end is None:
            address = self.open(pool, more)
            pool.end = address + more
            return address, pool.end
        self._add(more)
        address = pool.end if pool.last is None else pool.last
        if pool.last is not None:
            pool.remove(address)
        pool.end += more
        return address, pool.end

    def _missing(self, pool: Pool, size: int) -> int:
        """Bytes of the pages by which the expandable segment must grow for a block."""
        there = 0 if pool.last is None or pool.end is None else pool.end - pool.last
        return max(0, -(-(size - there) // pool.page) * pool.page)

    def _shrink(self, pool: Pool) -> None:
        """Whole pages at the free end of an expandable segment go back."""
        address = pool.last
        if address is None or pool.end is None:
            return
        size = pool.remove(address)
        back = size // pool.page * pool.page
        self.reserved -= back
        pool.end -= back
        if size > back:
            pool.add(address, size - back)
        elif address in pool.segments:
            pool.segments.clear()
            pool.end = None

    def _make_room(self, size: int) -> None:
        """Give back what is free where the driver has less than is asked for."""
        if self._capacity is not None and self.reserved + size > self._capacity:
            self.bound = True
            self.release()

    def _add(self, size: int) -> None:
        if self._capacity is not None and self.reserved + size > self._capacity:
            raise OutOfMemoryError(self.reserved + size)
        self.reserved += size
        if self.reserved > self.peak_reserved:
            self.peak_reserved = self.reserved
