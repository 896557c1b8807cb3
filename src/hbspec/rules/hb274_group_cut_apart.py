"""The completions that GRPO generates together do not hold whole groups.

Why: A completion is judged against the others of its prompt, so that a batch of completions must hold all
`num_generations` of each. TRL generates `steps_per_generation` micro-batches of all processes together, by default as
many as an update has; it refuses to start where that number is not a multiple of `num_generations`.

Example:

    task: grpo
    data: {type: prompt_only, validation: null, tokens: {mean: 100, max: 180}}
    reward: {functions: [finetune.py:train]}
    hyperparameters: {num_generations: 6, max_completion_length: 64, max_steps: 30}

Instead:

    task: dpo
    data: {type: preference}

References:

    https://huggingface.co/docs/trl/grpo_trainer
    https://github.com/huggingface/open-r1/issues/475
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.generations import Generations, generations
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the batch of completions with the group, and with what the processes train on at once."""
    given, ranks = analysis.spec.hyperparameters, analysis.plan.require("data_parallel_size")
    if analysis.spec.task != "grpo":
        return
    if given.generation_batch_size is not None and given.steps_per_generation is not None:
        yield RULE.at(
            ("hyperparameters", "generation_batch_size"),
            "generation_batch_size and steps_per_generation are both set, and each gives the other",
            "delete one of the two",
            instead=(None,),
        )
        return
    found = generations(analysis.spec, ranks)
    yield from _refused(found, ranks, given.per_device_batch_size, given.generation_batch_size)


def _refused(found: Generations, ranks: int, rows: int, asked: int | None) -> Iterator[Finding]:
    at_once = rows * ranks
    if asked is not None and asked % at_once:
        yield RULE.at(
            ("hyperparameters", "generation_batch_size"),
            f"generation_batch_size {asked} is not a multiple of the {at_once} rows of a micro-batch on all processes",
            f"set it to a multiple of {at_once}",
            instead=(None,),
        )
    elif found.batch % found.group:
        yield RULE.at(
            ("hyperparameters", "num_generations"),
            f"num_generations {found.group} does not divide the {found.batch} completions that are generated together",
            f"set num_generations to a divisor of {found.batch}, or steps_per_generation so that it divides",
        )
