"""`gpu_memory_utilization` leaves no memory for the CUDA context.

Why: vLLM takes the share of the GPU's whole memory and refuses to start if less is free. The CUDA context, of at least
300 MB, is there before, so that all of the memory is never free; what is just free is missing for graphs and for
NCCL's buffers afterwards. Shares up to 0.95 are usual, and 0.9 is the default. SGLang keeps activations and graphs
outside of its share (`--mem-fraction-static`), and chooses one by the GPU's memory; with more it may start, and run out
of memory at a long prompt.

Example:

    deployment: {gpu_memory_utilization: 1.0}

Instead:

    deployment: {gpu_memory_utilization: 0.9}

References:

    https://github.com/vllm-project/vllm/issues/20305
    https://github.com/pytorch/pytorch/issues/175666
    https://docs.vllm.ai/en/latest/configuration/conserving_memory.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity, known
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.plan.engine_share import SGLANG
from hbspec.rules.hb501_endpoint_does_not_fit import UTILIZATION
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare what a given share leaves with what has to fit beside it: an error at 1, else a warning."""
    section = analysis.spec.deployment
    if section is None or section.gpu_memory_utilization is None:
        return
    plan, share = analysis.serving_plan, section.gpu_memory_utilization
    if share <= plan.usual_utilization:
        return
    machine = known(plan.hardware, "the endpoint's hardware")
    usable = known(machine.gpu.usable_bytes, f"the usable memory of the {machine.gpu.name}")
    left, usual = (1 - share) * usable, plan.usual_utilization
    beside = f"the CUDA context takes at least {bytes_text(CONTEXT_BYTES.low)}"
    if plan.engine == SGLANG:
        beside = f"SGLang's own share leaves {bytes_text((1 - usual) * usable)} for activations and CUDA graphs"
    elif left >= CONTEXT_BYTES.low:
        return
    yield RULE.at(
        UTILIZATION,
        f"gpu_memory_utilization {share:g} leaves {bytes_text(left)} of the {machine.gpu.name}, but {beside}",
        f"set gpu_memory_utilization to {usual:g}",
        severity=Severity.ERROR if share == 1 else Severity.WARNING,
        confidence=Confidence.CERTAIN if share == 1 else Confidence.LIKELY,
        fixes=(Fix(f"set gpu_memory_utilization to {usual:g}", UTILIZATION, usual),),
    )
