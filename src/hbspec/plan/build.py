"""Builds the plan from a spec and the catalog; all choices are made here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from typing import Any

from hbspec.catalog import Architecture, Catalog
from hbspec.catalog.roles import TargetError, saved_modules
from hbspec.diagnostics import Missing, NotKnownError, Route
from hbspec.plan import counts as count
from hbspec.plan.allocator import allocator_settings
from hbspec.plan.assumptions import Choices
from hbspec.plan.data_loop import data_loop, evaluations
from hbspec.plan.fsdp import fsdp
from hbspec.plan.hardware import Hardware, hardware
from hbspec.plan.lengths import Lengths, Profile, known_lengths, unknown_lengths
from hbspec.plan.loop import BoundingLoop, Counts
from hbspec.plan.money import currencies, unit_price
from hbspec.plan.objective import without_head
from hbspec.plan.offload import sharded_by_deepspeed
from hbspec.plan.parallelism import PARALLELISMS
from hbspec.plan.plan import Plan
from hbspec.plan.rollouts import completed, resolve_rollouts
from hbspec.plan.saved import checkpoint_bytes, saved_bytes
from hbspec.plan.splits import split_examples
from hbspec.plan.trained_weights import grown, trainable
from hbspec.plan.training import Training
from hbspec.plan.training_choices import resolve_training
from hbspec.showing.secrets import redact
from hbspec.spec import Spec
from hbspec.units import Interval


def build_plan(
    spec: Spec,
    catalog: Catalog,
    architecture: Architecture | None,
    profile: Profile | None,
    deepspeed_json: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of a spec.

    Args:
        spec: the typed spec.
        catalog: hardware, prices and models.
        architecture: the architecture of the spec's model; None where it is not known.
        profile: the profile of the training split; None where there is none.
        deepspeed_json: the author's DeepSpeed JSON; None where there is none.
    """
    unknown: dict[str, Missing] = {}
    architecture = grown(architecture, spec, unknown)
    machine, choices = _hardware(spec, catalog, unknown), Choices()
    choices.note_language_defaults(spec.instance, ("instance",), "parallelism", "count")
    training, assumed = resolve_training(spec, architecture, bf16=machine.gpu.bf16 if machine else None)
    choices.assumptions += assumed
    architecture, training = _with_heads(architecture, training)
    processes = _processes(spec, machine, unknown)
    data_parallel = _data_parallel(processes, spec.instance.tensor_parallel or 1, unknown)
    training, lengths, kept = _with_lengths(spec, profile, training, data_parallel, choices)
    if architecture is None and "architecture" not in unknown:
        unknown["architecture"] = Missing("the model is not in the catalog and model.config is not set", ("model",))
    choices.note_tower(architecture, shipped=spec.shipped)
    counts, ends = data_loop(spec, profile, training, data_parallel, lengths, kept, unknown)
    _, validation = split_examples(spec, profile)
    training = training.over(*((counts.optimizer_steps, counts.steps_per_epoch) if counts else (training.max_steps,)))
    trained = trainable(architecture, spec, training, unknown) if architecture else None
    return Plan(
        **_as_asked(spec, catalog),
        **sharded_by_deepspeed(spec, architecture, deepspeed_json or {}, choices),
        **_tokens(lengths, training, counts, ends),
        training=training,
        kept=kept,
        fsdp=fsdp(spec, training, choices),
        merges=_merges(spec, training),
        architecture=architecture,
        hardware=machine,
        processes=processes,
        data_parallel_size=data_parallel,
        effective_batch_size=data_parallel
        and count.effective_batch_size(training.micro_batch, training.gradient_accumulation, data_parallel),
        counts=counts,
        validation_examples=validation,
        evaluations=evaluations(spec, training, counts, validation),
        trainable_parameters=trained,
        adapter_bytes=saved_bytes(architecture, training, trained),
        checkpoint_bytes=checkpoint_bytes(architecture, training, trained),
        assumptions=tuple(choices.assumptions),
        unknown={what: Missing(redact(reason), reason.route) for what, reason in unknown.items()},
    )


def _as_asked(spec: Spec, catalog: Catalog) -> dict[str, Any]:
    """The fields of a plan that the spec and the catalog give as they are."""
    instance = spec.instance
    return {
        "name": redact(spec.name),
        "model": redact(spec.model.id or spec.model.config or "unnamed"),
        "parallelism": instance.parallelism,
        "sharding": (instance.sharding or "full") if PARALLELISMS[instance.parallelism].takes_strategy else None,
        "tensor_parallel": instance.tensor_parallel or 1,
        "allocator": allocator_settings(spec),
        "spot": instance.spot,
        "max_runtime": instance.max_runtime,
        "keep_alive": None if instance.spot else instance.keep_alive,
        "volume": instance.volume,
        "checkpoints_survive": instance.type is not None,
        "streams_data": instance.type is not None and spec.data.input_mode == "FastFile",
        "region": instance.region and redact(instance.region),
        "measured_tokens_per_second": spec.calibration.tokens_per_second_per_gpu if spec.calibration else None,
        "price": unit_price(catalog, instance.price, instance.type, instance.region, "training"),
        "currencies": currencies(spec),
    }


