"""An A/B test of adapters that LMI serves beside their base model.

Why: An endpoint splits its traffic without looking at requests, so that each request must be valid for both arms. LMI
finds an adapter by the member `adapters` of a request, or by a header, and answers a request without it from the base
model. Requests to a baseline lack that member, so the candidate would answer them untrained, and the test would compare
the baseline with the base model. vLLM finds an adapter by `model`, and merged weights have one name with both engines.

Example:

    deployment:
      engine: djl-lmi
      quantization: none
      adapters: separate
      ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}

Instead:

    deployment:
      engine: vllm
      quantization: none
      adapters: separate
      ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}

References:

    https://github.com/deepjavalibrary/djl-serving/blob/master/serving/docs/adapters.md
    https://docs.vllm.ai/en/stable/features/lora/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find tests whose candidate is an adapter that a request to the baseline does not name."""
    section = analysis.spec.deployment
    if section is None or section.ab_test is None:
        return
    plan = analysis.serving_plan
    if plan.engine != "vllm" and plan.adapters != "merged":
        yield RULE.at(
            ("deployment", "engine") if section.engine else ("deployment", "ab_test"),
            f"{plan.engine} finds adapters by the request's adapters, and requests to the baseline "
            f"{section.ab_test.baseline} have none: the base model would answer them",
            "set deployment.engine to vllm, or deployment.adapters to merged",
        )
