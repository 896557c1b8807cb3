"""Laws of the caching allocator, in both of its modes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hbspec.estimators.step.allocator import COMPUTING, Allocator, OutOfMemoryError
from hbspec.estimators.step.pool import LARGE_SEGMENT, SMALL, SMALL_SEGMENT, Block, place, segment_bytes

REQUESTS = st.lists(
    st.tuples(st.one_of(st.integers(1, SMALL), st.integers(SMALL, 64 * SMALL)), st.integers(0, 40)), max_size=60
)
"""Requests, each with how many of the tensors before it are let go of first."""

POOLS = [place(size, COMPUTING) for size in (SMALL, SMALL + 1)]


class Watched(Allocator):
    """An allocator with the most bytes that were in use, and those that the driver did not have."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.peak_allocated = self.refused = 0

    def allocate(self, request: int) -> Block:
        try:
            block = super().allocate(request)
        except OutOfMemoryError as out:
            self.refused = out.needed
            raise
        self.peak_allocated = max(self.peak_allocated, self.allocated)
        return block


def run(allocator: Allocator, requests: list[tuple[int, int]]) -> list[Block]:
    """The blocks that are in use at the end, or when memory runs out."""
    alive: list[Block] = []
    for request, gone in requests:
        for _ in range(min(gone % 3, len(alive))):
            allocator.free([alive.pop(gone % len(alive))])
        try:
            alive.append(allocator.allocate(request))
        except OutOfMemoryError:
            break
    return alive


@given(REQUESTS, st.booleans(), st.none() | st.integers(0, 64).map(lambda segments: segments * SMALL_SEGMENT))
def test_free_and_used_blocks_are_what_is_reserved(
    requests: list[tuple[int, int]], expandable: bool, capacity: int | None
) -> None:
    allocator = Watched(expandable=expandable, capacity=capacity)
    alive = run(allocator, requests)
    free = sum(allocator.pool(where).free_bytes for where in POOLS)
    assert allocator.allocated == sum(size for _, size, _ in alive)
    assert allocator.reserved == allocator.allocated + free
    assert capacity is None or allocator.peak_reserved <= capacity
    assert allocator.peak_reserved >= allocator.peak_allocated >= allocator.allocated


@given(REQUESTS, st.booleans())
def test_no_two_tensors_share_an_address(requests: list[tuple[int, int]], expandable: bool) -> None:
    # of one pool, as both ranges of addresses of expandable segments grow
    alive = run(Allocator(expandable=expandable), requests)
    for where in POOLS:
        places = sorted((address, size) for address, size, pool in alive if pool == where)
        assert all(begin + size <= after for (begin, size), (after, _) in pairwise(places))


@given(REQUESTS, st.booleans())
def test_what_holds_nothing_gives_everything_back(requests: list[tuple[int, int]], expandable: bool) -> None:
    allocator = Allocator(expandable=expandable)
    allocator.free(run(allocator, requests))
    allocator.release()
    assert allocator.allocated == allocator.reserved == 0


@given(st.lists(st.integers(1, 64 * SMALL), min_size=1, max_size=30))
def test_what_only_grows_wastes_less_than_a_page_where_segments_expand(requests: list[int]) -> None:
    allocator = Allocator(expandable=True)
    run(allocator, [(request, 0) for request in requests])
    assert allocator.reserved - allocator.allocated < LARGE_SEGMENT + SMALL_SEGMENT


def test_small_requests_share_a_segment_of_two_mebibytes() -> None:
    allocator = Allocator()
    blocks = [allocator.allocate(SMALL // 2) for _ in range(4)]
    assert allocator.reserved == SMALL_SEGMENT
    assert [address - blocks[0][0] for address, _, _ in blocks] == [0, SMALL // 2, SMALL, 3 * SMALL // 2]


def test_a_rest_of_up_to_one_mebibyte_stays_with_its_block() -> None:
    allocator = Allocator()
    allocator.free([allocator.allocate(12 * SMALL)])
    assert allocator.allocate(11 * SMALL)[1] == 12 * SMALL
    allocator = Allocator()
    allocator.free([allocator.allocate(12 * SMALL)])
    assert allocator.allocate(11 * SMALL - 512)[1] == 11 * SMALL - 512


def test_the_smallest_block_that_is_large_enough_is_taken() -> None:
    allocator = Allocator()
    sizes = 30 * SMALL, 24 * SMALL, 40 * SMALL
    blocks = [allocator.allocate(size) for size in sizes]
    allocator.free(blocks)
    assert allocator.allocate(23 * SMALL)[0] == blocks[1][0]
    assert allocator.reserved == sum(map(segment_bytes, sizes))


def test_longer_and_longer_rows_leave_holes_unless_segments_expand() -> None:
    fixed, expanding = Watched(), Watched(expandable=True)
    for allocator in (fixed, expanding):
        for size in range(20 * SMALL, 40 * SMALL, 3 * SMALL):
            allocator.free([allocator.allocate(size)])
    assert fixed.peak_reserved > 3 * fixed.peak_allocated
    assert expanding.peak_reserved < fixed.peak_allocated + LARGE_SEGMENT


@given(REQUESTS, st.booleans())
def test_within_a_capacity_nothing_is_lost_and_more_is_reserved_only_where_nothing_is_free(
    requests: list[tuple[int, int]], expandable: bool
) -> None:
    capacity = 256 * SMALL
    allocator = Watched(expandable=expandable, capacity=capacity)
    alive = run(allocator, requests)
    free = sum(allocator.pool(where).free_bytes for where in POOLS)
    assert allocator.reserved == sum(size for _, size, _ in alive) + free <= capacity
    boundless = Allocator(expandable=expandable)
    run(boundless, requests)
    assert allocator.bound == (boundless.peak_reserved > capacity)
    if allocator.refused:
        assert capacity < allocator.refused
        assert expandable or allocator.refused <= boundless.peak_reserved


def test_free_segments_are_given_back_before_more_is_taken_than_there_is() -> None:
    allocator = Allocator(capacity=50 * SMALL)
    allocator.free([allocator.allocate(30 * SMALL)])
    allocator.allocate(40 * SMALL)
    assert allocator.peak_reserved == 40 * SMALL


def shape(allocator: Allocator) -> list[Any]:
    """What an allocator has and has free."""
    free = [allocator.pool(where).free for where in POOLS]
    return [allocator.reserved, allocator.peak_reserved, allocator.allocated, *free]


@given(REQUESTS, REQUESTS, st.booleans())
def test_a_fork_goes_on_as_the_allocator_does(
    before: list[tuple[int, int]], after: list[tuple[int, int]], expandable: bool
) -> None:
    allocator = Allocator(expandable=expandable)
    run(allocator, before)
    fork = allocator.fork()
    for one in (allocator, fork):
        run(one, after)
    assert shape(fork) == shape(allocator)
