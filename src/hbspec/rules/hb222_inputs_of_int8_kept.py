"""Gradient checkpointing does not free the inputs that int8 weights keep.

Why: bitsandbytes' 8-bit product keeps its input on the function's context. Non-reentrant checkpointing, the default of
transformers 5, frees only tensors saved the usual way, so the inputs of all linear modules of all layers stay in
memory, as if half of the checkpointing were off. Reentrant checkpointing keeps no context.

Example:

    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {bnb_quant_type: int8, bnb_double_quant: null}

Instead:

    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {bnb_quant_type: nf4}

References:

    https://github.com/bitsandbytes-foundation/bitsandbytes/blob/main/bitsandbytes/autograd/_functions.py
    https://docs.pytorch.org/docs/stable/checkpoint.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import kept_bytes
from hbspec.estimators.step.placement import Stage
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

OF_FOUR_BITS = ("bnb_double_quant", "bnb_4bit_quant_storage")
"""Options that show that 4 bits were meant."""
RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB213", lambda _, other: other.route[-1] in OF_FOUR_BITS),))
ROUTE = ("hyperparameters", "bnb_quant_type")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `bnb_quant_type: int8` with gradient checkpointing that is not reentrant."""
    plan = analysis.plan
    training = plan.training
    if training.quantization != "int8" or not training.gradient_checkpointing or training.use_reentrant:
        return
    job = job_of(plan)
    longest = ceil(plan.lengths.cut(training.max_length).longest.expected)
    layers, hidden = job.architecture.num_hidden_layers, job.architecture.hidden_size
    kept = kept_bytes(job, Stage(0, layers, embedding=True, head=True), longest)
    inputs = layers * hidden * job.precision.stream * training.micro_batch * longest
    yield RULE.at(
        ROUTE,
        f"int8 keeps {bytes_text(kept)} for a micro-batch of {longest:,}-token rows despite gradient checkpointing; "
        f"4-bit weights keep {bytes_text(inputs)}",
        "use bnb_quant_type: nf4",
        fixes=(Fix("quantise to 4 bits", ROUTE, "nf4"),),
        instead=(Fix("", ("hyperparameters", "use_reentrant"), True),),
    )
