"""The ways in which GPUs share a training job: what runs on each of them, and what each of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Engine(StrEnum):
    """What wraps the model of a rank."""

    NONE = "none"
    DDP = "DistributedDataParallel"
    FSDP = "FSDP"
    DEEPSPEED = "DeepSpeed"


class Parallelism(NamedTuple):
    """One value of `instance.parallelism`.

    Attributes:
        name: as in a spec.
        engine: what wraps the model.
        shards_optimizer: whether each data-parallel rank holds its part of the optimizer states.
        shards_gradients: likewise, of the gradients.
        shards_weights: likewise, of the weights, which are gathered for every layer.
        shards_four_bits: whether 4-bit weights are sharded too, if they are stored in the compute dtype.
        splits_layers: whether one process puts the layers on several GPUs (`device_map="auto"`).

    Source: docs.pytorch.org, `ShardingStrategy`; deepspeed.ai, "ZeRO"; huggingface.co/docs/bitsandbytes, "FSDP-QLoRA".
    """

    name: str
    engine: Engine
    shards_optimizer: bool = False
    shards_gradients: bool = False
    shards_weights: bool = False
    shards_four_bits: bool = False
    splits_layers: bool = False

    @property
    def distributed(self) -> bool:
        """Whether a process runs on every GPU; otherwise one process runs in all."""
        return self.engine is not Engine.NONE

    @property
    def sharded(self) -> bool:
        """Whether ranks hold parts of the model's states; only such engines offload them to host memory."""
        return self.shards_optimizer

    @property
    def replicates(self) -> bool:
        """Whether every rank holds a whole copy of the model's states."""
        return self.distributed and not self.sharded

    @property
    def uses_one_gpu(self) -> bool:
        """Whether the job computes on a single GPU, however many the instance has."""
        return not (self.distributed or self.splits_layers)

    @property
    def zero_stage(self) -> int | None:
        """ZeRO's stage: how many of the three kinds of states DeepSpeed shards; None under another engine."""
        if self.engine is not Engine.DEEPSPEED:
            return None
        return self.shards_optimizer + self.shards_gradients + self.shards_weights

    @property
    def takes_strategy(self) -> bool:
        """Whether `instance.sharding` chooses what the ranks hold."""
        return self.engine is Engine.FSDP


PARALLELISMS: Mapping[str, Parallelism] = {
    way.name: way
    for way in (
        Parallelism("single", Engine.NONE),
        Parallelism("ddp", Engine.DDP),
        Parallelism("pipeline", Engine.NONE, splits_layers=True),
        Parallelism(
            "fsdp",
            Engine.FSDP,
            shards_optimizer=True,
            shards_gradients=True,
            shards_weights=True,
            shards_four_bits=True,
        ),
        Parallelism("zero1", Engine.DEEPSPEED, shards_optimizer=True),
        Parallelism("zero2", Engine.DEEPSPEED, shards_optimizer=True, shards_gradients=True),
        Parallelism("zero3", Engine.DEEPSPEED, shards_optimizer=True, shards_gradients=True, shards_weights=True),
    )
}
"""Every way, by name."""

SHARDED = tuple(way.name for way in PARALLELISMS.values() if way.sharded)
"""Those that shard, from the most to the least known."""

REPLICATED = tuple(way.name for way in PARALLELISMS.values() if way.replicates)
"""Those that copy the model's states to every GPU."""

SPLIT = tuple(way.name for way in PARALLELISMS.values() if way.splits_layers)
"""Those that put the layers of one process on several GPUs."""

ADVISED = (*REPLICATED, SHARDED[0])
"""Those with a process on every GPU that rules and changes recommend."""
