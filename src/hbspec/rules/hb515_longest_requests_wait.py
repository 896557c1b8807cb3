"""The typical load fits, but `concurrency` requests of `max_model_len` tokens do not.

Why: The engine starts and serves, but when many long requests arrive at once, some wait, or are preempted and have
their prompts computed again. Their latency is then several times the estimate for the typical request.

Example:

    deployment: {concurrency: 128}

Instead:

    deployment: {concurrency: 4}

References:

    https://docs.vllm.ai/en/latest/configuration/optimization.html
    https://github.com/vllm-project/vllm/issues/2418
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.serving.endpoint import Serving, serving
from hbspec.estimators.serving.memory import typical_tokens
from hbspec.plan import ServingPlan
from hbspec.plan.serving import with_each_instance
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.hb502_cache_too_small import range_text
from hbspec.rules.rule import Rule
from hbspec.units import count_text, gib_text

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB205", at_its_cause),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings where all requests at a given `max_model_len` do not fit, unless HB501 or HB502 says more."""
    if analysis.spec.deployment is None:
        return
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        served = serving(plan)
        budget = served.budget
        if plan.max_model_len is None or plan.assumes("max_model_len") or not served.holds_weights or budget is None:
            continue
        if served.least_memory.high > budget or served.memory.high <= budget:
            continue
        yield RULE.at(
            route if "alternatives" in route else ("deployment", "concurrency"),
            f"{hardware.name}: {plan.concurrency} x {plan.max_model_len:,} tokens need "
            f"{gib_text(known(served.demand.all_longest, 'the cache'))} of KV cache, but beside "
            f"{gib_text(served.weights_bytes)} of weights there is room for {_room(plan, served)}: "
            "beyond that, requests wait or are preempted",
            "lower concurrency or max_model_len if requests must not wait",
            confidence=Confidence.CERTAIN if served.memory.low > budget else Confidence.LIKELY,
            cause=("deployment", "max_model_len"),
        )


def _room(plan: ServingPlan, served: Serving) -> str:
    sure, best = known(served.sure_room, "the GPU's memory"), known(served.best_room, "the GPU's memory")
    longest, tokens = f"{range_text(sure.longest or 0, best.longest or 0)} of them", typical_tokens(plan)
    if tokens is None:
        return longest
    typical = range_text(sure.typical or 0, best.typical or 0)
    return f"{longest}, or {typical} typical ones of {count_text(round(tokens))} tokens"
