"""The typical answer takes longer than InvokeEndpoint waits.

Why: A real-time endpoint must answer within 60 seconds, whatever the client allows. The caller of a longer answer gets
an error, while the GPU goes on to generate it. Reasoning models, whose answers have thousands of tokens, meet this
limit first. A streamed answer (InvokeEndpointWithResponseStream) may take 8 minutes.

Example:

    deployment: {typical_output_tokens: 6000, max_model_len: 8192}

Instead:

    deployment: {typical_output_tokens: 400, max_model_len: 8192}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.serving.endpoint import serving
from hbspec.rules.rule import Rule
from hbspec.units import count_text, seconds_text

RULE = Rule(__name__, Severity.WARNING)

LONGEST_ANSWER = 60
"""Seconds in which a container must respond (API reference, InvokeEndpoint)."""
LONGEST_STREAM = 480
"""Seconds that a stream may take (API reference, InvokeEndpointWithResponseStream)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where a single typical request is expected to take longer, on an instance of SageMaker."""
    deployment = analysis.spec.deployment
    if deployment is None or deployment.instance.type is None or deployment.typical_output_tokens is None:
        return
    latency = serving(analysis.serving_plan).latency_seconds
    if latency is None or latency.expected <= LONGEST_ANSWER:
        return
    streamed = latency.expected <= LONGEST_STREAM
    yield RULE.at(
        ("deployment", "typical_output_tokens"),
        f"an answer of {count_text(deployment.typical_output_tokens)} tokens is predicted to take "
        f"{seconds_text(latency.expected)}, but InvokeEndpoint waits {LONGEST_ANSWER} s",
        "stream the answers (InvokeEndpointWithResponseStream), or lower typical_output_tokens"
        if streamed
        else f"lower typical_output_tokens: even a stream ends after {LONGEST_STREAM // 60} minutes",
        confidence=Confidence.CERTAIN if latency.low > LONGEST_ANSWER else Confidence.LIKELY,
    )
