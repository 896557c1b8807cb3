"""A training process on one GPU, as torch's allocator sees it: loading, updates with rows of given lengths, evaluation.

A process is deterministic. It is that of one GPU of a job whose ranks hold whole weights (one process, DDP, or the
layers that `device_map="auto"` put there) or share them in a way that is known (`hbspec.estimators.step.sharding`).
Layers that are alike ask for the same sizes one after the other, so most of them are told only by what outlives their
phase (`hbspec.estimators.step.microbatch.WHOLE`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hbspec.estimators.step.allocator import Allocator
from hbspec.estimators.step.blueprint import Blueprint, Together
from hbspec.estimators.step.job import WORKSPACES
from hbspec.estimators.step.pool import SMALL_SEGMENT, Block
from hbspec.estimators.step.sharding import gathers, loading


class Circumstances(NamedTuple):
    """What the job does not tell about a process.

    Attributes:
        capacity: bytes that the driver can give to the allocator; None is any number.
        expandable: whether segments are expandable.
        whole: whether every layer is followed request by request, see `hbspec.estimators.step.microbatch.WHOLE`.
        warm: whether the weights are put into one segment that was opened for all of them (transformers 5.23.0,
            `caching_allocator_warmup`), or into segments of their own.
        together: whether weights that are shared are all on the GPU before any of them is sharded.
    """

    capacity: int | None = None
    expandable: bool = False
    whole: bool = True
    warm: bool = False
    together: bool = False


class Process:
    """A training process: what it holds, and what it does."""

    def __init__(self, blueprint: Blueprint, around: Circumstances) -> None:
        self._blueprint, self.around = blueprint, around
        self._allocator = Allocator(expandable=around.expandable, capacity=around.capacity)
        self._small = self._most_small = 0

    def load(self) -> None:
        """Weights, adapters and buckets; what loading takes for a while is free again."""
        if gathers(self._blueprint.job):
            self._load_shards()
            return
        found = self._blueprint.whole_load(warm=self.around.warm)
        self._small = self._most_small = found.small
        self._allocator.follow(found.actions, found.sizes, {})

    def _load_shards(self) -> None:
        """Weights that are sharded unit by unit, and adapters."""
        blueprint = self._blueprint
        slots = loading(blueprint.job, blueprint.stage, together=self.around.together, warm=self.around.warm)
        asked = slots.at(0, 0)
        self._allocator.follow(asked.parts[0], asked.sizes, {})
        self._most_small, self._small = asked.small, asked.small_left
        self._ask(
            -(-size // blueprint.job.shards.weights) for size in blueprint.trained if blueprint.job.training.adapters
        )

    def fork(self, around: Circumstances) -> Process:
        """A process that goes on from here by itself."""
        twin = Process(self._blueprint, around)
        twin._allocator = self._allocator.fork(around.capacity)
        twin._small, twin._most_small = self._small, self._most_small
        return twin

    @property
    def allocated(self) -> int:
        """Bytes of its tensors."""
        return self._allocator.allocated + self._small

    @property
    def most(self) -> int:
        """The most bytes in segments of large blocks."""
        return self._allocator.peak_reserved

    @property
    def bound(self) -> bool:
        """Whether its memory ever did not suffice for what the allocator kept."""
        return self._allocator.bound

    def update(self, rows: Sequence[int], *, first: bool) -> None:
        """An update: its micro-batches, the optimizer, and gradients that are let go of."""
        blueprint = self._blueprint
        accumulated = self._take(blueprint.accumulated, stays=False) if len(rows) > 1 else []
        inputs = self._ask((24 * blueprint.job.training.micro_batch * tokens for tokens in rows), stays=False)
        gradients, small = list[Block](), self._small
        for number, tokens in enumerate(rows):
            arrived = self._micro_batch(tokens, workspaces=first and number == 0)
            if accumulated:
                self._give(arrived)
            else:
                gradients += arrived
        kept = self._small - small
        if first:
            self._take(blueprint.optimizer_states)
        self._give(self._take(blueprint.updating, stays=False))
        self._give([*accumulated, *gradients, *inputs])
        self._small -= kept

    def evaluate(self, tokens: int) -> None:
        """A micro-batch of an evaluation."""
        found = self._blueprint.evaluation(tokens)
        if found is not None:
            self._allocator.follow(found.parts[0], found.sizes, {})

    def reserve(self) -> int:
        """The most bytes in segments, with those that hold the blocks that are too small to follow."""
        return self._allocator.peak_reserved + -(-self._most_small // SMALL_SEGMENT) * SMALL_SEGMENT

    def _micro_batch(self, tokens: int, *, workspaces: bool) -> list[Block]:
        """Forward and back; the gradients that stay. The first product of either pass takes a workspace for good."""
        found = self._blueprint.micro_batch(tokens, whole=self.around.whole)
        blocks: dict[int, Block] = {}
        for part in found.parts:
            if workspaces:
                self._ask([self._blueprint.job.workspaces // WORKSPACES])
            self._allocator.follow(part, found.sizes, blocks)
        self._most_small = max(self._most_small, self._small + found.small)
        self._small += found.small_left
        return [blocks[slot] for slot in found.kept]

    def _ask(self, requests: Iterable[int], *, stays: bool = True) -> list[Block]:
        """Blocks for some requests."""
        return self._take(Together.of(requests), stays=stays)

    def _take(self, together: Together, *, stays: bool = True) -> list[Block]:
        """Blocks for the large ones of some requests; small ones are counted, for good if they stay."""
        self._most_small = max(self._most_small, self._small + together.small)
        self._small += together.small if stays else 0
        return self._allocator.take(together.large)

    def _give(self, blocks: Iterable[Block]) -> None:
        self._allocator.free(blocks)
