"""The answer is expected sooner than the GPU can write it.

Why: every token of an answer streams all weights through the GPU once, so memory bandwidth bounds how many there can
be in a time. A reasoning model thinks for hundreds to thousands of tokens before it answers; a latency that allows for
fewer is kept only by cutting it short.

Example:

    deployment: {instance: {type: ml.p5.48xlarge, alternatives: [ml.g6.12xlarge]}, quantization: none}
    expect: {deployment.latency: ..10s}

Instead:

    deployment: {instance: {type: ml.p5.48xlarge}, quantization: none}
    expect: {deployment.latency: ..10s}

References:

    https://arxiv.org/abs/2211.05102
    https://www.databricks.com/blog/llm-inference-performance-engineering-best-practices
    https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-32B
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from hbspec.analysis import Analysis
from hbspec.claims.sets import ClaimSet, parse_claim
from hbspec.diagnostics import Finding, Severity
from hbspec.estimators.serving.endpoint import serving
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule
from hbspec.units import UnitError, count_text, seconds_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The most tokens that the claimed latency allows, at full bandwidth, against the typical answer."""
    claim = analysis.spec.expect.get("deployment.latency")
    deployment = analysis.spec.deployment
    if claim is None or deployment is None or deployment.typical_output_tokens is None:
        return
    try:
        latency = parse_claim(claim, "seconds")
    except UnitError:  # a claim that cannot be read has its own rule
        return
    if not isfinite(latency.high):
        return
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        served = serving(plan)
        if served.decode_tokens_per_second is None:  # HB610 says so
            continue
        most = served.tokens_within(latency.high).high
        if most >= deployment.typical_output_tokens:
            continue
        fewest = f"{count_text(served.tokens_within(latency.low).high)} to " if latency.low > 0 else ""
        yield RULE.at(
            route if "alternatives" in route else ("expect", "deployment.latency"),
            f"{_text(latency)} are at most {fewest}{count_text(most)} tokens on the {hardware.gpu.name} of "
            f"{hardware.name}; the typical answer has {count_text(deployment.typical_output_tokens)}",
            "expect a longer latency, or serve on GPUs with more bandwidth",
        )


def _text(latency: ClaimSet) -> str:
    low = f"{seconds_text(latency.low)} to " if latency.low > 0 else ""
    return f"{low}{seconds_text(latency.high)}"