def _tokens(
    lengths: Lengths, training: Training, counts: Counts | None, ends: tuple[BoundingLoop, ...]
) -> dict[str, Any]:
    """The fields of a plan that follow from the lengths of examples."""
    cut = lengths.cut(training.max_length)
    row, padded = _rows(cut, training)
    found: dict[str, Any] = {
        "lengths": lengths,
        "row_tokens": row,
        "padded_row_tokens": padded,
        "unevenness": _unevenness(cut, training, padded.expected),
        "real_tokens": None,
        "padded_tokens": None,
        "loops": ends,
    }
    if counts is None:
        return found
    every, each = [counts, *(end.counts for end in ends)], training.objective.rows
    computed = [one.rows_computed for one in every]
    filled = computed if training.rollouts else [one.examples_processed * each for one in every]
    # of packed rows, more tokens in an example are more rows, and fewer examples of as many rows
    few, many = (filled[1], filled[-1]) if ends and training.packing else (min(filled), max(filled))
    real = cut.mean.expected * filled[0]
    return {
        **found,
        "real_tokens": Interval(min(cut.mean.low * few, real), real, max(cut.mean.high * many, real)),
        "padded_tokens": padded * Interval(min(computed), computed[0], max(computed)),
    }


def _merges(spec: Spec, training: Training) -> bool:
    """Whether the job merges its adapters: as asked, or since merged ones are served; the shipped script does not."""
    served = not spec.shipped and spec.deployment is not None and spec.deployment.adapters == "merged"
    return training.adapters and (served or bool(spec.hyperparameters.merge_weights))


def _hardware(spec: Spec, catalog: Catalog, unknown: dict[str, Missing]) -> Hardware | None:
    section = spec.instance
    try:
        return hardware(
            catalog,
            section.type,
            section.gpu,
            section.gpus,
            section.count,
            section.host_memory,
            section.gpu_memory,
            section.network,
        )
    except NotKnownError as reason:
        unknown["hardware"] = Missing(str(reason), _named_at(spec))
        return None


def _named_at(spec: Spec) -> Route:
    """The route at which the spec names the job's hardware."""
    key = "type" if spec.instance.type is not None else "gpu" if spec.instance.gpu is not None else None
    return ("instance", key) if key else ("instance",)


def _processes(spec: Spec, machine: Hardware | None, unknown: dict[str, Missing]) -> int | None:
    if not PARALLELISMS[spec.instance.parallelism].distributed:
        return 1
    if machine is None:
        unknown["processes"] = unknown["data_parallel_size"] = unknown["hardware"]
        return None
    return machine.gpus


def _data_parallel(processes: int | None, tensor_parallel: int, unknown: dict[str, Missing]) -> int | None:
    if processes is None:
        return None
    try:
        return count.data_parallel_size(processes, tensor_parallel)
    except ValueError as reason:
        unknown["data_parallel_size"] = Missing(f"tensor_parallel {reason}", ("instance", "tensor_parallel"))
        return None


def _with_lengths(
    spec: Spec, profile: Profile | None, training: Training, ranks: int | None, choices: Choices
) -> tuple[Training, Lengths, Interval]:
    """The training with its longest row and its rollouts, the lengths of its rows, and the share of the examples."""
    rollouts = resolve_rollouts(spec, choices, ranks)
    room = training.max_length - (rollouts.completion if rollouts is not None else 0)
    lengths = _lengths(spec, profile, training, room, choices)
    training = training if training.capped else _uncapped(training, lengths)
    if rollouts is None:
        lengths = lengths._replace(left_out=training.leaves_out)
        return training, lengths, lengths.kept(training.max_length)
    return completed(training, rollouts, lengths, shipped=spec.shipped)


def _lengths(spec: Spec, profile: Profile | None, training: Training, room: int, choices: Choices) -> Lengths:
    """The lengths of the examples; without any, all that fill the room that a row has for them."""
    known = known_lengths(spec, profile)
    if known is not None:
        return known
    cap = "max_length" if training.capped else "the model's positions"
    lengths = unknown_lengths(room, cap) if room > 0 else unknown_lengths(training.max_length, cap)
    choices.note(("data", "tokens"), lengths.mean.to_dict(), lengths.source)
    return lengths


def _uncapped(training: Training, lengths: Lengths) -> Training:
    """A training that cuts nothing: its longest row is the longest example, where that is known."""
    return training._replace(max_length=ceil(lengths.longest.high)) if lengths.known else training


def _rows(cut: Lengths, training: Training) -> tuple[Interval, Interval]:
    """Real and padded tokens per row."""
    if training.packing:
        full = training.max_length
        row = cut.packed_row(full) if training.joined else Interval.exact(full)
        return row, row
    return cut.mean, cut.padded(training.padded_together)


def _unevenness(cut: Lengths, training: Training, mean: float) -> float:
    """Mean square of row lengths over the square of their mean; 1 for packed rows, which are nearly equal."""
    return 1.0 if training.packing else cut.unevenness(training.padded_together, mean)


def _with_heads(architecture: Architecture | None, training: Training) -> tuple[Architecture | None, Training]:
    """The model without the head that a reward's takes the place of, and the modules to save as those of the model."""
    architecture = without_head(architecture) if training.objective.rewards else architecture
    if architecture is None or not training.adapters:
        return architecture, training
    with suppress(TargetError):  # not counted here
        training = training._replace(modules_to_save=saved_modules(architecture, training.modules_to_save))
    return architecture, training
