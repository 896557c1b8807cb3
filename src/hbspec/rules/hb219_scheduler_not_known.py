"""`lr_scheduler_type` names a schedule that the training script does not support.

Why: `lr_scheduler_type` is looked up when training starts, after the weights were loaded. The shipped script supports
the schedules that need no further arguments; your own script may use any schedule of transformers.

Example:

    hyperparameters: {lr_scheduler_type: cosin}

Instead:

    hyperparameters: {lr_scheduler_type: cosine}

References:

    https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.shipped_script import SCHEDULERS
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "lr_scheduler_type")

OTHERS = (
    "reduce_lr_on_plateau", "cosine_with_min_lr", "cosine_warmup_with_min_lr", "warmup_stable_decay", "greedy",
)  # fmt: skip
"""The rest of `transformers.trainer_utils.SchedulerType`, 5.23.0 (a test holds both together equal to it)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `lr_scheduler_type` among the names of the script that runs."""
    name, own = analysis.spec.hyperparameters.lr_scheduler_type, not analysis.spec.shipped
    names = SCHEDULERS + OTHERS if own else SCHEDULERS
    if name is None or name in names:
        return
    near = nearest(name, names)
    yield RULE.at(
        ROUTE,
        f"{name} needs arguments that the shipped script lacks"
        if name in OTHERS
        else f"{name} is not a known schedule",
        f"did you mean {near}?" if near else f"use one of {', '.join(names)}",
        fixes=(Fix(f"change it to {near}", ROUTE, near),) if near and name not in OTHERS else (),
    )
