"""An alternative trains something else than the first choice.

Why: The effective batch size is micro-batch x accumulation x data-parallel ranks, so that an alternative with half of
the GPUs halves it: the same learning rate, warm-up and number of updates are those of another run. A GPU before Ampere
computes in float16, which overflows at 65,504, where another computes in bfloat16. Neither fails, and neither is
noticed.

Example:

    instance: {alternatives: [ml.g6e.12xlarge]}

Instead:

    instance: {alternatives: [ml.g6e.48xlarge]}

References:

    https://arxiv.org/abs/1706.02677
    https://huggingface.co/docs/transformers/perf_train_gpu_many
    https://github.com/huggingface/transformers/pull/10956
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan import Plan
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare effective batch size and compute dtype of each alternative with those of the first choice."""
    for route, name, other in analysis.alternatives:
        if said := differences(analysis, other):
            yield RULE.at(route, f"on {name}, {said}", _action(analysis.plan, other.plan, name))


def differences(analysis: Analysis, other: Analysis) -> str:
    """What an alternative trains otherwise than the first choice, in words; empty where nothing is known to differ."""
    here, there, first = analysis.plan, other.plan, analysis.spec.instance.type
    found = []
    batch, its_batch = here.effective_batch_size, there.effective_batch_size
    if batch is not None and its_batch is not None and batch != its_batch:
        found.append(f"the effective batch size is {count_text(its_batch)}, and {count_text(batch)} on {first}")
    dtype, its_dtype = here.training.compute_dtype, there.training.compute_dtype
    if here.hardware is not None and dtype != its_dtype:
        found.append(f"the compute dtype is {its_dtype}, and {dtype} on {first}")
    return "; ".join(found)


def _action(here: Plan, there: Plan, name: str) -> str:
    """The accumulation that keeps the batch, in a spec for the alternative; else another alternative."""
    batch, other = here.effective_batch_size, there.effective_batch_size
    same_dtype = here.training.compute_dtype == there.training.compute_dtype
    if batch and other and same_dtype:
        rows = other // there.training.gradient_accumulation
        if batch % rows == 0:
            return f"give {name} a spec of its own with gradient_accumulation_steps: {batch // rows}, or remove it"
    return f"remove {name} from the alternatives, or give it a spec of its own"
