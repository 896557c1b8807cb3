"""The allocator against what real GPUs did: every segment opened at the same request, every block at the same address.

Each file is a stream of requests that torch recorded (`torch.cuda.memory._record_memory_history`), with its public
source: segments and blocks at its start, then `open` and `close` (a segment), `alloc` and `free` (a block).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hbspec.estimators.step.allocator import COMPUTING, Allocator
from hbspec.estimators.step.pool import ADDRESS, SMALL, Block, place

STREAMS = sorted((Path(__file__).parent / "recorded_streams").glob("*.json.gz"))

SMALL_POOL, LARGE_POOL = place(SMALL, COMPUTING), place(SMALL + 1, COMPUTING)


class Recorded:
    """The driver of a recording: it has the address of the next segment, or none that was opened then."""

    def __init__(self) -> None:
        self.expected: tuple[int, int] | None = None

    def __call__(self, size: int) -> int:
        assert self.expected is not None, f"a segment of {size:,} bytes is opened, and none was"
        address, recorded = self.expected
        assert size == recorded
        self.expected = None
        return address


class Replayed(NamedTuple):
    """How many requests there were, and whether each opened a segment or reused a block."""

    requests: int
    opened: int
    reused: int


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_every_block_lies_where_it_lay_on_the_gpu(path: Path) -> None:
    with gzip.open(path, "rt") as file:
        replayed = replay(json.load(file))
    assert replayed.opened + replayed.reused == replayed.requests


def test_streams_of_a_whole_training_step_are_among_them() -> None:
    requests = {}
    for path in STREAMS:
        with gzip.open(path, "rt") as file:
            requests[path.name] = replay(json.load(file)).requests
    assert len(requests) == 6
    assert requests["transformer-training-step-128.json.gz"] == 6771


def replay(recording: Mapping[str, Any]) -> Replayed:
    """Follow a recording; the first difference fails."""
    driver = Recorded()
    allocator = Allocator(driver=driver)
    blocks = start(allocator, driver, recording)
    requests = opened = 0
    for action, address, size in recording["events"]:
        if action == "open":
            driver.expected = address, size
        elif action == "close":
            close(allocator, address)
        elif action == "free":
            allocator.free([blocks.pop(address)])
        else:
            requests, opened = requests + 1, opened + (driver.expected is not None)
            block = allocator.allocate(size)
            assert driver.expected is None, f"request {requests}: a segment was opened, and none is"
            assert block[0] == address, f"request {requests}"
            blocks[address] = block
    return Replayed(requests, opened, requests - opened)


def start(allocator: Allocator, driver: Recorded, recording: Mapping[str, Any]) -> dict[int, Block]:
    """Segments and blocks in use when the recording began."""
    used = sorted(recording["blocks_in_use_at_start"])
    blocks = {}
    for address, size, kind in recording["segments_at_start"]:
        where = SMALL_POOL if kind == "small" else LARGE_POOL
        pool = allocator.pool(where)
        driver.expected = address, size
        free = allocator.open(pool, size)
        for begin, length in [block for block in used if address <= block[0] < address + size]:
            if begin > free:
                pool.add(free, begin - free)
            blocks[begin] = begin, length, where
            free = begin + length
        if free < address + size:
            pool.add(free, address + size - free)
    return blocks


def close(allocator: Allocator, address: int) -> None:
    """One segment goes back to the driver."""
    [pool] = [pool for pool in map(allocator.pool, (SMALL_POOL, LARGE_POOL)) if address in pool.segments]
    assert pool.begins[address] >> ADDRESS == pool.segments[address]
    allocator.close(pool, address)
