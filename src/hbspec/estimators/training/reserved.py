"""The overhead of a GPU's process beyond its tensors: the allocator's reserve, the CUDA context, communicators.

PyTorch's caching allocator takes memory from the driver in segments and keeps freed blocks for later requests that fit
(`hbspec.estimators.step.allocator`). Where every rank holds whole weights, or shares them under FSDP, the reserve is
replayed: the requests of a process in their order, several times, as the order of the rows and the way in which weights
are loaded are not known. Under DeepSpeed, and where layers are split, the order of requests is not modelled: the
reserve beyond the peak of the tensors is a fitted share of the tensors that come and go
(`hbspec.estimators.constants.MEMORY`).

Before it fails, the allocator releases every free segment. So the reserve alone is never certain to make a job fail:
the low end, the least memory in which the job may run, is capped at the GPU's memory unless the tensors exceed it. The
expected and high ends are what the job takes of that memory, or what it would take if that does not suffice.
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

    expected, high = end(allocated.expected, share.expected) + freed, end(allocated.high, share.high) + freed
    return capped(Interval(end(allocated.low, share.low), expected, high), allocated, around, constants)


def capped(reserved: Interval, allocated: Interval, around: Surroundings, constants: MemoryConstants) -> Interval:
    """A reserve of at least the tensors, whose low end is the least in which the job may run.

    That is what the GPU has, if the tensors fit in that.
    """
    low, expected = max(allocated.low, reserved.low), max(allocated.expected, reserved.expected)
    if around.usable is not None:
        low = min(low, max(around.usable - beside_bytes(around, constants).low, allocated.low))
    return Interval(min(low, expected), expected, max(expected, allocated.high, reserved.high)).map(round)


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
