"""Whether a measurement is of the job that is planned, and what of it applies.

A measurement is of one job: what its speed and memory depend on must be the same in the job that it is applied to, by
`conditions_of`. Nothing is scaled. Its speed applies where a micro-batch has nearly as many tokens (`NEAR`), and its
memory where the longest row is as long. Versions of libraries may differ where no `hbspec.plan.epochs` lies between.
Left out: the driver's version, and that of torch, which no epoch names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.catalog.parameters import total_parameters
from hbspec.plan.epochs import apart
from hbspec.plan.measurement import Measurement
from hbspec.plan.training import Training
from hbspec.showing.secrets import redact
from hbspec.units import bytes_text, count_text

if TYPE_CHECKING:
    from hbspec.plan.plan import Plan

NEAR = 1.25
"""How many times as many tokens a micro-batch may be expected to have as the measured one, or the other way round,
times the ratio of their unevenness. The time of a micro-batch grows with its tokens at most as their square (attention
alone) and at least not at all (launches alone), so that its rate moves at most by this factor. The interval is widened
by it."""

ALONE_BYTES = 512 << 20
"""What may be in use on a GPU before a job starts there: a display, a driver's own."""

LONGEST_SHOWN = 60
"""Characters of a value that are shown where it differs."""

UNCOMPARED = frozenset(
    {
        *("lora_alpha", "max_steps", "epochs", "warmup_steps", "warmup_ratio", "eval_steps", "save_steps"),
        *("max_length", "software"),
    }
)
"""Fields of a training that decide neither speed nor memory of a step, or are compared as rows and as epochs."""


class AppliedRecord(NamedTuple):
    """A measurement beside the job that is planned: what applies of it, and why the rest does not.

    Attributes:
        not_speed, not_memory: what keeps its speed, or its memory, from this job; empty where it applies.
    """

    measurement: Measurement
    not_speed: tuple[str, ...]
    not_memory: tuple[str, ...]

    @property
    def speed(self) -> bool:
        """Whether the measured speed replaces the estimated one."""
        return not self.not_speed

    @property
    def memory(self) -> bool:
        """Whether the measured reserve and process replace the estimated ones."""
        return not self.not_memory

    @property
    def differences(self) -> tuple[str, ...]:
        """Everything that keeps it, or a part of it, from the job."""
        return tuple(dict.fromkeys((*self.not_speed, *self.not_memory)))

    def to_dict(self) -> dict[str, Any]:
        """The `calibration` of `hbspec estimate --format json`."""
        return {
            "day": self.measurement.day,
            "gpu": self.measurement.gpu,
            "updates": len(self.measurement.updates),
            "ran_out": self.measurement.ran_out,
            "speed": self.speed,
            "memory": self.memory,
            "not_speed": list(self.not_speed),
            "not_memory": list(self.not_memory),
        }


def applied(measurement: Measurement, plan: Plan, *, shipped: bool) -> AppliedRecord:
    """What applies of a measurement to a plan.

    Args:
        measurement: as read from a record.
        plan: the plan.
        shipped: whether the job runs the shipped script.
    """
    common = (*_unlike(measurement, plan, shipped=shipped), *_shared(measurement))
    return AppliedRecord(
        measurement,
        not_speed=(*common, *_why_not_speed(measurement, plan)),
        not_memory=(*common, *_why_not_memory(measurement, plan)),
    )


def conditions_of(plan: Plan, *, shipped: bool, gpu: str | None = None) -> dict[str, Any]:
    """What the speed and the memory of a plan's steps depend on, beside its rows: plain values by name.

    Args:
        plan: the plan.
        shipped: whether the job runs the shipped script.
        gpu: what it runs on, if not on what the plan says.
    """
    hardware = plan.hardware
    return {
        "gpu": gpu or (hardware.gpu.name if hardware else None),
        "gpus": gpus_used(plan),
        "hosts": hardware.instances if hardware else None,
        "script": "the shipped one" if shipped else "your own",
        "parallelism": plan.parallelism,
        "sharding": plan.sharding,
        "offload": plan.offload,
        "tensor_parallel": plan.tensor_parallel,
        **_flat("allocator", plan.allocator),
        **_flat("fsdp", plan.fsdp),
        **_flat("deepspeed", plan.deepspeed),
        **_model(plan),
        **{name: _plain(getattr(plan.training, name)) for name in Training._fields if name not in UNCOMPARED},
    }


