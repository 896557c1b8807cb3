"""Memory of every GPU while training: tensors by closed form, the process around them by an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

from hbspec.diagnostics import known
from hbspec.estimators.constants import (
    ACTIVATION_ERROR,
    ACTIVATION_ERROR_UNTRACED,
    CUDA_CONTEXT,
    FRAGMENTATION_OF_LASTING,
    FRAGMENTATION_OF_PASSING,
    FRAGMENTATION_OF_SHARDED,
    NCCL_BUFFERS,
)
from hbspec.estimators.moments import LASTING, Job, job_of, peak_moment
from hbspec.estimators.placement import Stage, spread
from hbspec.estimators.weights import EMBEDDING, HEAD
from hbspec.plan import Plan
from hbspec.units import Interval

TRACED_FAMILIES = frozenset({"qwen2", "llama", "mistral"})


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One GPU at its fullest moment.

    Attributes:
        index: which GPU of the host.
        terms: bytes by name; they add up to `peak_allocated.expected`.
        moment: "load", "loss", "recompute", "backward" or "optimizer".
        peak_allocated: what `torch.cuda.max_memory_allocated` would say.
        process: what `nvidia-smi` would say: also context, fragmentation and communicators.
        usable: bytes that PyTorch can have of this GPU, None where not known.
    """

    index: int
    terms: Mapping[str, int]
    moment: str
    peak_allocated: Interval
    process: Interval
    usable: int | None

    @property
    def verdict(self) -> str:
        """How it fits: "fits" if surely, "does_not_fit" if surely not, else "tight"; "unknown" without `usable`."""
        if self.usable is None:
            return "unknown"
        if self.process.high <= self.usable:
            return "fits"
        return "does_not_fit" if self.process.low > self.usable else "tight"

    def to_dict(self) -> dict[str, Any]:
        """One of the `devices` of `hbspec estimate --format json`."""
        return {
            "index": self.index,
            "moment": self.moment,
            "terms": dict(self.terms),
            "peak_allocated_bytes": _whole(self.peak_allocated),
            "process_bytes": _whole(self.process),
            "usable_bytes": self.usable,
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """Every GPU of one host; all hosts are alike."""

    devices: tuple[DeviceMemory, ...]

    @property
    def fullest(self) -> DeviceMemory:
        """The GPU whose process is expected to be the largest."""
        return max(self.devices, key=lambda device: device.process.expected)

    @property
    def verdict(self) -> str:
        """The worst of all GPUs: "does_not_fit", "unknown", "tight" or "fits"."""
        verdicts = {device.verdict for device in self.devices}
        return next(worst for worst in ("does_not_fit", "unknown", "tight", "fits") if worst in verdicts)

    def to_dict(self) -> dict[str, Any]:
        """The `memory` of `hbspec estimate --format json`."""
        return {"verdict": self.verdict, "devices": [device.to_dict() for device in self.devices]}


def memory(plan: Plan) -> Memory:
    """Memory of each GPU of one host at the fullest moment of training.

    The row that decides is the longest after truncation, so `peak_allocated` spans what the lengths allow, and the
    error of the activation terms. Left out: evaluation with larger batches, host memory, disk.

    Raises:
        NotKnownError: the architecture, what is trained, the hardware, the processes or the optimizer is not known.
    """
    job = job_of(plan)
    hardware = known(plan.hardware, plan.unknown.get("hardware", "the hardware"))
    longest = plan.lengths.cut(plan.training.max_length).longest
    tokens = Interval.exact(plan.training.max_length) if plan.training.packing else longest
    error = activation_error(job)
    usable, gpus = hardware.gpu.usable_bytes, hardware.gpus_per_instance
    if plan.parallelism == "pipeline":
        stages = pipeline_stages(job, gpus)
        kinds = {stage.kind: stage for stage in stages}
        alike = {kind: _device(job, stage, 0, tokens, error, usable) for kind, stage in kinds.items()}
        return Memory(tuple(replace(alike[stage.kind], index=index) for index, stage in enumerate(stages)))
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    first = _device(job, whole, 0, tokens, error, usable)
    used = 1 if plan.parallelism == "single" else gpus
    unused = (_unused(index, usable) for index in range(used, gpus))
    return Memory((*(replace(first, index=index) for index in range(used)), *unused))


def pipeline_stages(job: Job, gpus: int) -> tuple[Stage, ...]:
    """Where `device_map="auto"` puts the layers, by their sizes as loaded (before k-bit preparation)."""
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
    """Half width of the activation terms, as a share: small only where the formulas were held against traces."""
    traced = (
        job.architecture.model_type in TRACED_FAMILIES
        and job.training.quantization in (None, "nf4", "fp4")
        and job.training.attention != "eager"
        and not job.training.use_dora
        and (job.training.micro_batch == 1 or job.training.packing or job.training.attention != "sdpa")
        and job.parallelism in ("single", "ddp", "pipeline")
        and job.tensor_parallel == 1
    )
    return ACTIVATION_ERROR if traced else ACTIVATION_ERROR_UNTRACED


def _device(job: Job, stage: Stage, index: int, tokens: Interval, error: float, usable: int | None) -> DeviceMemory:
    moment, terms = peak_moment(job, stage, ceil(tokens.expected))
    lasting, passing = _parts(terms)
    total = lasting + passing
    low = total if tokens.low == tokens.expected else _total(job, stage, floor(tokens.low))
    high = total if tokens.high == tokens.expected else _total(job, stage, ceil(tokens.high))
    width = round(error * passing)
    allocated = Interval(max(min(lasting, low), low - width), total, high + width)
    return DeviceMemory(
        index=index,
        terms={name: size for name, size in terms.items() if size},
        moment=moment,
        peak_allocated=allocated,
        process=process_bytes(allocated, lasting, sharded=job.shards.weights > 1, ranks=_communicates(job)),
        usable=usable,
    )


def process_bytes(allocated: Interval, lasting: int, *, sharded: bool, ranks: bool) -> Interval:
    """What a GPU's process holds: tensors, what the allocator has reserved beside them, context, communicators.

    allocated + f_lasting · lasting + f_passing · (allocated - lasting) + context + communicators; see
    `hbspec.estimators.constants` for the shares. The allocator gives reserved blocks back before it fails, so the high
    end is not what must fit, only what may be seen.

    Args:
        allocated: peak bytes of tensors.
        lasting: of these, weights, states and gradients.
        sharded: whether weights are gathered layer by layer.
        ranks: whether several processes work together.
    """
    passing = FRAGMENTATION_OF_SHARDED if sharded else FRAGMENTATION_OF_PASSING
    beside = CUDA_CONTEXT + NCCL_BUFFERS if ranks else CUDA_CONTEXT

    def end(tensors: float, of_lasting: float, of_passing: float, fixed: float) -> float:
        kept = min(lasting, tensors)
        return tensors + of_lasting * kept + of_passing * (tensors - kept) + fixed

    return Interval(
        end(allocated.low, FRAGMENTATION_OF_LASTING.low, passing.low, beside.low),
        end(allocated.expected, FRAGMENTATION_OF_LASTING.expected, passing.expected, beside.expected),
        end(allocated.high, FRAGMENTATION_OF_LASTING.high, passing.high, beside.high),
    ).map(round)


def _communicates(job: Job) -> bool:
    return job.parallelism not in ("single", "pipeline")


def _unused(index: int, usable: int | None) -> DeviceMemory:
    """A GPU that no process touches."""
    return DeviceMemory(index, {}, "load", Interval.exact(0), Interval.exact(0), usable)


def _parts(terms: Mapping[str, int]) -> tuple[int, int]:
    lasting = sum(size for name, size in terms.items() if name in LASTING)
    return lasting, sum(terms.values()) - lasting


def _total(job: Job, stage: Stage, tokens: int) -> int:
    return sum(peak_moment(job, stage, tokens)[1].values())


def _whole(interval: Interval) -> dict[str, int]:
    return {"low": round(interval.low), "expected": round(interval.expected), "high": round(interval.high)}
