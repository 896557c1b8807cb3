"""An A/B test does not say which `model` its requests name.

Why: An endpoint splits its traffic without looking at requests, and an engine answers only to the models that it knows
by name. Both arms have to answer to the name that requests to the baseline have; otherwise those that reach the new
model fail. The target `deployment` does not compile without it.

Example:

    deployment: {ab_test: {baseline: today, candidate_weight: 0.1}}

Instead:

    deployment: {ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html
    https://docs.vllm.ai/en/stable/serving/openai_compatible_server/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding for a test without `served_model_name`; targets that make no endpoint do not need it."""
    section = analysis.spec.deployment
    test = section.ab_test if section else None
    if test is not None and test.served_model_name is None:
        yield RULE.at(
            ("deployment", "ab_test", "served_model_name"),
            f"served_model_name is missing: the new model does not know the name by which requests ask for "
            f"{test.baseline}, and the target deployment does not compile",
            "set deployment.ab_test.served_model_name to the model of requests to the baseline",
        )
