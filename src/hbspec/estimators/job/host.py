"""Memory of one host, without its GPUs: while loading the model and while training."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import total_parameters, weights
from hbspec.estimators.job.bounded import spanned
from hbspec.estimators.job.deepspeed_host import offloaded_by_deepspeed
from hbspec.estimators.job.phases import weights_on_disk
from hbspec.estimators.job.saving import merging, resuming, saving
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.offloaded import offloaded_tensors
from hbspec.estimators.step.optimizer import optimizer
from hbspec.estimators.step.positions import program_at, row_tokens
from hbspec.estimators.training.memory import memory
from hbspec.estimators.verdict import Verdict, verdict
from hbspec.estimators.weights import QUANTIZED_TOWER, training_weights
from hbspec.plan import Plan
from hbspec.plan.epochs import QUANTIZED_READ_ONCE
from hbspec.plan.loading import loads_whole
from hbspec.plan.parallelism import Engine
from hbspec.plan.plan import EXPECTED
from hbspec.units import GB, Interval

PROCESS = Interval(1.0 * GB, 3.0 * GB, 6.0 * GB)
"""Python, the libraries of PyTorch and CUDA, tokenised rows and pinned batches of one process. An assumption: importing
torch and transformers without CUDA takes 0.3 GB, and CUDA maps its kernels on first use."""

WORKERS = 4
"""Tensors read at once (transformers 5.23.0, `core_model_loading.GLOBAL_WORKERS`); one where they are quantised while
loading, which is synchronous with reading."""

ADAM_OFFLOADED = Interval(12, 16, 24)
"""Bytes per trainable parameter of an optimizer in host memory: fp32 weight and two moments; expected with the fp32
gradient; at most with DeepSpeed's factor of 1.5 for buffers (`deepspeed/runtime/zero/stage3.py`,
`estimate_zero3_model_states_mem_needs`, 16 per parameter times `additional_buffer_factor`). DeepSpeed's own offload is
counted buffer by buffer (`hbspec.estimators.job.deepspeed_host`)."""

PINNED = Interval(1, 1, 2)
"""Bytes in host memory per byte of what FSDP offloads: torch rounds pinned blocks up to powers of two
(`aten/src/ATen/core/CachingHostAllocator.h`), which is less than twice."""

ZERO = Interval.exact(0)


class Host(NamedTuple):
    """Memory of the first host.

    Attributes:
        moments: bytes by name at each moment: "load", "steps", "save", "resume" and "merge".
        capacity: bytes of the host's memory, None where not known.
    """

    moments: Mapping[str, Mapping[str, Interval]]
    capacity: int | None

    @property
    def sums(self) -> Mapping[str, Interval]:
        """Total bytes of each moment."""
        return {name: sum(terms.values(), ZERO) for name, terms in self.moments.items()}

    @property
    def moment(self) -> str:
        """The moment that is expected to need most memory."""
        sums = self.sums
        return max(sums, key=lambda name: sums[name].expected)

    @property
    def terms(self) -> Mapping[str, Interval]:
        """Bytes by name at that moment."""
        return self.moments[self.moment]

    @property
    def memory(self) -> Interval:
        """Total bytes; each end is the largest of all moments."""
        sums = self.sums.values()
        ends = (max(getattr(size, end) for size in sums) for end in ("low", "expected", "high"))
        return Interval(*ends)

    @property
    def verdict(self) -> Verdict:
        """Whether `memory` fits into `capacity`."""
        return verdict(self.memory, self.capacity)

    def to_dict(self) -> dict[str, Any]:
        """The `host.memory` of `hbspec estimate --format json`."""
        return {
            "verdict": self.verdict,
            "moment": self.moment,
            "bytes": self.memory.map(round).to_dict(),
            "capacity_bytes": self.capacity,
            "terms": {name: size.map(round).to_dict() for name, size in self.terms.items()},
            "moments": {name: size.map(round).to_dict() for name, size in self.sums.items()},
        }


def host(plan: Plan) -> Host:
    """Peak memory of the first host.

    load: processes, and weights being loaded. Files are mapped, not read (safetensors), so where weights go directly to
    a GPU (one process, DDP, or quantised: bitsandbytes' loader always puts them there) a process briefly holds the
    largest tensors. transformers 4.39 to 4.57 moved quantised weights on to the host under ZeRO-3, and under FSDP with
    RAM-efficient loading: expected, since few GPUs could hold them whole, and not at the low end. Otherwise the weights
    are first held on the host, in every process: as pages of one file, which all processes share and which can be
    dropped, or as a separate copy of any weights that are cast. FSDP casts trainable weights to fp32 before it shards
    (accelerate 1.15.0, `utils/fsdp_utils.py`, `fsdp2_prepare_model`), and transformers 5.23.0 loads real weights in
    every process even with `cpu_ram_efficient_loading` (observed with two processes: 4 bytes per parameter in each).
    Under ZeRO-3 only the first process reads (`modeling_utils.py`: `map_location` is "meta" in the others).

    steps: processes, offloaded states and weights (FSDP offloads gradients with the weights), states of paged
    optimizers without room on the GPUs, and offloaded activations of a micro-batch of the longest rows, which torch's
    allocator of pinned memory rounds up to powers of two (`ATen/core/CachingHostAllocator.h`).

    save, resume, merge: `hbspec.estimators.job.saving`; a save beside what the steps hold.

    Left out: page cache beyond the mapped files, checkpoints in formats other than safetensors, data that the author's
    script keeps in memory.

    Raises:
        NotKnownError: the architecture, the trainable parameters, the hardware or the processes are not known.
    """
    if plan.between is not None:
        found = [host(one) for one in plan.between.plans]
        usual = found[EXPECTED]
        return usual._replace(
            moments={
                name: spanned([one.moments.get(name, {}) for one in found], terms)
                for name, terms in usual.moments.items()
            }
        )
    hardware = plan.require("hardware")
    processes = plan.require("processes")
    here = min(processes, hardware.gpus_per_instance)
    running = {"processes": PROCESS * here}
    steps = {**running, **_offloaded(plan, hardware.instances), **_activations(plan, here), **_paged(plan, here)}
    moments = {
        "load": {**running, **_loading(plan, here)},
        "steps": steps,
        "save": {**steps, **saving(plan, here)},
        "resume": {**running, **resuming(plan, here)},
        "merge": {**running, **merging(plan)},
    }
    there = {name: {term: size for term, size in terms.items() if size.high} for name, terms in moments.items()}
    return Host(there, hardware.host_memory)


def _loading(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Bytes held on the host between the disk and the GPUs, by name."""
    training = plan.training
    architecture = plan.require("architecture")
    widened = plan.way.engine is Engine.FSDP and training.autocast and not training.adapters
    published = BYTES.get(architecture.torch_dtype or "bfloat16", 2)
    wanted = BYTES[training.compute_dtype if widened else training.weights_dtype]
    if training.quantization or not plan.way.sharded:
        largest = max(weight.rows * weight.columns for weight in weights(architecture))
        workers = 1 if training.quantization else WORKERS
        size = largest * max(published, wanted) * processes
        return {"tensors_on_the_way": Interval(0, size, workers * size), **_moved_off(plan, processes)}
    mapped, copy = weights_on_disk(plan), total_parameters(architecture) * wanted
    readers = 1 if plan.way.engine is Engine.DEEPSPEED and plan.way.shards_weights else processes
    certain = copy * readers if wanted != published else 0
    terms = {"weights": Interval(certain, max(mapped, certain), max(mapped, copy * readers))}
    if widened and BYTES[training.weights_dtype] == BYTES["float32"]:
        fp32 = 4 * total_parameters(architecture)
        terms["fp32_copies"] = Interval(fp32, fp32 * processes, fp32 * processes)
    return terms


def _activations(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Bytes of pinned activations of all processes, by name; exact at the low end, rounded up elsewhere."""
    if not plan.training.activation_offloading:
        return {}
    job = job_of(plan)
    longest = plan.lengths.cut(plan.training.max_length).longest
    exact, rounded = [], []
    for length in (longest.low, longest.expected, longest.high):
        row, n = row_tokens(job, ceil(length)), plan.training.rows * ceil(length)
        sizes = [(size.at(n, row), number) for size, number in offloaded_tensors(job, program_at(job, length))]
        exact.append(sum(size * number for size, number in sizes))
        rounded.append(sum((1 << (size - 1).bit_length()) * number for size, number in sizes))
    return {"offloaded_activations": Interval(exact[0], rounded[1], rounded[2]) * processes}


def _paged(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Bytes of paged optimizer states on the host, of all processes."""
    if not optimizer(plan.training.optim).paged:
        return {}
    return {"paged_optimizer": sum((one.paged_out for one in memory(plan).devices[:processes]), ZERO)}


def _offloaded(plan: Plan, hosts: int) -> Mapping[str, Interval]:
    """Bytes offloaded from the GPUs to one host, by name: its share of the optimizer states, and of the weights."""
    if plan.offload == "none":
        return {}
    if plan.way.engine is Engine.DEEPSPEED:
        return offloaded_by_deepspeed(plan, hosts)
    trained = plan.require("trainable_parameters")
    if plan.offload == "optimizer":
        return {"offloaded_optimizer": ADAM_OFFLOADED * (trained / hosts)}
    weights, training = sum(_movable(plan).values()), plan.training
    element = BYTES[training.adapter_dtype if training.adapters else training.weights_dtype]
    states = optimizer(training.optim).state_bytes(trained, element, adapters=training.adapters)
    moved = weights + trained * element if training.adapters else weights
    return {
        "offloaded_optimizer": Interval.exact(states / hosts),
        "offloaded_gradients": PINNED * (trained * element / hosts),
        "offloaded_weights": PINNED * (moved / hosts),
    }


def _movable(plan: Plan) -> Mapping[str, int]:
    """Bytes of the weights that offloading moves, as they are stored; scales are not parameters, and stay."""
    weights = dict(training_weights(plan.require("architecture"), plan.training))
    del weights["quantization_scales"]
    if plan.fsdp is not None and plan.fsdp.leaves_whole:
        del weights["quantized_weights"]
        weights.pop(QUANTIZED_TOWER, None)
    return weights


def _moved_off(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Quantised weights on their way back from the GPU to the host; under FSDP not known without RAM-efficient loading.

    Under ZeRO-3 every process keeps all of them there (transformers 4.57.6, `_load_state_dict_into_meta_model`).
    """
    if not plan.training.quantization or not plan.way.shards_weights:
        return {}
    found = training_weights(plan.require("architecture"), plan.training)
    size = found["quantized_weights"] + found.get(QUANTIZED_TOWER, 0)
    if plan.fsdp is None:
        moved = 0 if loads_whole(plan.training, plan.way.engine) else processes * size
        return {"quantized_weights": Interval.exact(moved)}
    if plan.fsdp.loads_whole is not None:
        return {}
    readers = 1 if plan.training.has(QUANTIZED_READ_ONCE) else processes
    return {"quantized_weights": Interval(0, readers * size, readers * size)}
