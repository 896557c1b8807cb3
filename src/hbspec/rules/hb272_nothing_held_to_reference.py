"""`beta` is 0 in a task whose loss is a comparison with the reference.

Why: DPO's and KTO's losses multiply what the model gains over its reference by `beta`. At 0 most of them are constants:
their gradients are 0, and nothing is learnt in any number of steps. `ipo` divides by `beta`.

Example:

    task: dpo
    data: {type: preference}
    hyperparameters: {beta: 0}

Instead:

    task: dpo
    data: {type: preference}
    hyperparameters: {beta: 0.1}

References:

    https://arxiv.org/abs/2305.18290
    https://huggingface.co/docs/trl/dpo_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.tasks import TASKS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
WITHOUT_BETA = ("sft",)
"""Losses in which it has no part (TRL 1.16.0, `dpo_trainer.py`, `_compute_loss`)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a `beta` of 0 in DPO or KTO; GRPO's own default is 0."""
    task, objective = analysis.spec.task, analysis.plan.training.objective
    usual = TASKS[task].beta
    if usual and objective.beta == 0 and objective.loss_type not in WITHOUT_BETA:
        yield RULE.at(
            ("hyperparameters", "beta"),
            f"beta is 0, with which the loss of task {task} has no gradient",
            f"set beta above 0, such as {usual:g}",
            instead=(None,),
        )
