"""Memory of a model whose layers are not known, between that of a smaller and of a larger model of a known family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from hbspec.estimators.step.moments import LASTING
from hbspec.estimators.training.devices import DeviceMemory, Memory
from hbspec.plan import Between, Plan
from hbspec.plan.plan import EXPECTED
from hbspec.units import Interval

LEAST_PASSING = 0.5
"""Share of what comes and goes in the smallest model that a model of its size is sure to hold."""

MOST_PASSING = 2.5
"""Share of what comes and goes in the largest model that layers of another kind may hold beyond it.
`benchmarks/bounded_models.py` compares both with every type that transformers builds and hbspec records."""

SCANNED_BYTES = 4
"""Bytes of a number while states are scanned, which is done in fp32."""


def bounded_memory(plan: Plan, between: Between, found: Sequence[tuple[Memory, int]]) -> Memory:
    """The memory of each GPU, from the smallest to the largest of the models that bound it.

    Weights, gradients and optimizer states follow from the bounds of the parameters. What layers hold while they
    compute is that of the bounding models, widened, and what a scan of states without kernels of its own holds. Nothing
    is replayed: the allocator's reserve is the usual one.

    Args:
        plan: the plan.
        between: the bounds of its model.
        found: the memory of each of `between.plans`, and the bytes that layers of another kind may add to it.
    """
    expected, scanned = found[EXPECTED][0], _scanned(plan, between)
    everywhere = plan.way.splits_layers  # which layers a GPU gets depends on sizes that are not known
    devices = []
    for index, device in enumerate(expected.devices):
        alike = [
            (one, more + scanned)
            for memory, more in found
            for one in (memory.devices if everywhere else [memory.devices[index]])
            if one.process.high
        ]
        devices.append(_span(device, alike) if alike else device)
    return Memory(tuple(devices))


def _scanned(plan: Plan, between: Between) -> int:
    """Bytes of scanned states of a micro-batch of the longest rows: of one layer, or of all that keep theirs."""
    training, layers = plan.training, between.expected.require("architecture").num_hidden_layers
    tokens = training.max_length if training.packing else plan.lengths.cut(training.max_length).longest.high
    kept = 1 if training.gradient_checkpointing else layers
    return kept * SCANNED_BYTES * between.scanned * training.micro_batch * ceil(tokens)


def _span(expected: DeviceMemory, found: Sequence[tuple[DeviceMemory, int]]) -> DeviceMemory:
    """A GPU over all models, each with what others may add to it."""

    def over(size: Callable[[DeviceMemory], Interval]) -> Interval:
        low = min(max(0.0, size(one).low - (1 - LEAST_PASSING) * _passing(one)) for one, _ in found)
        high = max(size(one).high + more for one, more in found)
        return Interval(low, min(max(low, size(expected).expected), high), high).map(round)

    process = over(lambda one: one.process)
    return replace(
        expected,
        peak_allocated=over(lambda one: one.peak_allocated),
        peak_reserved=over(lambda one: one.peak_reserved),
        process=process,
        needed=process.low,
        paged=max(one.paged for one, _ in found),
        paged_out=Interval(0, expected.paged_out.expected, max(one.paged_out.high for one, _ in found)),
    )


def _passing(device: DeviceMemory) -> int:
    """Bytes of a GPU's tensors that come and go."""
    return sum(size for name, size in device.terms.items() if name not in LASTING)
