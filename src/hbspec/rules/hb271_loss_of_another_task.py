"""`loss_type` is not a loss of the task's trainer.

Why: TRL's DPOTrainer, KTOTrainer and GRPOTrainer have losses of their own, and stop at the name of another.

Example:

    task: dpo
    data: {type: preference}
    hyperparameters: {loss_type: kto}

Instead:

    task: dpo
    data: {type: preference}
    hyperparameters: {loss_type: ipo}

References:

    https://huggingface.co/docs/trl/dpo_trainer#loss-functions
    https://huggingface.co/docs/trl/kto_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.tasks import TASKS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `hyperparameters.loss_type` with the losses of the task; a task without any has HB213."""
    given, task = analysis.spec.hyperparameters.loss_type, analysis.spec.task
    losses = TASKS[task].losses
    if given is None or not losses or given in losses:
        return
    others = [name for name, facts in TASKS.items() if given in facts.losses]
    yield RULE.at(
        ("hyperparameters", "loss_type"),
        f"loss_type {given} is a loss of task {' and '.join(others)}, and task is {task}",
        f"set loss_type to one of {', '.join(losses)}",
        instead=(losses[0],),
    )
