"""`warmup_steps` and `warmup_ratio` are both set.

Why: Only one of them can apply. The shipped script rejects both; transformers uses `warmup_steps` and ignores
`warmup_ratio` silently.

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
    """Find `warmup_steps` and `warmup_ratio` both set."""
    given = analysis.spec.hyperparameters
    if given.warmup_steps is not None and given.warmup_ratio is not None:
        yield RULE.at(
            ROUTE,
            f"warmup_steps {given.warmup_steps} and warmup_ratio {plain(given.warmup_ratio)} are both set",
            "delete warmup_ratio or warmup_steps",
            fixes=(Fix("delete warmup_ratio", ROUTE),),
        )
