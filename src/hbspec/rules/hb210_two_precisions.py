"""`bf16` and `fp16` are both enabled.

Why: A matrix product is computed in one format. The trainer refuses to start with both flags set.

Example:

    hyperparameters: {bf16: true, fp16: true}

Instead:

    hyperparameters: {bf16: true}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "fp16")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `bf16` and `fp16` both true."""
    given = analysis.spec.hyperparameters
    if given.bf16 and given.fp16:
        yield RULE.at(
            ROUTE,
            "bf16 and fp16 are both true, but the job computes in one format",
            "delete fp16, or delete bf16 on a GPU without bfloat16",
            fixes=(Fix("delete fp16", ROUTE),),
        )
