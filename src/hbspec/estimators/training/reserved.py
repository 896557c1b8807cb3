"""What a GPU's process holds beside its tensors: the allocator's reserve, the CUDA context, communicators.

PyTorch's caching allocator rounds a request up to 512 bytes, takes memory from the driver in segments of 2 MiB, 20 MiB
or (from 10 MiB on) the request itself rounded up to 2 MiB, and keeps what is freed for requests that fit into it
(docs.pytorch.org, "CUDA semantics", memory management; `c10/cuda/CUDACachingAllocator.cpp`). What is reserved beyond
the tensors' peak therefore grows with what is allocated and freed again in every step: activations and temporaries on
one GPU, and where weights are sharded the weights that are gathered too. How much follows from the order of requests,
which is not modelled: the shares are fitted (`hbspec.estimators.constants.MEMORY`).

Before it fails, the allocator gives back every segment that is free. So the reserve alone never makes a job fail for
sure: low, the least in which it may run, stops at the GPU's memory unless the tensors pass it. Expected and high do not
stop: they are what the job takes where there is room for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hbspec.estimators.constants import MemoryConstants
from hbspec.units import Interval


class Surroundings(NamedTuple):
    """What decides how much lies around the tensors.

    Attributes:
        sharded: whether weights are gathered and freed layer by layer.
        ranks: whether several processes work together.
        capability: CUDA's (major, minor), None where not known.
        usable: bytes that PyTorch can have of the GPU, None where not known.
    """

    sharded: bool
    ranks: bool
    capability: tuple[int, int] | None
    usable: int | None


def reserved_bytes(
    allocated: Interval, lasting: int, around: Surroundings, constants: MemoryConstants, *, freed: int = 0
) -> Interval:
    """Bytes that `torch.cuda.max_memory_reserved` would say.

    allocated + f (allocated - lasting) + freed where each GPU has whole weights, allocated (1 + f) + freed where they
    are sharded.

    Args:
        allocated: peak bytes of tensors.
        lasting: of these, weights, states and gradients.
        freed: what the backward pass had allocated and freed before the optimizer made the peak: the optimizer's
            temporaries are of other sizes, so that those blocks lie unused (FMS, full fine-tunes of a 7B).
        around: the GPU and how the ranks share the work.
        constants: f by kind.
    """
    share = constants.reserved_of_sharded if around.sharded else constants.reserved_of_passing
    kept = 0 if around.sharded else lasting

    def end(tensors: float, of_passing: float) -> float:
        return tensors + of_passing * max(0.0, tensors - kept)

    least = end(allocated.low, share.low)
    if around.usable is not None:
        least = min(least, max(around.usable - beside_bytes(around, constants).low, allocated.low))
    expected, high = end(allocated.expected, share.expected) + freed, end(allocated.high, share.high) + freed
    return Interval(least, expected, high).map(round)


def process_bytes(
    reserved: Interval, allocated: Interval, around: Surroundings, constants: MemoryConstants
) -> Interval:
    """Bytes that `nvidia-smi` would say: the reserve, the context and the communicators.

    Args:
        reserved: as `reserved_bytes`.
        allocated: as there.
        around: as there.
        constants: sizes of the context and the communicators.
    """
    beside = beside_bytes(around, constants)
    least = reserved.low + beside.low
    if around.usable is not None:
        least = min(least, max(around.usable, allocated.low + beside.low))
    return replace(reserved + beside, low=least).map(round)


def beside_bytes(around: Surroundings, constants: MemoryConstants) -> Interval:
    """The context, and the communicators where there are several ranks."""
    context = constants.context_by_capability.get(around.capability or (0, 0), constants.context)
    return context + constants.communicators if around.ranks else context
