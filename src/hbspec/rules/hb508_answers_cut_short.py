"""The claimed latency is shorter than the GPU needs for the typical answer.

Why: Every token of an answer reads all weights once, so memory bandwidth limits the tokens per second. A reasoning
model generates hundreds to thousands of tokens before it answers; a latency that allows fewer is met only by cutting
it off.

Example:

    deployment:
      instance: {type: ml.p5.48xlarge, alternatives: [ml.g6.48xlarge]}
      quantization: none
      tensor_parallel: 8
    expect: {deployment.latency: ..10s}

Instead:

    deployment: {instance: {type: ml.p5.48xlarge}, quantization: none, tensor_parallel: 8}
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
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.digits import UnitError
from hbspec.estimators.serving.endpoint import serving
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule
from hbspec.units import count_text, seconds_text

RULE = Rule(__name__, Severity.WARNING)
LATENCY: Route = ("expect", "deployment.latency")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings where the claimed latency, at full memory bandwidth, allows fewer tokens than the typical answer has."""
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
    answer = deployment.typical_output_tokens
    for route, hardware, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        served = serving(plan)
        if served.decode_tokens_per_second is None:  # HB610 says so
            continue
        most = served.tokens_within(latency.high).high
        if most >= answer:
            continue
        fewest = f"{count_text(served.tokens_within(latency.low).high)} to " if latency.low > 0 else ""
        yield RULE.at(
            route if "alternatives" in route else LATENCY,
            f"in {_text(latency)} the {hardware.gpu.name} of {hardware.name} generates at most "
            f"{fewest}{count_text(most)} tokens, but typical_output_tokens is {count_text(answer)}",
            "claim a longer deployment.latency, or use GPUs with more memory bandwidth",
            cause=LATENCY,
        )


def _text(latency: ClaimSet) -> str:
    low = f"{seconds_text(latency.low)} to " if latency.low > 0 else ""
    return f"{low}{seconds_text(latency.high)}"
