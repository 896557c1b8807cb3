"""The data are not of a type or layout that the task trains on.

Why: Each task has data of its own. `sft` trains on language modeling (conversations, or texts that are learnt whole)
and prompt-completion, `pretrain` on language modeling, `dpo` and `reward` on a preference, `kto` on an unpaired
preference, and `grpo` on prompts. No task of the shipped script trains on stepwise supervision. Alpaca and ShareGPT are
layouts that no trainer of TRL reads; `hbspec data convert` makes conversations of them. The script refuses other data
on the rented instance.

Example:

    data: {type: preference}

Instead:

    data: {type: prompt_completion, format: standard}

References:

    https://huggingface.co/docs/trl/dataset_formats
    https://huggingface.co/docs/trl/sft_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.tasks import TASKS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
FOREIGN = {"alpaca": "Alpaca", "sharegpt": "ShareGPT"}


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find types and layouts that the shipped script refuses for the task."""
    data = analysis.spec.data
    if not analysis.spec.shipped:
        return
    task, types = analysis.spec.task, TASKS[analysis.spec.task].types
    if data.type not in types:
        others = [name for name, facts in TASKS.items() if data.type == facts.types[0]]
        yield RULE.at(
            ("data", "type"),
            f"data.type is {data.type}, and task {task} trains {' or '.join(types)}",
            f"set data.type to {types[0]}" + (f", or task to {' or '.join(others)}" if others else ""),
            instead=(*types, *(Fix("", ("task",), name) for name in others)),
        )
    if data.format in FOREIGN:
        yield RULE.at(
            ("data", "format"),
            f"data.format is {data.format}, and the shipped script does not read {FOREIGN[data.format]}",
            "convert the data with `hbspec data convert`, and delete data.format",
            instead=(None,),
        )
