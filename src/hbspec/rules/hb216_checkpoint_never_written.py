"""`save_steps` exceeds the number of updates: no checkpoint is written before the end.

Why: Nothing is saved before the last update. A job that is stopped at its time limit, by a spot interruption or by an
error starts again from the beginning, and everything that it cost is lost.

Example:

    hyperparameters: {max_steps: 300, save_steps: 500}

Instead:

    hyperparameters: {max_steps: 300, save_steps: 50}

References:

    https://github.com/Boise-State-Development/agentcore-public-stack/pull/1024
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `save_steps` with the updates of the run."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    if given.save_steps is None:
        return
    steps = plan.updates
    if given.save_steps > steps:
        yield RULE.at(
            ("hyperparameters", "save_steps"),
            f"save_steps {count_text(given.save_steps)} exceeds the {count_text(steps)} updates of the run: "
            "nothing is saved before the end",
            f"use save_steps: {max(1, steps // 4)}",
        )
