"""A warm-up given twice, in updates and as a share of them.

Why: only one of them can hold. The shipped script refuses both; transformers takes the updates and drops the share in
silence.

Example:

    hyperparameters: {warmup_steps: 9, warmup_ratio: 0.1}

Instead:

    hyperparameters: {warmup_steps: 9}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "warmup_ratio")


def check(analysis: Analysis) -> Iterator[Finding]:
    """`warmup_steps` and `warmup_ratio` both given."""
    given = analysis.spec.hyperparameters
    if given.warmup_steps is not None and given.warmup_ratio is not None:
        yield RULE.at(
            ROUTE,
            f"warmup_steps {given.warmup_steps} and warmup_ratio {plain(given.warmup_ratio)} are both given",
            "delete one of them",
            fixes=(Fix("delete warmup_ratio", ROUTE),),
        )
