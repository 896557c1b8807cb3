"""A part of the endpoint that asynchronous inference excludes.

Why: An endpoint answers either at once or by way of a queue, with all of its variants. An A/B test joins a live
endpoint and leaves it as it is; requests to a queue name no variant; and SageMaker refuses shadows beside one. Data
capture is documented for real-time endpoints. Whether it also works with a queue is not known, and it is not
needed: requests and answers lie in S3 already.

Example:

    deployment:
      async_inference: {output: "s3://bucket/answers/"}
      data_capture: {uri: "s3://bucket/captured/"}

Instead:

    deployment: {async_inference: {output: "s3://bucket/answers/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for a test and, as a warning, for data capture beside `async_inference`."""
    section = analysis.spec.deployment
    if section is None or section.async_inference is None:
        return
    if section.ab_test is not None:
        shadow = section.ab_test.shadow
        why = "SageMaker refuses a shadow of it" if shadow else "the live endpoint of the test keeps its own way"
        yield RULE.at(
            ("deployment", "async_inference"),
            f"deployment.async_inference makes the whole endpoint asynchronous, and {why}",
            "remove deployment.async_inference, or deployment.ab_test",
        )
    if section.data_capture is not None:
        yield RULE.at(
            ("deployment", "data_capture"),
            "deployment.data_capture is documented for real-time endpoints, and deployment.async_inference makes "
            "another one",
            "remove deployment.data_capture: requests and answers are in S3 already",
            severity=Severity.WARNING,
            confidence=Confidence.LIKELY,
        )
