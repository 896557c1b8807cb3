"""Both 16-bit formats at once.

Why: a matrix product has one format. The trainer refuses to start with both flags set.

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
    """`bf16` and `fp16` both true."""
    given = analysis.spec.hyperparameters
    if given.bf16 and given.fp16:
        yield RULE.at(
            ROUTE,
            "bf16 and fp16 are both true, and compute has one format",
            "delete fp16, or bf16 on a GPU without bfloat16",
            fixes=(Fix("delete fp16", ROUTE),),
        )
