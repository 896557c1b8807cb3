"""The run repeats the same examples many times.

Why: Repeated data soon teaches nothing new: up to four epochs are almost as good as fresh data, and from about sixteen
epochs the gain is nearly gone, while the model memorises its examples and the bill grows with every epoch. Many epochs
are often unintended: `max_steps` was kept when the number of GPUs was raised.

Example:

    hyperparameters: {max_steps: 900}

Instead:

    hyperparameters: {max_steps: 300}

References:

    https://arxiv.org/abs/2305.16264
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import about_text, count_text, significant

RULE = Rule(__name__, Severity.WARNING)
MANY = 10
"""Epochs: between the 4 that cost almost nothing and the 16 that gain almost nothing (arXiv 2305.16264, section 5)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the epochs actually run with `MANY`."""
    plan, given = analysis.plan, analysis.spec.hyperparameters
    counts = plan.require("counts")
    if counts.epochs > MANY:
        nominal = "" if plan.loops else f" ({significant(counts.nominal_epochs)} nominal)"
        key = "max_steps" if given.max_steps is not None else "num_train_epochs"
        epochs = about_text(plan.counted("epochs"), significant)
        yield RULE.at(
            ("hyperparameters", key),
            f"{about_text(plan.counted('optimizer_steps'), count_text)} updates of effective batch size "
            f"{count_text(counts.effective_batch_size)} are {epochs} epochs of "
            f"{count_text(counts.examples)} examples{nominal}, more than {MANY}",
            f"reduce {key}",
        )