def gpus_used(plan: Plan) -> int | None:
    """How many GPUs of one host the job uses; None where the hardware is not known."""
    if plan.hardware is None:
        return None
    return plan.hardware.gpus_per_instance if plan.way.distributed or plan.way.splits_layers else 1


def longest_row(plan: Plan) -> int:
    """Tokens of the longest row that the job may have."""
    training = plan.training
    return round(training.max_length if training.packing else plan.lengths.cut(training.max_length).longest.high)


def length_ratio(measurement: Measurement, plan: Plan) -> float:
    """The most by which the rate may differ from the measured one for the lengths of rows, at least 1: see `NEAR`."""
    padded = plan.padded_row_tokens
    return max(_ratio(measurement, plan, tokens) for tokens in (padded.low, padded.expected, padded.high))


def _ratio(measurement: Measurement, plan: Plan, tokens: float) -> float:
    """How far a micro-batch with rows of so many tokens is from the measured one, at least 1."""
    of_tokens = _apart(plan.training.micro_batch * tokens, measurement.rows.tokens)
    return of_tokens * _apart(plan.unevenness, measurement.rows.unevenness)


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one)


def _model(plan: Plan) -> dict[str, Any]:
    """The sizes of the model: two models of the same sizes compute the same."""
    architecture, between = plan.architecture, plan.between
    if architecture is None:
        return {
            "model_type": between and between.model_type,
            "parameters": between and [round(between.parameters.low), round(between.parameters.high)],
        }
    names = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    named = {name: getattr(architecture, name) for name in (*names, "vocab_size", "sliding_window", "quant_method")}
    return {**named, "parameters": total_parameters(architecture)}


def _flat(name: str, value: Any) -> dict[str, Any]:
    """The fields of a NamedTuple by dotted names."""
    if value is None:
        return {name: None}
    return {f"{name}.{field}": _plain(held) for field, held in value._asdict().items()}


def _plain(value: Any) -> Any:
    """A value as JSON reads it back."""
    return list(value) if isinstance(value, tuple) else value


def _unlike(measurement: Measurement, plan: Plan, *, shipped: bool) -> Iterator[str]:
    """What differs that speed and memory depend on, each with both values."""
    theirs, ours = measurement.conditions, conditions_of(plan, shipped=shipped)
    for name in dict.fromkeys((*ours, *theirs)):
        if theirs.get(name) != ours.get(name):
            yield f"{_said(name)}: {_said(theirs.get(name))} measured, {_said(ours.get(name))} in this job"
    for package, one, other in apart(measurement.software, dict(plan.training.software)):
        yield f"{package}: {_said(one)} measured, {other} in this job, and it changed in between"


def _shared(measurement: Measurement) -> Iterator[str]:
    """GPUs that other processes used meanwhile."""
    for device in measurement.devices:
        if device.others is not None and device.others > ALONE_BYTES:
            yield f"GPU {device.gpu} was not the job's alone: others held {bytes_text(device.others)} of it"


def _why_not_speed(measurement: Measurement, plan: Plan) -> Iterator[str]:
    if not measurement.updates:
        yield "no update was timed: the job ran out of memory" if measurement.ran_out else "no update was timed"
        return
    if plan.measured_tokens_per_second is not None:
        yield "calibration.tokens_per_second_per_gpu is set, which replaces the speed of a record"
    if not plan.lengths.known:
        yield "tokens of a micro-batch: measured, and not known in this job (set data.profile or data.tokens)"
    elif _ratio(measurement, plan, plan.padded_row_tokens.expected) > NEAR:
        theirs, ours = measurement.rows.tokens, plan.training.micro_batch * plan.padded_row_tokens.expected
        yield (
            f"tokens of a micro-batch: {count_text(round(theirs))} measured, {count_text(round(ours))} in this job, "
            f"which with their unevenness ({measurement.rows.unevenness:.2f} and {plan.unevenness:.2f}) is not within "
            f"a factor of {NEAR:g}"
        )


def _why_not_memory(measurement: Measurement, plan: Plan) -> Iterator[str]:
    theirs, ours = measurement.rows.longest, longest_row(plan)
    if not measurement.devices:
        yield "memory of a GPU was not measured"
    elif ours < theirs or (ours > theirs and measurement.ran_out is None):  # more tokens never need less
        yield f"longest row: {count_text(theirs)} tokens measured, {count_text(ours)} in this job"


def _said(value: Any) -> str:
    if value is None:
        return "none"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return redact(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")
