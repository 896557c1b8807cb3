"""An adapter on the output head, which the task's trainer refuses.

Why: DPOTrainer and KTOTrainer compute log probabilities from the head's weight itself, so that an adapter on it would
never be trained. Since TRL 1.15 they stop before the first step.

Example:

    task: dpo
    data: {type: preference}
    hyperparameters: {target_modules: [q_proj, lm_head]}
    deployment: null

Instead:

    task: dpo
    data: {type: preference}
    hyperparameters: {target_modules: [q_proj, v_proj]}
    deployment: null

References:

    https://huggingface.co/docs/trl/dpo_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.epochs import LOSS_FUSED
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find the head among the targets of DPO or KTO; `all-linear` leaves it out."""
    training, task = analysis.plan.training, analysis.spec.task
    targets = training.target_modules
    if task not in ("dpo", "kto") or isinstance(targets, str) or not training.has(LOSS_FUSED):
        return
    head = analysis.plan.require("architecture").family.name("lm_head")
    others = tuple(name for name in targets if name != head)
    if head in targets and training.trainer == "trl":
        yield RULE.at(
            ("hyperparameters", "target_modules"),
            f"{head} is a target, and the trainer of task {task} reads its weight without an adapter",
            f"delete {head} from target_modules",
            instead=(others,) if others else (None,),
        )
