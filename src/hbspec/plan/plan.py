"""The plan: every choice made and every derived count, by name. Estimates depend on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from hbspec.catalog import Architecture
from hbspec.diagnostics import known
from hbspec.plan.allocator import AllocatorSettings
from hbspec.plan.assumptions import Assumption
from hbspec.plan.deepspeed import DeepSpeed
from hbspec.plan.fsdp import Fsdp
from hbspec.plan.hardware import Hardware
from hbspec.plan.lengths import Lengths
from hbspec.plan.loop import RANGED, BoundingLoop, Counts
from hbspec.plan.money import Currencies, UnitPrice
from hbspec.plan.parallelism import PARALLELISMS, Parallelism
from hbspec.plan.training import Training
from hbspec.units import Interval

if TYPE_CHECKING:
    from hbspec.plan.calibration import AppliedRecord

Size = Literal[
    "processes", "data_parallel_size", "effective_batch_size", "trainable_parameters", "adapter_bytes",
    "checkpoint_bytes",
]  # fmt: skip
"""The whole numbers of a plan that may be unknown."""

NOUNS: Mapping[str, str] = {
    "architecture": "the model's architecture",
    "hardware": "the hardware",
    "counts": "the counts",
    "processes": "the number of processes",
    "data_parallel_size": "the data-parallel size",
    "deepspeed": "DeepSpeed's settings",
    "effective_batch_size": "the effective batch",
    "trainable_parameters": "the trainable parameters",
    "adapter_bytes": "the trainable parameters",
    "checkpoint_bytes": "the trainable parameters",
}
"""The name of each part of a plan, printed where no reason says why it is not known."""

REASONS: Mapping[str, str] = {
    "effective_batch_size": "data_parallel_size",
    "adapter_bytes": "trainable_parameters",
    "checkpoint_bytes": "trainable_parameters",
}
"""Parts that share the reason of another part."""


EXPECTED = 1
"""Where the plan of a model of the expected size stands in `Between.plans`."""


class Between(NamedTuple):
    """A model of a type that no family describes, and the plans of models between which it lies.

    Attributes:
        model_type: as in its config.
        parameters: bounds of all its parameters.
        plans: the plan of the smallest, that of one of the expected size (at `EXPECTED`), and those of the largest:
            every figure lies between theirs.
        scanned: numbers per token that a layer holds at most while it scans its states; 0 without such.
        recurrent: whether layers carry a state from token to token, whose speed is not known.
    """

    model_type: str
    parameters: Interval
    plans: tuple[Plan, ...]
    scanned: int
    recurrent: bool

    @property
    def expected(self) -> Plan:
        """The plan of a model of the expected size."""
        return self.plans[EXPECTED]


EVERY_EXAMPLE = Interval.exact(1.0)


class Plan(NamedTuple):
    """A job as it will run. An unknown part is None, and `unknown` gives the reason.

    Attributes:
        fsdp: FSDP as the job runs it, None under any other parallelism.
        deepspeed: DeepSpeed's settings; None where DeepSpeed does not run or the author's JSON cannot be read.
        allocator: settings of torch's caching allocator.
        processes: the world size of the launch; 1 for `single` and `pipeline`, else one per GPU.
        data_parallel_size: processes that see different examples.
        validation_examples: examples per evaluation; 0 where there are none, None where not known.
        evaluations: number of evaluations in the whole job.
        keep_alive: seconds for which the instances are kept after the job, None where they are not.
        volume: size of the volume in bytes that the spec sets for an instance without local disks.
        checkpoints_survive: whether checkpoints are copied to a place where an interrupted job finds them.
        streams_data: whether the job reads its data from S3 as its script does (FastFile), without a download before.
        merges: whether the job ends with merged weights instead of adapters.
        measured_tokens_per_second: tokens per second per GPU, where the author measured them (`calibration`).
        row_tokens: real tokens per row after truncation (an example, or a packed row).
        padded_row_tokens: tokens per row after padding within its micro-batch.
        unevenness: mean square of the padded row lengths over the square of their mean: the factor on the cost of
            attention compared with rows of equal length.
        real_tokens: tokens of all examples processed.
        padded_tokens: tokens that the GPUs compute, including padding.
        trainable_parameters: parameters of adapters and `modules_to_save`, or of the whole model.
        adapter_bytes: bytes saved at the end (adapters, or the 16-bit model).
        checkpoint_bytes: bytes of one checkpoint: trainable parameters with their optimizer states.
        between: where the architecture is not known, the plans of models between which it lies; None otherwise.
        replayed: whether the allocator is replayed where it can be; not for a model that only bounds another.
        loops: over the fewest and over the most rows, where their number follows from lengths that are not known
            exactly: packed rows, and examples that are left; empty otherwise. `counts` are those that are expected.
        kept: the share of the examples that are not left out since they are longer than `max_length`.
        measured: the record of a measurement that the spec names (`calibration.record`), and what of it applies.
    """

    name: str
    model: str
    training: Training
    parallelism: str
    sharding: str | None
    fsdp: Fsdp | None
    offload: str
    deepspeed: DeepSpeed | None
    tensor_parallel: int
    allocator: AllocatorSettings
    spot: bool
    max_runtime: float | None
    keep_alive: float | None
    volume: int | None
    checkpoints_survive: bool
    merges: bool
    region: str | None
    architecture: Architecture | None
    hardware: Hardware | None
    processes: int | None
    data_parallel_size: int | None
    effective_batch_size: int | None
    counts: Counts | None
    validation_examples: int | None
    evaluations: int | None
    measured_tokens_per_second: float | None
    lengths: Lengths
    row_tokens: Interval
    padded_row_tokens: Interval
    unevenness: float
    real_tokens: Interval | None
    padded_tokens: Interval | None
    price: UnitPrice | None
    currencies: Currencies
    trainable_parameters: int | None
    adapter_bytes: int | None
    checkpoint_bytes: int | None
    assumptions: tuple[Assumption, ...]
    unknown: Mapping[str, str]
    between: Between | None = None
    replayed: bool = True
    measured: AppliedRecord | None = None
    streams_data: bool = False
    loops: tuple[BoundingLoop, ...] = ()
    kept: Interval = EVERY_EXAMPLE

    @property
    def way(self) -> Parallelism:
        """How the GPUs share the job."""
        return PARALLELISMS[self.parallelism]

    @overload
    def require(self, name: Literal["architecture"]) -> Architecture: ...
    @overload
    def require(self, name: Literal["hardware"]) -> Hardware: ...
    @overload
    def require(self, name: Literal["counts"]) -> Counts: ...
    @overload
    def require(self, name: Literal["deepspeed"]) -> DeepSpeed: ...
    @overload
    def require(self, name: Size) -> int: ...

    def require(self, name: str) -> object:
        """A part of the plan that may not be known.

        Raises:
            NotKnownError: the part is not known; the message gives the reason.
        """
        reason = self.unknown.get(REASONS.get(name, name), NOUNS[name])
        return known(getattr(self, name), reason)

    def counted(self, name: str) -> Interval:
        """One of the counts over every number of rows that there may be.

        Raises:
            NotKnownError: the counts are not known.
        """
        expected = getattr(self.require("counts"), name)
        found = [expected, *(getattr(loop.counts, name) for loop in self.loops)]
        return Interval(min(found), expected, max(found))

    @property
    def ends(self) -> tuple[Plan, ...]:
        """The plan over the fewest and over the most rows; none where their number is known."""
        return tuple(
            self._replace(
                counts=loop.counts,
                training=self.training._replace(save_steps=loop.save_steps, eval_steps=loop.eval_steps),
                evaluations=loop.evaluations,
                loops=(),
            )
            for loop in self.loops
        )

    @property
    def updates(self) -> int:
        """The number of optimizer steps in the whole job.

        Raises:
            NotKnownError: neither `max_steps` nor the number of examples is given.
        """
        return self.training.max_steps or self.require("counts").optimizer_steps

    @property
    def saves_every(self) -> float | None:
        """Updates between checkpoints; None where the trainer writes none, or only a script knows.

        Raises:
            NotKnownError: checkpoints are counted in epochs, and the updates of an epoch are not known.
        """
        if self.training.saves_per_epoch is not None:
            self.require("counts")
        return self.training.save_steps

    def to_dict(self) -> dict[str, Any]:
        """The `plan` of `hbspec estimate --format json`; unknown is null."""
        counts = self.counts
        return {
            "name": self.name,
            "model": self.model,
            "hardware": self.hardware and self.hardware.name,
            "gpus": self.hardware and self.hardware.gpus,
            "parallelism": self.parallelism,
            "world_size": self.processes,
            "data_parallel_size": self.data_parallel_size,
            "micro_batch": self.training.micro_batch,
            "gradient_accumulation_steps": self.training.gradient_accumulation,
            "effective_batch_size": self.effective_batch_size,
            "examples": counts and counts.examples,
            "micro_batches_per_epoch": counts and counts.micro_batches_per_epoch,
            "steps_per_epoch": counts and counts.steps_per_epoch,
            "optimizer_steps": counts and counts.optimizer_steps,
            "examples_processed": counts and counts.examples_processed,
            "nominal_examples": counts and counts.nominal_examples,
            "epochs": counts and counts.epochs,
            "nominal_epochs": counts and counts.nominal_epochs,
            "count_ranges": {name: self.counted(name).to_dict() for name in RANGED} if self.loops else None,
            "real_tokens": self.real_tokens and self.real_tokens.map(round).to_dict(),
            "padded_tokens": self.padded_tokens and self.padded_tokens.map(round).to_dict(),
            "trainable_parameters": self.trainable_parameters,
            "adapter_bytes": self.adapter_bytes,
            "checkpoint_bytes": self.checkpoint_bytes,
            "bounds": self.between
            and {
                "model_type": self.between.model_type,
                "parameters": self.between.parameters.map(round).to_dict(),
            },
            "unknown": dict(self.unknown),
        }
