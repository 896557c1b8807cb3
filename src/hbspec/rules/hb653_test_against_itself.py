"""An A/B test compares a model with itself.

Why: The baseline is the model that an endpoint serves today. Named like the job, it is an earlier deployment of the
same spec at best: both arms answer alike, and the test decides nothing.

Example:

    name: assistant
    deployment: {ab_test: {baseline: assistant, served_model_name: assistant, candidate_weight: 0.1}}

Instead:

    name: assistant
    deployment: {ab_test: {baseline: llama-4-scout, served_model_name: assistant, candidate_weight: 0.1}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.training_job import author_name
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the baseline with the names under which the trained model is deployed."""
    spec = analysis.spec
    test = spec.deployment.ab_test if spec.deployment else None
    if test is None:
        return
    own = {author_name(spec): "sagemaker.job_name"} | {spec.name: "name"}
    if test.baseline in own:
        yield RULE.at(
            ("deployment", "ab_test", "baseline"),
            f"the baseline is {test.baseline!r}, as is {own[test.baseline]}: the model is tested against itself",
            "name the model that the endpoint serves today",
        )
