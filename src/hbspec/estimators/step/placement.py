"""Which part of the model lies on which GPU, and into how many parts it is cut."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.plan import Plan

SAFETY = 1.25
"""Room beside an even share: times the largest module (transformers 5.23.0, `integrations/accelerate.py`,
`get_balanced_memory`)."""

QUANTIZED_SHARE = 0.9
"""What bitsandbytes' loader uses of that (`quantizer_bnb_4bit.py`, `adjust_max_memory`)."""


class Stage(NamedTuple):
    """What one GPU computes on: layers from `first` up to `last`, the embedding, the head."""

    first: int
    last: int
    embedding: bool
    head: bool

    @property
    def layers(self) -> int:
        """How many layers it has; 0 is a GPU that `device_map="auto"` left without any."""
        return self.last - self.first

    @property
    def kind(self) -> tuple[int, bool, bool]:
        """Stages of one kind hold the same, but for a byte of rounding."""
        return self.layers, self.embedding, self.head


class Shards(NamedTuple):
    """Into how many parts a state is cut over the ranks; 1 is a whole copy on each."""

    weights: int
    gradients: int
    optimizer: int


def shards(plan: Plan) -> Shards:
    """How `parallelism` and `sharding` cut weights, gradients and optimizer states.

    Hybrid FSDP cuts over one host's GPUs only (docs.pytorch.org, `ShardingStrategy`).

    Raises:
        NotKnownError: the hardware or the number of processes is not known.
    """
    ranks = plan.require("data_parallel_size")
    if plan.sharding == "none":
        return Shards(1, 1, 1)
    if plan.sharding == "hybrid":
        ranks = max(1, min(ranks, plan.require("hardware").gpus_per_instance // plan.tensor_parallel))
    way = plan.way
    cut = (way.shards_weights, way.shards_gradients, way.shards_optimizer)
    return Shards(*(ranks if is_cut else 1 for is_cut in cut))


def spread(
    layers: int, layer: float, embedding: float, head: float, gpus: int, *, quantized: bool
) -> tuple[Stage, ...]:
    """`device_map="auto"`: the stages of a model over the GPUs of one host.

    Each GPU but the last may hold total / gpus + 1.25 max(layer, embedding), nine tenths of it if quantised; the first
    keeps room free for the largest module. Modules are put down in order, so that what is over is left empty at the
    end. Source: transformers 5.23.0, `integrations/accelerate.py`, `get_balanced_memory` and `infer_auto_device_map`;
    transformers 4 spreads a little more evenly. Left out: tied heads, which follow their embedding.

    Args:
        layers: how many decoder layers.
        layer: bytes of one of them, as loaded.
        embedding: bytes of the embedding.
        head: bytes of the output head.
        gpus: GPUs that one process sees.
        quantized: whether bitsandbytes loads it.
    """
    if gpus == 1:
        return (Stage(0, layers, embedding=True, head=True),)
    largest = max(layer, embedding, head)
    room = (embedding + layers * layer + head) / gpus + SAFETY * max(layer, embedding)
    room *= QUANTIZED_SHARE if quantized else 1
    modules = [embedding, *[layer] * layers, head]
    free = [room - largest, *[room] * (gpus - 2), float("inf")]
    place, at = [], 0
    for module in modules:
        while module > free[at]:
            at += 1
        free[at] -= module
        place.append(at)
    body = place[1:-1]
    return tuple(
        Stage(
            first=sum(where < index for where in body),
            last=sum(where <= index for where in body),
            embedding=place[0] == index,
            head=place[-1] == index,
        )
        for index in range(gpus)
    )
