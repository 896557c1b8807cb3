"""What ranks that share the weights do around the phases of a micro-batch: gather, free, and reduce gradients.

The base is a job whose ranks hold whole weights, where nothing of that happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.stream import NOWHERE
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.resident import Loaded, layer_tensors, outer_tensors, tower_tensors
from hbspec.estimators.step.slots import Slots

CASTING, GATHERING, REDUCING = 1, 2, 3
"""Streams beside the computing one: shards as they are sent, what is gathered, what is reduced."""


class Sharding:
    """What is done around the phases of a micro-batch.

    Args:
        slots: where it is added.
    """

    def __init__(self, slots: Slots) -> None:
        self.slots = slots

    def begin(self) -> None:
        """Before the embedding."""

    def forward(self, layer: int) -> None:
        """Before a layer's forward phase."""

    def forwarded(self, layer: int) -> None:
        """After it."""

    def backward(self, layer: int) -> None:
        """Before a layer's backward phase, in which it is computed again where there is checkpointing."""

    def backwarded(self, layer: int, gradients: Sequence[int]) -> None:
        """After it.

        Args:
            layer: the layer; `NOWHERE` after all of them.
            gradients: the slots of its gradients.
        """

    def end(self) -> list[int]:
        """After the backward pass; the slots of reduced gradients, which stay."""
        return []


APART = -2
"""The unit of what is cut among ranks and not run."""


class Unit(NamedTuple):
    """Parameters that are gathered together.

    Attributes:
        layer: the layer; `NOWHERE` for what no layer has, `APART` for a tower.
        loaded: bytes of every tensor as it is loaded, without what is left whole.
        gathered: the same as it is gathered.
        whole: bytes of tensors that every rank keeps: scales of quantised weights.
        read: bytes of every tensor before it is quantised; 0 where it is not.
    """

    layer: int
    loaded: tuple[int, ...]
    gathered: tuple[int, ...]
    whole: tuple[int, ...]
    read: tuple[int, ...]


@lru_cache(maxsize=16)
def units_of(job: Job, stage: Stage) -> tuple[Unit, ...]:
    """The stage's layers, then what lies outside of them, a root unit, and last a tower, which is never gathered."""
    units = [_unit(job, layer, layer_tensors(job, layer)) for layer in range(stage.first, stage.last)]
    beside = [_unit(job, APART, tower_tensors(job, stage))] if job.architecture.tower else []
    return (*units, _unit(job, NOWHERE, outer_tensors(job, stage)), *beside)


def _unit(job: Job, layer: int, tensors: Iterable[Loaded]) -> Unit:
    cut: list[tuple[int, int]] = []
    whole: list[int] = []
    read: list[int] = []
    for tensor in tensors:
        first, *scales = tensor.kept
        if scales and job.leaves_quantized_whole:
            whole.append(first)
        else:
            narrowed = first if scales else first * job.precision.stream // BYTES[job.training.weights_dtype]
            cut.append((first, narrowed))
            read.append(tensor.read if scales else 0)
        whole += scales
    loaded, gathered = tuple(size for size, _ in cut), tuple(size for _, size in cut)
    return Unit(layer, loaded, gathered, tuple(whole), tuple(read))
