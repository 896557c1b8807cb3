"""The weights fit, but the KV cache for the requested concurrency does not.

Why: Every token of every request keeps its keys and values on the GPU. If one request of `max_model_len` tokens does
not fit beside the weights, the engine does not start; if `concurrency` typical requests do not fit, the endpoint
cannot serve the planned load.

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
from hbspec.estimators.serving.endpoint import Serving, serving
from hbspec.estimators.serving.memory import typical_tokens
from hbspec.estimators.serving.room import startable
from hbspec.plan import ServingPlan
from hbspec.plan.serving import with_each_instance
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.hb501_endpoint_does_not_fit import UTILIZATION
from hbspec.rules.rule import Rule
from hbspec.units import count_text, gib_text

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB205", at_its_cause),))
CONCURRENCY: Route = ("deployment", "concurrency")


class Lack(NamedTuple):
    """A load that may not fit: whether that is certain, its route, what it needs, what fits, one action."""

    certain: bool
    route: Route
    takes: str
    room: str
    action: str
    fixes: tuple[Fix, ...] = ()


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings where the KV cache cannot fit (error) or may not fit (warning); on an alternative a warning."""
    if analysis.spec.deployment is None:
        return
    for route, hardware, named in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        plan, alternative = startable(named), "alternatives" in route
        served = serving(plan)
        if not served.holds_weights:
            continue
        lacks = list(_lacks(plan, served, route))
        if lacks and not alternative and _room_in_the_default_share(plan, route):
            lacks = [_of_the_share(plan, lacks[0])]
        for lack in lacks:
            yield RULE.at(
                route if alternative else lack.route,
                f"{hardware.name}: {lack.takes}, but beside {gib_text(served.weights_bytes)} of weights there is "
                f"{lack.room}",
                lack.action,
                severity=Severity.ERROR if lack.certain and not alternative else Severity.WARNING,
                confidence=Confidence.CERTAIN if lack.certain else Confidence.LIKELY,
                fixes=() if alternative else lack.fixes,
                instead=(None,) if lack.route == CONCURRENCY and not alternative else (),
                cause=lack.route,
            )


def _lacks(plan: ServingPlan, served: Serving, route: Route) -> Iterator[Lack]:
    """The longest request and the typical load where they may not fit, or the activations where they leave no room."""
    sure = known(served.sure_room, "the GPU's memory")
    if sure.longest == 0 and _fits_alone(plan):
        yield _crowded(plan, served)
        return
    if sure.longest == 0:
        yield _longest(plan, served, route)
        if not sure.typical:
            return
    if sure.typical is not None and sure.typical < plan.concurrency:
        yield _typical(plan, served, sure.typical)


def _room_in_the_default_share(plan: ServingPlan, route: Route) -> bool:
    """Whether the load fits into the share of the GPU that engines take by default, and the author's is smaller."""
    if plan.utilization >= plan.usual_utilization:
        return False
    usual = plan._replace(utilization=plan.usual_utilization)
    return not list(_lacks(usual, serving(usual), route))


def _of_the_share(plan: ServingPlan, lack: Lack) -> Lack:
    """A lack that is the fault of `gpu_memory_utilization`."""
    share = plan.usual_utilization
    fix = Fix(f"set gpu_memory_utilization to {share:g}", UTILIZATION, share)
    room = f"{lack.room} in {plan.utilization:g} of the GPU's memory"
    return lack._replace(route=UTILIZATION, room=room, action=fix.title, fixes=(fix,))


def _fits_alone(plan: ServingPlan) -> bool:
    """Whether one request surely fits where the engine is started with a concurrency of 1."""
    alone = serving(plan._replace(concurrency=1)).sure_room
    return plan.concurrency > 1 and alone is not None and bool(alone.longest)


def _crowded(plan: ServingPlan, served: Serving) -> Lack:
    """A concurrency whose activations leave no room for the KV cache of one request."""
    return Lack(
        known(served.best_room, "").longest == 0,
        CONCURRENCY,
        f"{count_text(plan.concurrency)} requests in one batch need {gib_text(served.terms['activations'])} of "
        "activations",
        "not enough room for the KV cache of one request",
        "lower concurrency",
    )


def _longest(plan: ServingPlan, served: Serving, route: Route) -> Lack:
    one, tokens = served.demand.longest or 0, known(plan.max_model_len, "the longest request")
    sure, best = known(served.sure_room, ""), known(served.best_room, "")
    room, larger = (
        f"room for one request of {range_text(sure.context, best.context)} tokens",
        "use a GPU with more memory",
    )
    certain = best.longest == 0
    if plan.assumes("max_model_len"):  # no longer than the typical request, else it would have been assumed shorter
        return Lack(certain, route, f"one request of {tokens:,} tokens needs {gib_text(one)} of KV cache", room, larger)
    return Lack(
        certain,
        ("deployment", "max_model_len"),
        f"{plan.concurrency} x {tokens:,} tokens need {gib_text(served.demand.all_longest or 0)} of KV cache, "
        f"one request {gib_text(one)}",
        room,
        f"lower max_model_len, or {larger}" if sure.context else larger,
    )


def _typical(plan: ServingPlan, served: Serving, most: int) -> Lack:
    tokens, route = round(typical_tokens(plan) or 0), CONCURRENCY
    best = known(served.best_room, "").typical or 0
    return Lack(
        best < plan.concurrency,
        route,
        f"{count_text(plan.concurrency)} typical requests of {count_text(tokens)} tokens need "
        f"{gib_text(served.demand.typical or 0)} of KV cache",
        f"room for {range_text(most, best)} of them",
        f"lower concurrency to {most}",
        (Fix(f"lower concurrency to {most}", route, most),),
    )


def range_text(sure: int, best: int) -> str:
    """`"53 to 58"`: how many surely fit and how many fit at best, or one number where these are equal."""
    return count_text(sure) if sure == best else f"{count_text(sure)} to {count_text(best)}"
