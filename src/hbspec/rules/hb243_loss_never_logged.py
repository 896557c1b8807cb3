"""`logging_steps` exceeds the number of updates: the loss is never logged.

Why: A loss that rises, or is not a number, then shows only in the model. Alarms and metrics that read the log find
nothing in it.

Example:

    hyperparameters: {max_steps: 300, logging_steps: 500}

Instead:

    hyperparameters: {max_steps: 300, logging_steps: 10}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/trainer_callback.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `logging_steps` with the updates of the run."""
    every = analysis.spec.hyperparameters.logging_steps
    if every is None:
        return
    steps = analysis.plan.updates
    if every > steps:
        yield RULE.at(
            ("hyperparameters", "logging_steps"),
            f"logging_steps {count_text(every)} exceeds the {count_text(steps)} updates of the run: no loss is logged",
            f"use logging_steps: {max(1, min(10, steps // 10))}",
            instead=(None,),
        )
