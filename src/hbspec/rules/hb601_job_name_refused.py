"""The name of the job, model or endpoint is not valid in SageMaker.

Why: The name of a job, model or endpoint is letters and digits with single hyphens between them, at most 63 characters.
SageMaker rejects any other when the job is created, or when the trained model is deployed. To the name of a training
job a digest of its inputs (13 characters) and, from the second attempt on, its number (at most 4) are added, which
leaves 46; to that of an endpoint a digest alone, for its model and its configuration, which leaves 50, and 43 in an A/B
test.

Example:

    name: heartbeat_v2.1

Instead:

    name: heartbeat-v2-1

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    https://github.com/aws/sagemaker-python-sdk/issues/384
    https://github.com/zenml-io/zenml/issues/1502
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_HOSTING_NAME_LENGTH, TRAINING_JOB_NAME_PATTERN
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.training_job import LONGEST_ENDPOINT_NAME, LONGEST_NAME, LONGEST_TEST_NAME
from hbspec.rules.rule import Rule
from hbspec.showing.secrets import redact

RULE = Rule(__name__, Severity.ERROR)
LONGEST = {
    "job": (LONGEST_NAME, "the digest of the training job's inputs and the attempt number"),
    "endpoint": (LONGEST_ENDPOINT_NAME, "the digest of the endpoint's model"),
    "test": (LONGEST_TEST_NAME, "the A/B test and the digest of its model"),
    "model": (MAX_HOSTING_NAME_LENGTH, ""),
}
"""The largest length of a name of each kind, and what is added to it."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for `sagemaker.job_name`, for `name` where something is named after it, and for the baseline."""
    spec = analysis.spec
    job_name = spec.sagemaker.job_name if spec.sagemaker else None
    trains_there, served = spec.instance.type is not None, spec.deployment is not None
    if job_name is not None:
        yield from _judge(("sagemaker", "job_name"), job_name, "job" if trains_there else "model")
    runs_there = trains_there or spec.sagemaker is not None
    if runs_there and (job_name is None or served):
        tested = spec.deployment is not None and spec.deployment.ab_test is not None
        serves = "test" if tested else "endpoint" if served else "model"
        named = min(serves, "job" if trains_there and job_name is None else "model", key=lambda kind: LONGEST[kind][0])
        yield from _judge(("name",), spec.name, named)
    if spec.deployment is not None and spec.deployment.ab_test is not None:
        route, test = ("deployment", "ab_test"), spec.deployment.ab_test
        yield from _judge((*route, "baseline"), test.baseline, "model")
        if test.endpoint is not None:
            yield from _judge((*route, "endpoint"), test.endpoint, "model")


def _judge(route: Route, name: str, kind: str) -> Iterator[Finding]:
    longest, _ = LONGEST[kind]
    long = len(name) > longest  # the pattern counts pairs of hyphens and a character
    if re.fullmatch(TRAINING_JOB_NAME_PATTERN, name) and not long:
        return
    legal = re.sub(r"[^a-zA-Z0-9]+", "-", redact(name)).strip("-")[:longest].rstrip("-")
    yield RULE.at(
        route,
        f"{name!r} {_too_long(name, kind) if long else _wrong(name)}",
        f"rename it to {legal!r}" if legal else "use a name of letters, digits and hyphens",
        fixes=(Fix(f"rename it to {legal}", route, legal),) if legal else (),
    )


def _too_long(name: str, kind: str) -> str:
    limit = f"above the limit of {MAX_HOSTING_NAME_LENGTH}"
    longest, reason = LONGEST[kind]
    if not reason:
        return f"has {len(name)} characters, {limit}"
    added = MAX_HOSTING_NAME_LENGTH - longest
    return f"has {len(name)} characters, and {added} are added for {reason}: {len(name) + added}, {limit}"


def _wrong(name: str) -> str:
    refused = sorted(set(re.findall(r"[^a-zA-Z0-9-]", name)))
    if refused:
        return f"contains {', '.join(map(repr, refused))}; only letters, digits and hyphens are allowed"
    return "begins or ends with a hyphen"
