"""The schedule is called `constant_with_warmup`, but no warm-up is set.

Why: `lr_scheduler_type` only chooses the curve; without `warmup_steps` or `warmup_ratio` the warm-up is 0 updates long,
and the first update is taken at the full rate, with a state of the optimizer that knows one gradient.

Example:

    hyperparameters: {lr_scheduler_type: constant_with_warmup}

Instead:

    hyperparameters: {lr_scheduler_type: constant_with_warmup, warmup_ratio: 0.03}

References:

    https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
WARMS_UP = "constant_with_warmup"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find the schedule without either key; a custom loop may have a warm-up of its own."""
    given = analysis.spec.hyperparameters
    if given.lr_scheduler_type != WARMS_UP or analysis.plan.training.own_loop:
        return
    if not given.warmup_steps and not given.warmup_ratio:
        yield RULE.at(
            ("hyperparameters", "lr_scheduler_type"),
            f"lr_scheduler_type is {WARMS_UP}, but warmup_steps and warmup_ratio are not set",
            "set warmup_ratio: 0.03",
            fixes=(Fix("warm up for 3 % of the run", ("hyperparameters", "warmup_ratio"), 0.03),),
        )
