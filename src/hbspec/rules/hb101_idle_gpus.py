"""Layers are split over GPUs that then work one at a time.

Why: `device_map="auto"` puts consecutive layers on different GPUs and runs them in turn, so of eight GPUs seven are
always waiting and all eight are paid for. The effective batch counts one process: the same numbers under `ddp` train
that many times more data, unless the accumulation is divided by the number of GPUs.

Example:

    instance: {type: ml.p4d.24xlarge, parallelism: pipeline}

Instead:

    instance: {type: ml.p4d.24xlarge, parallelism: ddp}

References:

    https://huggingface.co/docs/transformers/perf_train_gpu_many
    https://github.com/huggingface/transformers/issues/31557
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.processes import that_hold_it
from hbspec.diagnostics import Finding, Severity, known
from hbspec.plan import Plan
from hbspec.plan.counts import effective_batch_size, examples_processed, nominal_examples
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import count_text, significant

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB105"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Pipelines over more than one GPU; they never reach beyond one instance."""
    plan = analysis.plan
    if plan.parallelism != "pipeline":
        return
    gpus = known(plan.hardware, plan.unknown.get("hardware", "the hardware")).gpus_per_instance
    if gpus > 1:
        yield RULE.at(
            ("instance", "parallelism"),
            f"pipeline runs one of {gpus} GPUs at a time: {gpus - 1} are paid for and idle" + _under_ddp(plan, gpus),
            _action(plan, gpus, that_hold_it(analysis)),
        )


def _under_ddp(plan: Plan, gpus: int) -> str:
    """What the same numbers would mean with a process for every GPU."""
    if plan.counts is None:
        return ""
    micro, accumulation = plan.training.micro_batch, plan.training.gradient_accumulation
    batch = effective_batch_size(micro, accumulation, gpus)
    steps, rows = plan.counts.optimizer_steps, plan.counts.rows
    nominal = nominal_examples(steps, batch) / rows
    really = examples_processed(steps, rows, micro, accumulation, gpus) / rows
    return (
        f"; effective batch {count_text(plan.counts.effective_batch_size)} holds for this one process only, "
        f"under ddp the same numbers give {count_text(batch)}, nominally {significant(nominal)} epochs "
        f"(really {significant(really)})"
    )


def _action(plan: Plan, gpus: int, holding: tuple[str, ...]) -> str:
    """A process for every GPU, where that fits."""
    if not holding:
        return "use GPUs with more memory: on these the job does not surely fit, under ddp or under fsdp"
    use = " or ".join(holding)
    accumulation = plan.training.gradient_accumulation
    if accumulation % gpus:
        return f"use parallelism: {use}, and divide the accumulation"
    return (
        f"use parallelism: {use} with gradient_accumulation_steps: {accumulation // gpus}: "
        f"the same batch in about 1/{gpus} of the time"
    )
