"""`max_steps` and `num_train_epochs` are both set, and they disagree.

Why: The trainer stops at `max_steps` and ignores `num_train_epochs`. The epochs in the spec, or on the bill, then
mislead their reader.

Example:

    hyperparameters: {max_steps: 300, num_train_epochs: 3}

Instead:

    hyperparameters: {max_steps: 300}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/unslothai/unsloth/issues/594
    https://github.com/vessl-ai/examples/pull/77
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.counts import optimizer_steps
from hbspec.rules.rule import Rule, plain
from hbspec.units import about_text, significant

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "num_train_epochs")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `max_steps` and `num_train_epochs` both set, unless both give the same number of updates."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    counts = plan.counts
    if given.max_steps is None or given.num_train_epochs is None:
        return
    if counts and optimizer_steps(counts.steps_per_epoch, None, given.num_train_epochs) == given.max_steps:
        return
    really = (
        f": {given.max_steps} updates are {about_text(plan.counted('epochs'), significant)} epochs" if counts else ""
    )
    yield RULE.at(
        ROUTE,
        f"num_train_epochs {plain(given.num_train_epochs)} is overridden by max_steps {given.max_steps}{really}",
        "delete num_train_epochs or max_steps, whichever is not meant",
        fixes=(Fix("delete num_train_epochs", ROUTE, safe=True),),
    )
