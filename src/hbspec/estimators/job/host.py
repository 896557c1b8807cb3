"""Memory of one host, without its GPUs: while loading the model and while training."""

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
"""Python, the libraries of PyTorch and CUDA, tokenised rows and pinned batches of one process. An assumption: importing
torch and transformers without CUDA takes 0.3 GB, and CUDA maps its kernels on first use."""

WORKERS = 4
"""Tensors read at once (transformers 5.23.0, `core_model_loading.GLOBAL_WORKERS`); one where they are quantised while
loading, which is synchronous with reading."""

ADAM_OFFLOADED = Interval(12, 16, 24)
"""Bytes per trainable parameter of an optimizer in host memory: fp32 weight and two moments; expected with the fp32
gradient; at most with DeepSpeed's factor of 1.5 for buffers (`deepspeed/runtime/zero/stage3.py`,
`estimate_zero3_model_states_mem_needs`, 16 per parameter times `additional_buffer_factor`)."""

WEIGHTS_OFFLOADED = Interval(2, 2, 3)
"""Bytes per parameter of 16-bit weights in host memory, with the same factor (18 - 16 per parameter there)."""

ZERO = Interval.exact(0)


class Host(NamedTuple):
    """Memory of one host; all hosts are alike.

    Attributes:
        moment: "load" or "steps", whichever is expected to need more memory.
        terms: bytes by name at that moment.
        memory: total bytes; each end is the maximum over both moments.
        capacity: bytes of the host's memory, None where not known.
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
    """Peak memory of one host.

    load: processes, and weights being loaded. Files are mapped, not read (safetensors), so where weights go directly to
    a GPU (one process, DDP, or quantised: bitsandbytes' loader always puts them there) a process briefly holds the
    largest tensors. Otherwise the weights are first held on the host, in every process: as pages of one file, which all
    processes share and which can be dropped, or as a separate copy of any weights that are cast. FSDP casts trainable
    weights to fp32 before it shards (accelerate 1.15.0, `utils/fsdp_utils.py`, `fsdp2_prepare_model`), and transformers
    5.23.0 loads real weights in every process even with `cpu_ram_efficient_loading` (observed with two processes: 4
    bytes per parameter in each). Under ZeRO-3 only the first process reads (`modeling_utils.py`: `map_location` is
    "meta" in the others).

    steps: processes, and offloaded states and weights.

    Left out: page cache beyond the mapped files, checkpoints in formats other than safetensors, merging of adapters,
    data that the author's script keeps in memory.

    Raises:
        NotKnownError: the architecture, the trainable parameters, the hardware or the processes are not known.
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
    """Bytes offloaded from the GPUs to one host, by name: its share of the optimizer states, and of the weights."""
    if plan.offload == "none":
        return {}
    trained = plan.require("trainable_parameters")
    terms = {"offloaded_optimizer": ADAM_OFFLOADED * (trained / hosts)}
    if plan.offload == "all":
        architecture = plan.require("architecture")
        terms["offloaded_weights"] = WEIGHTS_OFFLOADED * (total_parameters(architecture) / hosts)
    return terms
