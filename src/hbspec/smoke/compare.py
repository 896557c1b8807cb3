"""Comparison of a rehearsal's counts with the plan for the same ranks and the same data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import saved_parameters
from hbspec.catalog.parameters import language_parameters, lora_parameters
from hbspec.plan import Plan, Training
from hbspec.plan import counts as count

UNPROVEN = (
    "memory on a GPU, and that the job fits",
    "speed, and with it time and cost",
    "bfloat16 and float16 compute, and GPU kernels (FlashAttention, fused 4-bit products)",
    "the real weights, their tokenizer and their chat template",
)
UNPROVEN_SHARDING = "sharding: fsdp and ZeRO need GPUs; on a CPU the trainer runs ddp instead"
UNPROVEN_PIPELINE = "device_map: layers are split only across GPUs"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity, planned and counted."""

    name: str
    planned: float | str
    counted: float | str

    @property
    def agrees(self) -> bool:
        """Whether both values are equal."""
        return self.planned == self.counted


def compare(plan: Plan, run: Mapping[str, Any], tiny_config: Mapping[str, Any], ranks: int) -> list[Comparison]:
    """Every quantity that a rehearsal can prove.

    Args:
        plan: the plan of the spec.
        run: the rehearsal's `run.json`.
        tiny_config: the `config.json` of the trained model.
        ranks: the requested number of ranks.
    """
    training = plan.training
    trained = _trained(training, Architecture.from_config(tiny_config))
    return [
        Comparison("ranks", ranks, run["ranks"]),
        *([] if training.packing else _examples(training, run, ranks)),
        Comparison("trainable parameters", trained, run["parameters"]["trainable"]),
        Comparison("checkpoints", _checkpoints(run), len(run["checkpoints"])),
    ]


def _examples(training: Training, run: Mapping[str, Any], ranks: int) -> list[Comparison]:
    """The counts of the data loop; packed rows are not counted by it."""
    examples, updates = run["data"]["train"]["used"], run["updates"]
    micro, accumulation = training.micro_batch, training.gradient_accumulation
    epoch = count.examples_per_epoch(examples, micro, ranks)
    steps = count.steps_per_epoch(examples, micro, accumulation, ranks)
    effective = count.effective_batch_size(micro, accumulation, ranks)
    processed = count.examples_processed(updates, examples, micro, accumulation, ranks)
    return [
        Comparison("examples of a full update", min(effective, epoch), run["examples_per_update"]),
        Comparison("examples of an epoch", epoch, run["epoch"]["examples"]),
        Comparison("updates of an epoch", steps, run["epoch"]["updates"]),
        Comparison(f"examples of {updates} updates", processed, run["examples_consumed"]),
    ]


def _trained(training: Training, architecture: Architecture) -> int:
    """Trainable parameters of the tiny model."""
    if not training.adapters:
        return language_parameters(architecture)
    found = lora_parameters(
        architecture,
        training.lora_r,
        training.target_modules,
        use_dora=training.use_dora,
        modules_to_save=training.modules_to_save,
    )
    if not training.target_layers:
        return found
    whole = saved_parameters(architecture, training.target_modules, training.modules_to_save)
    layers = range(architecture.num_hidden_layers)
    return whole + (found - whole) * len({*training.target_layers} & {*layers}) // len(layers)


def _checkpoints(run: Mapping[str, Any]) -> int:
    """The expected number of checkpoints: as many an epoch as said, or one every SAVE_STEPS, and one at the end."""
    updates, often = int(run["updates"]), run["settings"].get("SAVES_PER_EPOCH")
    if often is not None:
        return ceil(updates / ceil(int(run["epoch"]["updates"]) / int(often)))
    return ceil(updates / count.updates_between(run["settings"]["SAVE_STEPS"], updates))


def unproven(plan: Plan) -> tuple[str, ...]:
    """What a rehearsal on a CPU says nothing about."""
    pipeline = (UNPROVEN_PIPELINE,) if plan.way.splits_layers else ()
    sharding = (UNPROVEN_SHARDING,) if plan.way.sharded else ()
    return (*pipeline, *sharding, *UNPROVEN)
