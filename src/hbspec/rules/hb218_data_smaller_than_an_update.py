"""The training data is smaller than one update.

Why: Every update then takes all the data, several processes train on copies of the same examples, and an epoch is one
update long: the planned effective batch size is never reached.

Example:

    data: {train: {examples: 20}}
    hyperparameters: {max_steps: 3}

Instead:

    data: {train: {examples: 64}}
    hyperparameters: {max_steps: 3}

References:

    https://github.com/axolotl-ai-cloud/axolotl/pull/3100
    https://huggingface.co/docs/accelerate/package_reference/torch_wrappers
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import about_text, count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the rows (examples, or packed rows) with the effective batch size."""
    plan = analysis.plan
    counts = plan.require("counts")
    if counts.rows < counts.effective_batch_size:
        rows = "packed rows" if plan.training.packing else "examples"
        yield RULE.at(
            ("data", "train"),
            f"an update needs {count_text(counts.effective_batch_size)} {rows}, but the training data has "
            f"{about_text(plan.counted('rows'), count_text)}",
            "reduce gradient_accumulation_steps or per_device_batch_size",
        )
