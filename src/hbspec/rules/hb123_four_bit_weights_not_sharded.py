"""The shipped training script does not load quantised weights under ZeRO-3.

Why: ZeRO-3 cuts quantised weights like others, but only after they are loaded, and since transformers 5 every GPU holds
the whole quantised model until then: the memory that stage 3 promises is missing when the job starts. Before, they were
loaded on the host. The shipped script needs transformers 5 and rejects the combination; in your script, the estimate
counts the load by `software.transformers`.

Example:

    instance: {parallelism: zero3}

Instead:

    instance: {parallelism: zero2}

References:

    https://huggingface.co/docs/peft/accelerate/deepspeed
    https://github.com/huggingface/peft/issues/2016
    https://github.com/deepspeedai/DeepSpeed/issues/5637
    https://github.com/huggingface/transformers/issues/24395
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.analysis.changes import leaner
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.action import action
from hbspec.rules.fitting import Predicate, change_that_fits
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
_NONE_TRIED = "use GPUs with more memory; no change tried avoids this error without another"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `zero3` with quantised weights in the shipped script; another script's load is a matter of memory."""
    quantization = analysis.plan.training.quantization
    way = analysis.plan.way
    if way.shards_weights and not way.shards_four_bits and quantization and analysis.spec.shipped:
        yield RULE.at(
            ("instance", "parallelism"),
            f"parallelism: {way.name} cuts {quantization} weights only after every GPU has loaded all of them, and the "
            "shipped script rejects it",
            _NONE_TRIED,
        )


def advise(analysis: Analysis, acceptable: Predicate) -> str:
    """A change that the script accepts, after which the job fits; where none is found, one without new errors."""

    def accepted(changed: Analysis) -> bool:
        return not any(check(changed))

    change = change_that_fits(analysis, acceptable, accepted) or _another_way(analysis, acceptable)
    return action(change) if change else _NONE_TRIED


def _another_way(analysis: Analysis, acceptable: Predicate) -> Change | None:
    """Another `parallelism` without new errors, where the job does not fit either way or its memory is not known."""
    for change in leaner(analysis.spec, analysis.plan):
        changed = replace(analysis, spec=change.applied(analysis.spec))
        if change.kind == "parallelism" and not any(check(changed)) and acceptable(changed):
            return change
    return None
