"""`parallelism: pipeline` keeps one GPU busy at a time; the others idle.

Why: `device_map="auto"` puts consecutive layers on different GPUs and runs them in turn: of eight GPUs, seven always
wait, and all eight are billed. The effective batch size counts one process. Under `ddp` the same settings train on that
many times more data, unless gradient accumulation is divided by the number of GPUs.

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
from hbspec.diagnostics import Finding, Severity
from hbspec.plan import Plan
from hbspec.plan.counts import effective_batch_size, examples_processed, nominal_examples
from hbspec.plan.parallelism import ADVISED
from hbspec.rules.causes import Beside
from hbspec.rules.every_gpu import NO_ROOM, on_every_gpu
from hbspec.rules.fitting import Predicate
from hbspec.rules.rule import Rule
from hbspec.units import count_text, significant

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB105"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `pipeline` on more than one GPU of an instance; a pipeline never spans instances."""
    plan = analysis.plan
    if not plan.way.splits_layers:
        return
    gpus = plan.require("hardware").gpus_per_instance
    if gpus > 1:
        yield RULE.at(
            ("instance", "parallelism"),
            f"parallelism: {plan.parallelism} uses 1 of {gpus} GPUs at a time: {gpus - 1} are paid for and idle"
            + _under_ddp(plan, gpus),
            _action(analysis, ADVISED),
        )


def advise(analysis: Analysis, _: Predicate) -> str:
    """One process for each GPU, if the job is certain to fit so."""
    return _action(analysis, that_hold_it(analysis))


def _action(analysis: Analysis, holding: tuple[str, ...]) -> str:
    plan = analysis.plan
    gpus = plan.require("hardware").gpus_per_instance
    return on_every_gpu(plan, gpus, " or ".join(holding)) if holding else NO_ROOM


def _under_ddp(plan: Plan, gpus: int) -> str:
    """The effective batch size and the epochs that the same settings would give with one process per GPU."""
    if plan.counts is None:
        return ""
    micro, accumulation = plan.training.micro_batch, plan.training.gradient_accumulation
    batch = effective_batch_size(micro, accumulation, gpus)
    steps, rows = plan.counts.optimizer_steps, plan.counts.rows
    nominal = nominal_examples(steps, batch) / rows
    really = examples_processed(steps, rows, micro, accumulation, gpus) / rows
    return (
        f"; the effective batch size is {count_text(plan.counts.effective_batch_size)} with this one process, "
        f"under ddp the same settings give {count_text(batch)}: {significant(really)} epochs "
        f"({significant(nominal)} nominal)"
    )
