"""The typical answer takes longer than the endpoint waits for its model.

Why: A real-time endpoint must answer within 60 seconds, whatever the client allows. The caller of a longer answer gets
an error, while the GPU goes on to generate it. Reasoning models, whose answers have thousands of tokens, meet this
limit first. A streamed answer (InvokeEndpointWithResponseStream) may take 8 minutes, and one of an asynchronous
endpoint (`deployment.async_inference`), which is written to S3, an hour.

Example:

    deployment: {typical_output_tokens: 6000, max_model_len: 8192}

Instead:

    deployment:
      typical_output_tokens: 6000
      max_model_len: 8192
      async_inference: {output: "s3://bucket/answers/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_ANSWER_SECONDS, MAX_ASYNCHRONOUS_SECONDS
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.serving.endpoint import serving
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule
from hbspec.spec.deployment import Deployment
from hbspec.units import count_text, seconds_text

RULE = Rule(__name__, Severity.WARNING)

MAX_STREAM_SECONDS = 480
"""Seconds that a stream may take (API reference, InvokeEndpointWithResponseStream)."""
LOWER = "lower typical_output_tokens"


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where a single typical request is expected to take longer, on an instance of SageMaker.

    Alternatives are named where the first choice answers in time.
    """
    deployment = analysis.spec.deployment
    if deployment is None or deployment.instance.type is None or deployment.typical_output_tokens is None:
        return
    queued = deployment.async_inference is not None
    limit = MAX_ASYNCHRONOUS_SECONDS if queued else MAX_ANSWER_SECONDS
    waits = f"InvokeEndpointAsync waits {limit // 60} minutes" if queued else f"InvokeEndpoint waits {limit} s"
    for route, machine, plan in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        alternative, latency = "alternatives" in route, serving(plan).latency_seconds
        if latency is None or latency.expected <= limit:
            continue
        tokens, where = count_text(deployment.typical_output_tokens), f" on {machine.name}" if alternative else ""
        yield RULE.at(
            route if alternative else ("deployment", "typical_output_tokens"),
            f"an answer of {tokens} tokens is predicted to take {seconds_text(latency.expected)}{where}, but {waits}",
            f"remove {machine.name} from the alternatives" if alternative else _action(deployment, latency.expected),
            confidence=Confidence.CERTAIN if latency.low > limit else Confidence.LIKELY,
        )
        if not alternative:  # what is too long on the first choice has this one cause
            return


def _action(deployment: Deployment, seconds: float) -> str:
    """The ways of asking that wait for so long. A test keeps the live endpoint's own."""
    tested, queued = deployment.ab_test is not None, deployment.async_inference is not None
    may_queue = not tested and not queued and seconds <= MAX_ASYNCHRONOUS_SECONDS
    other = "add deployment.async_inference, whose answers may take an hour" if may_queue else LOWER
    if not queued and seconds <= MAX_STREAM_SECONDS:
        return f"stream the answers (InvokeEndpointWithResponseStream), or {other}"
    most = MAX_STREAM_SECONDS if may_queue or tested else MAX_ASYNCHRONOUS_SECONDS
    ended = "a stream" if may_queue or tested else "an asynchronous answer"
    return f"{other}: even {ended} ends after {most // 60} minutes"
