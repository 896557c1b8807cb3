"""Memory of one host beside its GPUs: while the model is loaded, and while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import total_parameters, weights
from hbspec.estimators.job.phases import weights_on_disk
from hbspec.estimators.verdict import Verdict, verdict
from hbspec.plan import Plan
from hbspec.plan.parallelism import Engine
from hbspec.units import GB, Interval

PROCESS = Interval(1.0 * GB, 3.0 * GB, 6.0 * GB)
"""Python, PyTorch's and CUDA's libraries, tokenised rows and pinned batches of one process. An assumption: importing
torch and transformers without CUDA alone takes 0.3 GB, and CUDA maps its kernels on first use."""

WORKERS = 4
"""Tensors read at once (transformers 5.23.0, `core_model_loading.GLOBAL_WORKERS`); one where they are quantised on the
way, which is done in step with reading."""

ADAM_OFFLOADED = Interval(12, 16, 24)
"""Bytes a trained parameter of an optimizer in host memory: fp32 weight and two moments; expected with the fp32
gradient; at most with DeepSpeed's own factor of 1.5 for buffers (`deepspeed/runtime/zero/stage3.py`,
`estimate_zero3_model_states_mem_needs`, 16 a parameter times `additional_buffer_factor`)."""

WEIGHTS_OFFLOADED = Interval(2, 2, 3)
"""Bytes a parameter of 16-bit weights in host memory, with the same factor (18 - 16 a parameter there)."""

ZERO = Interval.exact(0)


class Host(NamedTuple):
    """Memory of one host; all hosts are alike.

    Attributes:
        moment: "load" or "steps", whichever is expected to need more.
        terms: bytes by name at that moment.
        memory: their sum, with each end at its own largest moment.
        capacity: bytes that the host has, None where not known.
    """

    moment: str
    terms: Mapping[str, Interval]
    memory: Interval
    capacity: int | None

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
        }


def host(plan: Plan) -> Host:
    """Memory of one host at its fullest moment.

    load: processes, and the weights on their way. Files are mapped, not read (safetensors), so where weights go
    straight to a GPU (one process, DDP, or quantised: bitsandbytes' loader always puts them there) a process holds the
    largest tensors for a moment. Elsewhere they stay on the host first, in every process: pages of one file that all
    share and that can be dropped, or a copy of its own for whatever is cast. FSDP casts what is trained to fp32 before
    it shards (accelerate 1.15.0, `utils/fsdp_utils.py`, `fsdp2_prepare_model`), and transformers 5.23.0 loads real
    weights in every process even with `cpu_ram_efficient_loading` (seen with two processes: 4 bytes a parameter in
    each). Under ZeRO-3 only the first process reads (`modeling_utils.py`: `map_location` is "meta" elsewhere).

    steps: processes, and what is offloaded.

    Left out: page cache beyond the mapped files, checkpoints in other formats than safetensors, merging of adapters,
    data that the author's own script keeps in memory.

    Raises:
        NotKnownError: the architecture, what is trained, the hardware or the processes are not known.
    """
    hardware = plan.require("hardware")
    processes = plan.require("processes")
    here = min(processes, hardware.gpus_per_instance)
    running = {"processes": PROCESS * here}
    moments = {
        "load": running | {name: size for name, size in _loading(plan, here).items() if size.high},
        "steps": running | {name: size for name, size in _offloaded(plan, hardware.instances).items() if size.high},
    }
    sums = {name: sum(terms.values(), ZERO) for name, terms in moments.items()}
    fullest = max(sums, key=lambda name: sums[name].expected)
    return Host(
        moment=fullest,
        terms=moments[fullest],
        memory=Interval(
            max(size.low for size in sums.values()),
            sums[fullest].expected,
            max(size.high for size in sums.values()),
        ),
        capacity=hardware.host_memory,
    )


def _loading(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """What is on its way from disk to the GPUs."""
    training = plan.training
    architecture = plan.require("architecture")
    widened = plan.way.engine is Engine.FSDP and training.autocast and not training.adapters
    published = BYTES.get(architecture.torch_dtype or "bfloat16", 2)
    wanted = BYTES[training.compute_dtype if widened else training.weights_dtype]
    if training.quantization or not plan.way.sharded:
        largest = max(weight.rows * weight.columns for weight in weights(architecture))
        workers = 1 if training.quantization else WORKERS
        size = largest * max(published, wanted) * processes
        return {"tensors_on_the_way": Interval(0, size, workers * size)}
    mapped, copy = weights_on_disk(plan), total_parameters(architecture) * wanted
    readers = 1 if plan.way.engine is Engine.DEEPSPEED and plan.way.shards_weights else processes
    certain = copy * readers if wanted != published else 0
    terms = {"weights": Interval(certain, max(mapped, certain), max(mapped, copy * readers))}
    if widened and BYTES[training.weights_dtype] == BYTES["float32"]:
        fp32 = 4 * total_parameters(architecture)
        terms["fp32_copies"] = Interval(fp32, fp32 * processes, fp32 * processes)
    return terms


def _offloaded(plan: Plan, hosts: int) -> Mapping[str, Interval]:
    """What lies on a host instead of its GPUs: its share of all states, and of the weights."""
    if plan.offload == "none":
        return {}
    trained = plan.require("trainable_parameters")
    terms = {"offloaded_optimizer": ADAM_OFFLOADED * (trained / hosts)}
    if plan.offload == "all":
        architecture = plan.require("architecture")
        terms["offloaded_weights"] = WEIGHTS_OFFLOADED * (total_parameters(architecture) / hosts)
    return terms
