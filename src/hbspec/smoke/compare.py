"""Comparison of a rehearsal's counts with the plan for the same ranks and the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import saved_parameters
from hbspec.catalog.parameters import language_parameters, lora_parameters
from hbspec.plan import Plan, Training
from hbspec.plan import counts as count
from hbspec.plan.generations import Generations
from hbspec.plan.objective import NEXT_TOKEN, without_head

UNPROVEN = (
    "memory on a GPU, and that the job fits",
    "speed, and with it time and cost",
    "bfloat16 and float16 compute, and GPU kernels (FlashAttention, fused 4-bit products)",
    "the real weights, their tokenizer and their chat template",
)
UNPROVEN_SHARDING = "sharding: fsdp and ZeRO need GPUs; on a CPU the trainer runs ddp instead"
UNPROVEN_PIPELINE = "device_map: layers are split only across GPUs"
UNPROVEN_COLUMNS = "the reward functions on your data: their columns ({}) hold made-up texts of numbers"
UNPROVEN_SCORES = "the scores of real completions: those of a random model say nothing"


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


def compare(
    plan: Plan,
    run: Mapping[str, Any],
    tiny_config: Mapping[str, Any],
    ranks: int,
    generated: Generations | None = None,
) -> list[Comparison]:
    """Every quantity that a rehearsal can prove.

    Args:
        plan: the plan of the spec.
        run: the rehearsal's `run.json`.
        tiny_config: the `config.json` of the trained model.
        ranks: the requested number of ranks.
        generated: what the spec generates together on these ranks; None where it generates nothing.
    """
    training = plan.training
    trained = _trained(training, Architecture.from_config(tiny_config))
    counted = _examples(training, run, ranks) if generated is None else _generated(training, run, ranks, generated)
    return [
        Comparison("ranks", ranks, run["ranks"]),
        *([] if training.packing else counted),
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
    rows = processed * training.objective.rows
    return [
        Comparison("examples of a full update", min(effective, epoch), run["examples_per_update"]),
        Comparison("examples of an epoch", epoch, run["epoch"]["examples"]),
        Comparison("updates of an epoch", steps, run["epoch"]["updates"]),
        Comparison(f"examples of {updates} updates", processed, run["examples_consumed"]),
        *([Comparison(f"rows of {updates} updates", rows, run["rows_consumed"])] if "rows_consumed" in run else []),
    ]


def _generated(training: Training, run: Mapping[str, Any], ranks: int, spec: Generations) -> list[Comparison]:
    """The counts of prompts and completions; a rehearsal may generate more together, see `templates/tiny.py`."""
    at_once, updates = training.micro_batch * ranks, run["updates"]
    replaced = [int(each["to"]) for each in run["overrides"] if each["name"] == "STEPS_PER_GENERATION"]
    steps = replaced[0] if replaced else spec.steps
    found = spec._replace(steps=steps, batch=at_once * steps)
    per_epoch = found.micro_batches(run["data"]["train"]["used"])
    updates_of_epoch = ceil(per_epoch / training.gradient_accumulation)
    epochs, rest = divmod(updates, updates_of_epoch)
    trained = epochs * per_epoch + rest * training.gradient_accumulation
    made = ceil(trained / (found.steps * found.iterations)) * found.batch
    prompts = per_epoch // (found.steps * found.iterations) * found.prompts
    return [
        Comparison("prompts of an epoch", prompts, run["epoch"]["examples"]),
        Comparison("updates of an epoch", updates_of_epoch, run["epoch"]["updates"]),
        Comparison(f"prompts of {updates} updates", made // found.group, run["examples_consumed"]),
        Comparison(f"completions of {updates} updates", made, run["completions_generated"]),
        Comparison(f"rows of {updates} updates", trained * at_once, sum(run["completions_of_each_update"])),
    ]


def _trained(training: Training, architecture: Architecture) -> int:
    """Trainable parameters of the tiny model; a head that rewards is one vector in the place of the output head."""
    if training.objective.rewards:
        kept = without_head(architecture) or architecture
        return _trained(training._replace(objective=NEXT_TOKEN), kept) + architecture.hidden_size
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


def unproven(plan: Plan, made_up: Sequence[str] = ()) -> tuple[str, ...]:
    """What a rehearsal on a CPU says nothing about.

    Args:
        plan: the plan of the spec.
        made_up: columns of a synthetic sample that reward functions read.
    """
    columns = (UNPROVEN_COLUMNS.format(", ".join(made_up)),) if made_up else ()
    scores = (UNPROVEN_SCORES,) if plan.training.objective.task == "grpo" else ()
    pipeline = (UNPROVEN_PIPELINE,) if plan.way.splits_layers else ()
    sharding = (UNPROVEN_SHARDING,) if plan.way.sharded else ()
    return (*columns, *scores, *pipeline, *sharding, *UNPROVEN)
