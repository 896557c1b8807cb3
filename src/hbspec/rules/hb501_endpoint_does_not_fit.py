"""The model's weights do not fit on the endpoint's GPU.

Why: The engine loads the weights before it serves. If they do not fit together with its overhead, it fails with "out of
memory", after the model was trained for that endpoint. Four-bit weights take more than half a byte per parameter:
embeddings and head stay in 16 bits, and the scales are stored too. An engine that quantises while it loads holds the
module at hand, or all experts of a layer, in 16 bits beside what it has quantised.

Example:

    deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: null}

Instead:

    deployment: {instance: {type: ml.g5.12xlarge}, tensor_parallel: 4}

References:

    https://docs.vllm.ai/en/latest/configuration/conserving_memory.html
    https://huggingface.co/docs/bitsandbytes/reference/nn/linear4bit
    https://github.com/vllm-project/vllm/issues/2418
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Route, Severity, known
from hbspec.estimators.serving.endpoint import Serving, serving
from hbspec.plan import Hardware
from hbspec.plan.serving import ServingPlan, with_each_instance
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.hb503_adapter_rank_above_engine import served_rank
from hbspec.rules.rule import Rule
from hbspec.spec.deployment import Deployment
from hbspec.units import bytes_text, gib_text

UTILIZATION: Route = ("deployment", "gpu_memory_utilization")
RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB503", at_its_cause),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings where weights, adapters and the engine's least overhead exceed a GPU; a warning for an alternative."""
    if analysis.spec.deployment is None:
        return
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        alternative = "alternatives" in route
        if alternative and plan.tensor_parallel > hardware.gpus_per_instance:
            yield RULE.at(
                route,
                f"tensor_parallel is {plan.tensor_parallel}, but {hardware.name} has {_gpus(hardware)}",
                f"remove {hardware.name} from the alternatives",
                severity=Severity.WARNING,
            )
            continue
        served = serving(plan)
        if served.usable is None or served.budget is None:  # HB610 says so
            continue
        least = served.terms["weights"] + served.terms.get("adapters", 0) + served.engine_bytes.low
        if least > served.budget:
            yield _too_large(analysis.spec.deployment, route, hardware, plan, served)
        elif served.loading is not None and served.loading.expected > served.usable:
            yield RULE.at(
                route,
                f"the model fits on {hardware.name} once it is quantised, but while it is loaded, it needs about "
                f"{bytes_text(served.loading.expected)} per GPU of the {bytes_text(served.usable)} usable",
                "name weights that are stored quantised as deployment.model, or use a larger GPU",
                severity=Severity.WARNING,
                confidence=Confidence.LIKELY,
            )


def _too_large(deployment: Deployment, route: Route, hardware: Hardware, plan: ServingPlan, served: Serving) -> Finding:
    usable, budget = known(served.usable, "the GPU's memory"), known(served.budget, "the GPU's memory")
    weights, adapters = served.terms["weights"], served.terms.get("adapters", 0)
    held = weights + adapters
    least = held + served.engine_bytes.low
    alternative = "alternatives" in route
    small = not alternative and _share_is_too_small(plan, least, usable)
    return RULE.at(
        UTILIZATION if small else route,
        f"the model does not fit on {hardware.name} with {_gpu(hardware)}: needed per GPU are "
        f"{bytes_text(weights)} of weights, {bytes_text(adapters)} of adapters and at least "
        f"{bytes_text(served.engine_bytes.low)} for the engine; the engine may use "
        f"{bytes_text(budget)}, {plan.utilization:g} of the {gib_text(usable)} ({bytes_text(usable)}) usable",
        _action(plan, hardware, least, usable),
        severity=Severity.WARNING if alternative else Severity.ERROR,
        confidence=Confidence.CERTAIN if held > budget else Confidence.LIKELY,
        cause=_cause(deployment, plan, served),
        instead=(plan.usual_utilization,) if small else (),
    )


def _share_is_too_small(plan: ServingPlan, least: float, usable: int) -> bool:
    """Whether what is needed fits into the share that engines take by default, and the author's share is smaller."""
    return plan.utilization < plan.usual_utilization and least <= plan.usual_utilization * usable


def _action(plan: ServingPlan, hardware: Hardware, least: float, usable: int) -> str:
    """What makes room: a larger share of the GPU where that is enough, otherwise a larger GPU or more of them."""
    if least <= usable:
        return f"raise gpu_memory_utilization above {plan.utilization:g}"
    share = max(plan.utilization, plan.usual_utilization)  # of a sliver no GPU would be large enough
    larger = f"use a GPU with at least {bytes_text(least / share)} of usable memory"
    if share > plan.utilization:
        larger += f" and set gpu_memory_utilization: {share:g}"
    more = hardware.gpus_per_instance > plan.tensor_parallel
    return f"{larger}, or raise tensor_parallel, at most to {hardware.gpus_per_instance}" if more else larger


def _cause(deployment: Deployment, plan: ServingPlan, served: Serving) -> Route | None:
    """The route of the rank where adapters of the largest rank that the engine serves would fit; None otherwise."""
    share = min(1.0, plan.max_lora_rank / plan.lora_r) if plan.lora_r else 1.0
    needed = served.terms["weights"] + share * served.terms.get("adapters", 0) + served.engine_bytes.low
    return served_rank(deployment) if share < 1 and needed <= (served.budget or 0) else None


def _gpus(hardware: Hardware) -> str:
    return "1 GPU" if hardware.gpus_per_instance == 1 else f"{hardware.gpus_per_instance} GPUs"


def _gpu(hardware: Hardware) -> str:
    """The GPU's name, and the features that it lacks."""
    gpu = hardware.gpu
    lacks = {"bfloat16": gpu.bf16, "FlashAttention-2": gpu.flash_attention_2}
    missing = [name for name, value in lacks.items() if value is False]
    return f"the {gpu.name}" + (f" (without {' and '.join(missing)})" if missing else "")
