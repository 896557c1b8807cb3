"""`eval_steps` exceeds the number of updates: nothing is evaluated during the run.

Why: No evaluation shows whether the model gets better or forgets, and none can choose the best checkpoint. Since
transformers 5.4 the run is evaluated once, after its last update; before, never. Often the interval is counted in
examples or was copied from a longer run.

Example:

    hyperparameters: {max_steps: 300, eval_steps: 500}

Instead:

    hyperparameters: {max_steps: 300, eval_steps: 50}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/trainer_callback.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.epochs import EVALUATED_AT_END
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB220"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `eval_steps` with the updates of the run."""
    every, plan = analysis.spec.hyperparameters.eval_steps, analysis.plan
    if every is None:
        return
    steps = plan.updates
    if every > steps:
        saved = plan.training.save_steps or steps
        usual = max(1, int(saved) if saved <= steps else steps // 4)  # every checkpoint is evaluated
        at_end = not plan.training.own_loop and plan.training.has(EVALUATED_AT_END)
        yield RULE.at(
            ("hyperparameters", "eval_steps"),
            f"eval_steps {count_text(every)} exceeds the {count_text(steps)} updates of the run: "
            f"nothing is evaluated{' before the end' if at_end else ''}",
            f"use eval_steps: {usual}",
            instead=(usual,),
        )
