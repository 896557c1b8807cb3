"""Memory of every GPU while training: tensors exactly, the overhead of the process as an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, NamedTuple

from hbspec.estimators.constants import ACTIVATION_ERROR, ACTIVATION_ERROR_UNTRACED, MEMORY, MemoryConstants
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.moments import LASTING, Moment, moments, peak_moment
from hbspec.estimators.step.placement import Stage, spread
from hbspec.estimators.training.reserved import Surroundings, process_bytes, reserved_bytes
from hbspec.estimators.verdict import Verdict, verdict, worst
from hbspec.estimators.weights import EMBEDDING, HEAD
from hbspec.plan import Plan
from hbspec.units import Interval


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One GPU at its peak.

    Attributes:
        index: index of the GPU on its host.
        terms: bytes of tensors by name; they add up to `peak_allocated.expected`.
        moment: the moment of the peak: "load", "loss", "recompute", "backward" or "optimizer".
        peak_allocated: bytes as reported by `torch.cuda.max_memory_allocated`.
        peak_reserved: bytes as reported by `torch.cuda.max_memory_reserved`.
        process: bytes as reported by `nvidia-smi`: with context, fragmentation and communicators.
        usable: bytes that PyTorch can use on this GPU, None where not known.
        freed: bytes freed before the peak that stay unused in the allocator, see `reserved_bytes`.
    """

    index: int
    terms: Mapping[str, int]
    moment: str
    peak_allocated: Interval
    peak_reserved: Interval
    process: Interval
    usable: int | None
    freed: int = 0

    @property
    def verdict(self) -> Verdict:
        """Whether the process fits into `usable`.

        The low end of `process` is capped at `usable` where only the allocator's reserve, which it can release, would
        exceed it.
        """
        return verdict(self.process, self.usable)

    def to_dict(self) -> dict[str, Any]:
        """One of the `devices` of `hbspec estimate --format json`."""
        return {
            "index": self.index,
            "moment": self.moment,
            "terms": dict(self.terms),
            "peak_allocated_bytes": self.peak_allocated.map(round).to_dict(),
            "peak_reserved_bytes": self.peak_reserved.map(round).to_dict(),
            "process_bytes": self.process.map(round).to_dict(),
            "usable_bytes": self.usable,
        }


class Memory(NamedTuple):
    """Memory of every GPU of one host; all hosts are alike."""

    devices: tuple[DeviceMemory, ...]

    @property
    def fullest(self) -> DeviceMemory:
        """The GPU whose process is expected to be the largest."""
        return max(self.devices, key=lambda device: device.process.expected)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all GPUs."""
        return worst(device.verdict for device in self.devices)

    def to_dict(self) -> dict[str, Any]:
        """The `memory` of `hbspec estimate --format json`."""
        return {"verdict": self.verdict, "devices": [device.to_dict() for device in self.devices]}


def memory(plan: Plan, constants: MemoryConstants = MEMORY) -> Memory:
    """Peak memory of each GPU of one host while training.

    The longest row after truncation determines the peak, so `peak_allocated` spans the possible lengths of that row and
    the error of the activation terms. Left out: evaluation with larger batches, host memory, disk.

    Raises:
        NotKnownError: the architecture, the trainable parameters, the hardware, the processes or the optimizer is not
            known.
    """
    job = job_of(plan)
    hardware = plan.require("hardware")
    longest = plan.lengths.cut(plan.training.max_length).longest
    tokens = Interval.exact(plan.training.max_length) if plan.training.packing else longest
    error = activation_error(job)
    usable, gpus = hardware.gpu.usable_bytes, hardware.gpus_per_instance
    around = Surroundings(job.shards.weights > 1, job.way.distributed, hardware.gpu.compute_capability, usable)
    if plan.way.splits_layers:
        stages = pipeline_stages(job, gpus)
        kinds = {stage.kind: stage for stage in stages}
        alike = {kind: _device(job, stage, tokens, error, around, constants) for kind, stage in kinds.items()}
        return Memory(tuple(replace(alike[stage.kind], index=index) for index, stage in enumerate(stages)))
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    first = _device(job, whole, tokens, error, around, constants)
    used = gpus if plan.way.distributed else 1
    unused = (_unused(index, usable) for index in range(used, gpus))
    return Memory((*(replace(first, index=index) for index in range(used)), *unused))


def pipeline_stages(job: Job, gpus: int) -> tuple[Stage, ...]:
    """The placement of layers by `device_map="auto"`, from their sizes as loaded (before k-bit preparation)."""
    weights = job.weights
    halved = 2 if job.training.quantization and job.precision.stream == 4 else 1
    layers = job.architecture.num_hidden_layers
    scales = weights["quantization_scales"]
    kept = weights["experts"] + weights["norms_and_biases"]
    body = sum(weights.values()) - weights[EMBEDDING] - weights[HEAD] - scales - kept + kept // halved
    return spread(
        layers,
        body / layers,
        weights[EMBEDDING] / halved,
        weights[HEAD] / halved,
        gpus,
        quantized=job.training.quantization is not None,
    )


def activation_error(job: Job) -> float:
    """Relative half-width of the activation terms: small where the lifetimes were compared with traces.

    Traces cover one GPU under transformers 5: every family, method and optimizer, padding and packing, and both kernels
    that run on a CPU. They do not cover sharded layers, which gather and free in a different order, or tensor
    parallelism. The lists of experts of transformers 4 were compared with Mixtral's published peaks instead.
    """
    alone = not job.way.sharded and job.tensor_parallel == 1
    return ACTIVATION_ERROR if alone else ACTIVATION_ERROR_UNTRACED


def _device(
    job: Job, stage: Stage, tokens: Interval, error: float, around: Surroundings, constants: MemoryConstants
) -> DeviceMemory:
    found = list(moments(job, stage, ceil(tokens.expected)))
    moment = max(found, key=lambda one: one.total)
    terms = moment.terms
    lasting, passing = _parts(terms)
    total = lasting + passing
    low = total if tokens.low == tokens.expected else _total(job, stage, floor(tokens.low))
    high = total if tokens.high == tokens.expected else _total(job, stage, ceil(tokens.high))
    width = round(error * passing)
    allocated = Interval(max(min(lasting, low), low - width), total, high + width)
    freed = _freed(found, moment)
    reserved = reserved_bytes(allocated, lasting, around, constants, freed=freed)
    return DeviceMemory(
        index=0,
        terms={name: size for name, size in terms.items() if size},
        moment=moment.name,
        peak_allocated=allocated,
        peak_reserved=reserved,
        process=process_bytes(reserved, allocated, around, constants),
        usable=around.usable,
        freed=freed,
    )


def _freed(found: Sequence[Moment], peak: Moment) -> int:
    """Bytes of temporary tensors in the backward pass, where the peak is in the optimizer step; otherwise 0."""
    if peak.name != "optimizer":
        return 0
    computing = [one for one in found if one.name not in ("load", "optimizer")]
    fullest = max(computing, key=lambda one: one.total, default=None)
    return _parts(fullest.terms)[1] if fullest else 0


def _unused(index: int, usable: int | None) -> DeviceMemory:
    """A GPU that no process uses."""
    nothing = Interval.exact(0)
    return DeviceMemory(index, {}, "load", nothing, nothing, nothing, usable)


def _parts(terms: Mapping[str, int]) -> tuple[int, int]:
    lasting = sum(size for name, size in terms.items() if name in LASTING)
    return lasting, sum(terms.values()) - lasting


def _total(job: Job, stage: Stage, tokens: int) -> int:
    return peak_moment(job, stage, tokens).total
