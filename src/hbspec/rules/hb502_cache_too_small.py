"""The weights fit, but the cache for one request or for the typical load does not.

Why: every token of every request keeps its keys and values on the GPU. Where one request of `max_model_len` tokens has
no room beside the weights, the engine refuses to start; where `concurrency` typical requests have none, the endpoint
does not serve the load that it is planned for.

Example:

    deployment: {concurrency: 512}

Instead:

    deployment: {concurrency: 32}

References:

    https://docs.vllm.ai/en/latest/configuration/conserving_memory.html
    https://github.com/vllm-project/vllm/issues/2418
    https://github.com/QwenLM/Qwen3/issues/295
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity, known
from hbspec.estimators.serving import Serving, serving
from hbspec.estimators.serving_memory import typical_tokens
from hbspec.plan import ServingPlan
from hbspec.plan.serving import with_each_instance
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule
from hbspec.units import count_text, gib_text

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB205", at_its_cause),))


class Lack(NamedTuple):
    """Which load has no room: the key that asks for it, what it takes, what there is room for, one action."""

    key: str
    takes: str
    room: str
    action: str
    fixes: tuple[Fix, ...] = ()


def check(analysis: Analysis) -> Iterator[Finding]:
    """Cache that does not fit for certain (error) or may not (warning); on an alternative a warning."""
    if analysis.spec.deployment is None:
        return
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        served, alternative = serving(plan), "alternatives" in route
        if not served.holds_weights or served.least_memory.high <= known(served.budget, ""):
            continue
        certain = served.least_memory.low > known(served.budget, "")
        lack = _longest(plan, served) if _one_is_more(served) else _typical(plan, served)
        yield RULE.at(
            _route(route, lack.key),
            f"{hardware.name}: {lack.takes}; beside {gib_text(served.weights_bytes)} of weights there is room for "
            f"{lack.room}",
            lack.action,
            severity=Severity.ERROR if certain and not alternative else Severity.WARNING,
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            fixes=() if alternative else lack.fixes,
            cause=("deployment", lack.key),
        )


def _route(route: Route, key: str) -> Route:
    return route if "alternatives" in route else ("deployment", key)


def _one_is_more(served: Serving) -> bool:
    return served.demand.least == served.demand.longest


def _longest(plan: ServingPlan, served: Serving) -> Lack:
    asked, most = served.demand, served.largest_context or 0
    return Lack(
        "max_model_len",
        f"{plan.concurrency} x {known(plan.max_model_len, ''):,} tokens take {gib_text(asked.all_longest or 0)} of "
        f"cache, one request {gib_text(asked.longest or 0)}",
        f"one request of {count_text(most)} tokens",
        "lower max_model_len, or choose a GPU with more memory" if most else "choose a GPU with more memory",
    )


def _typical(plan: ServingPlan, served: Serving) -> Lack:
    most, tokens = served.largest_typical or 0, round(typical_tokens(plan) or 0)
    return Lack(
        "concurrency",
        f"{count_text(plan.concurrency)} typical requests of {count_text(tokens)} tokens take "
        f"{gib_text(served.demand.typical or 0)} of cache",
        f"{most} of them",
        f"lower concurrency to {most}" if most else "choose a GPU with more memory",
        (Fix(f"lower it to {most}", ("deployment", "concurrency"), most),) if 0 < most < plan.concurrency else (),
    )
