"""The overhead of a GPU's process beyond its tensors: the allocator's reserve, the CUDA context, communicators.

PyTorch's caching allocator rounds a request up to 512 bytes, takes memory from the driver in segments of 2 MiB, 20 MiB
or (for 10 MiB or more) the request rounded up to 2 MiB, and keeps freed blocks for later requests that fit
(docs.pytorch.org, "CUDA semantics", memory management; `c10/cuda/CUDACachingAllocator.cpp`). Memory reserved beyond the
peak of the tensors therefore grows with the tensors allocated and freed in every step: activations and temporaries on
one GPU, and gathered weights where weights are sharded. The amount depends on the order of requests, which is not
modelled: the shares are fitted (`hbspec.estimators.constants.MEMORY`).

Before it fails, the allocator releases every free segment. So the reserve alone is never certain to make a job fail:
the low end, the least memory in which the job may run, is capped at the GPU's memory unless the tensors exceed it. The
expected and high ends are not capped: they are the memory that the job takes where it is available.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hbspec.estimators.constants import MemoryConstants
from hbspec.units import Interval


class Surroundings(NamedTuple):
    """The properties of a job that determine its overhead.

    Attributes:
        sharded: whether weights are gathered and freed layer by layer.
        ranks: whether several processes work together.
        capability: CUDA's (major, minor), None where not known.
        usable: bytes that PyTorch can use on the GPU, None where not known.
    """

    sharded: bool
    ranks: bool
    capability: tuple[int, int] | None
    usable: int | None


def reserved_bytes(
    allocated: Interval, lasting: int, around: Surroundings, constants: MemoryConstants, *, freed: int = 0
) -> Interval:
    """Bytes as reported by `torch.cuda.max_memory_reserved`.

    allocated + f (allocated - lasting) + freed where each GPU holds whole weights, allocated (1 + f) + freed where they
    are sharded.

    Args:
        allocated: peak bytes of tensors.
        lasting: bytes of weights, optimizer states and gradients among them.
        freed: bytes allocated and freed by the backward pass before a peak in the optimizer step: the optimizer's
            temporaries have other sizes, so that those blocks stay unused (FMS, full fine-tunes of a 7B).
        around: the GPU, and how the ranks share the work.
        constants: f for sharded and for whole weights.
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
    """Bytes as reported by `nvidia-smi`: reserved memory, the CUDA context and the communicators.

    Args:
        reserved: bytes from `reserved_bytes`.
        allocated: peak bytes of tensors.
        around: the GPU, and how the ranks share the work.
        constants: sizes of the context and the communicators.
    """
    beside = beside_bytes(around, constants)
    least = reserved.low + beside.low
    if around.usable is not None:
        least = min(least, max(around.usable, allocated.low + beside.low))
    return replace(reserved + beside, low=least).map(round)


def beside_bytes(around: Surroundings, constants: MemoryConstants) -> Interval:
    """Bytes of the CUDA context, and of the communicators where there are several ranks."""
    context = constants.context_by_capability.get(around.capability or (0, 0), constants.context)
    return context + constants.communicators if around.ranks else context
