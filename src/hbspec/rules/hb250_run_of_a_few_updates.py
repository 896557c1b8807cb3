"""The run has a few updates, and sees a small part of its data.

Why: A handful of updates does not change a model; the job is paid for its start, its download and its upload. Often
`max_steps` is left over from a trial, or a number of epochs was divided twice.

Example:

    hyperparameters: {max_steps: 2}

Instead:

    hyperparameters: {max_steps: 300}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/unslothai/unsloth/issues/594
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import about_text, count_text, counted

RULE = Rule(__name__, Severity.WARNING)
FEW = 10
"""Updates: a sixth of the 60 that unsloth's notebooks take to show something."""
SHARE = 0.1
"""Of an epoch."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the updates with `FEW` and the epochs with `SHARE`."""
    plan, given = analysis.plan, analysis.spec.hyperparameters
    counts = plan.require("counts")
    if counts.optimizer_steps >= FEW or counts.epochs >= SHARE:
        return
    key = "max_steps" if given.max_steps is not None else "num_train_epochs"
    seen = about_text(plan.counted("epochs"), "{:.1%}".format)
    yield RULE.at(
        ("hyperparameters", key),
        f"the run has {counted(counts.optimizer_steps, 'update')} and sees {seen} of the "
        f"{count_text(counts.examples)} examples",
        f"increase {key}",
        instead=(None,),
    )
