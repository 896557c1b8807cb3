"""The weights fit, the requests do not.

Why: every token of every request keeps its keys and values on the GPU. Where `concurrency` requests of `max_model_len`
tokens have no room beside the weights they wait for each other; where not even one has, the engine refuses to start.

Example:

    deployment: {concurrency: 256}

Instead:

    deployment: {concurrency: 8}

References:

    https://docs.vllm.ai/en/latest/configuration/optimization.html
    https://github.com/vllm-project/vllm/issues/2418
    https://github.com/QwenLM/Qwen3/issues/295
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity, known
from hbspec.estimators.serving import Serving, serving
from hbspec.plan import ServingPlan
from hbspec.plan.serving import with_each_instance
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule
from hbspec.units import count_text, gib_text

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB205", at_its_cause),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Cache that does not fit for certain (error) or may not (warning); on an alternative a warning."""
    if analysis.spec.deployment is None:
        return
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        served, alternative = serving(plan), "alternatives" in route
        if plan.max_model_len is None or not _weights_fit(served) or served.memory.high <= known(served.budget, ""):
            continue
        certain = served.memory.low > known(served.budget, "")
        action, fixes = _action(plan, served)
        yield RULE.at(
            route if alternative else ("deployment", "concurrency"),
            f"{hardware.name}: {plan.concurrency} x {plan.max_model_len:,} tokens take "
            f"{gib_text(served.kv_bytes_needed or 0)} of cache; beside {gib_text(served.weights_bytes)} of weights "
            f"there is room for {_room(served)}",
            action,
            severity=Severity.ERROR if certain and not alternative else Severity.WARNING,
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            fixes=() if alternative else fixes,
            cause=("deployment", "max_model_len"),
        )


def _weights_fit(served: Serving) -> bool:
    """Otherwise HB501 speaks (or HB610, where the GPU's memory is not known)."""
    if served.budget is None:
        return False
    held = served.terms["weights"] + served.terms.get("adapters", 0)
    return held + served.engine_bytes.low <= served.budget


def _room(served: Serving) -> str:
    one = f"one request of {count_text(served.largest_context or 0)} tokens"
    return f"{served.largest_concurrency} such requests, or {one}" if served.largest_concurrency else f"about {one}"


def _action(plan: ServingPlan, served: Serving) -> tuple[str, tuple[Fix, ...]]:
    most = served.largest_concurrency
    if not most or most >= plan.concurrency:
        return "choose a GPU with more memory, or lower max_model_len", ()
    return f"lower concurrency to {most}", (Fix(f"lower it to {most}", ("deployment", "concurrency"), most),)
